package latentmix.study;

import static latentmix.config.Key.optional;
import static latentmix.config.Key.required;
import static latentmix.config.Key.with;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import latentmix.config.Block;
import latentmix.config.Entries;
import latentmix.config.Field;
import latentmix.config.Key;
import latentmix.config.RunKeys;
import latentmix.config.Spelled;
import latentmix.config.Type;
import latentmix.latent.InputCount;
import latentmix.latent.MeanAdjusted;
import latentmix.latent.Method;
import latentmix.latent.Recipe;
import latentmix.latent.WeightSampler;
import latentmix.study.LatentExperiment.Statistic;
import latentmix.study.StudyConfig.Axis;
import latentmix.study.StudyConfig.AxisScale;
import latentmix.training.Corruption;

/** The keys of a study's configuration, each declared once. */
public final class StudyKeys {
    private static final int MOST = 1_000_000;
    private static final int MOST_SHOTS = 99_999;

    static final List<String> KINDS = List.of("curves", "grid", "downstream", "paths", "bias", "perturbed", "offsets");

    static final Key<String> TITLE =
            required("title", RunKeys.TEXT, "The report's heading.", "The degeneracy at a glance");
    static final Key<String> ABOUT = with(
            "about",
            RunKeys.TEXT,
            "\"\"",
            "What is shown and where it comes from, in a few sentences.",
            "The plain average fades.");
    static final Block RUN = RunKeys.RUN_WITHOUT_MIXING.named(
            "run",
            "The run configuration that experiments begin with. It has no `mixing`: experiments say what is mixed.");

    static final Key<String> KIND = with(
            "kind",
            Type.Choice.of(KINDS.toArray(String[]::new)),
            "curves",
            "What the experiment makes. The other keys depend on it.",
            "curves");
    static final Key<String> NAME =
            required("name", RunKeys.NAME, "The beginning of its files' names, unlike the others'.", "quality");
    static final Key<String> HEADING =
            optional("title", RunKeys.TEXT, "the name", "Its heading in the report.", "Quality against N");
    static final Key<String> CAPTION =
            with("about", RunKeys.TEXT, "\"\"", "What is varied and what to look at.", "Larger N is worse.");
    static final Key<List<String>> CLASSES = optional(
            "classes",
            new Type.ListOf<>(RunKeys.TEXT),
            "all",
            "The classes that are looked at, by their folders. A `grid` must name some.",
            "[5-sandal, 8-bag]");

    static final Key<String> FACTOR = with(
            "factor",
            RunKeys.TEXT,
            "\"\"",
            "What differs between the settings. It is needed where there are several.",
            "guidance");
    static final Key<ObjectNode> SETTINGS = optional(
            "settings",
            new Type.Mapping(),
            "one setting, that of `run`",
            "Settings by their label: each gives other values to key paths of `run`, or to `neighbours`, `contexts`,"
                    + " `context_share` and `guidance` of `mixing` in every entry.",
            "{1: {generation.guidance: 1}, 4: {generation.guidance: 4}}");
    static final Key<ObjectNode> VALUES = optional(
            "settings",
            new Type.Mapping(),
            "those of `run`",
            "Other values by key paths of `run`.",
            "{inversion.forward_first: 3}");
    static final Key<List<Spelled<Method>>> METHODS =
            with("methods", new Type.ListOf<>(RunKeys.METHOD), "nin/chm", "How mixtures are made.", "[fix/0, nin/chm]");
    static final Key<List<Spelled<InputCount>>> INPUTS = with(
            "inputs",
            new Type.ListOf<>(RunKeys.INPUT_COUNT),
            "64",
            "Images of a mixture. A method that takes none of the counts has the one that it takes.",
            "[2, 8, 32]");
    static final Key<List<Spelled<WeightSampler>>> WEIGHTS = with(
            "weights",
            new Type.ListOf<>(RunKeys.WEIGHT_SAMPLER),
            "equal",
            "The weights of inputs.",
            "[equal, dirichlet(1)]");
    static final Key<List<Recipe.Pool>> POOLS = with(
            "pool", new Type.ListOf<>(RunKeys.POOL_TYPE), "all", "The latents whose mean a `cmm` split takes.", "all");
    static final Key<Integer> COUNT =
            with("count", new Type.Count(1, MOST), "100", "Mixtures for each cell and class.", "300");
    static final Key<Axis> X = with("x", Type.Choice.of(Axis.values()), "inputs", "The factor along x.", "inputs");
    static final Key<AxisScale> SCALE =
            with("scale", Type.Choice.of(AxisScale.values()), "log", "How numbers are laid out along x.", "log");
    static final Key<List<String>> METRICS = optional(
            "metrics",
            new Type.ListOf<>(RunKeys.TEXT),
            "all",
            "The metrics that are drawn, by their names in the table `metrics`.",
            "[frechet_classifier, accuracy]");
    static final Key<Integer> EXAMPLES =
            with("examples", new Type.Count(1, 100), "1", "Pictures for each cell, path or class.", "2");

    static final Key<String> TEST = optional(
            "test",
            RunKeys.TEXT,
            "what a seed neither trains on nor chooses by",
            "The folder whose images judge, `<test>/<class>/<image>`. No training sees them.",
            "data/fashion-mnist/test");
    static final Key<List<Integer>> SHOTS = with(
            "shots",
            new Type.ListOf<>(new Type.Count(1, MOST_SHOTS)),
            "[5, 10, 20, 50]",
            "Numbers of real images a class.",
            "[5, 20]");
    static final Key<Integer> SEEDS = with(
            "seeds",
            new Type.Count(1, 1000),
            "5",
            "How often each is repeated, with other real images and other first weights.",
            "5");
    static final Key<Integer> VALIDATION = with(
            "validation",
            new Type.Count(1, MOST_SHOTS),
            "5",
            "Images a class that choose among an arm's ways. No training sees them, and they do not judge.",
            "5");
    static final Key<Integer> TAIL = optional(
            "tail",
            new Type.Count(1, MOST_SHOTS),
            "all classes have as many",
            "The fewest real images of a class. Those of the other classes rise from it to `shots` in equal ratios. Made"
                    + " images then fill each class up, and each class is drawn equally often, whatever it is trained"
                    + " on.",
            "2");
    static final Key<List<Corruption>> CORRUPTIONS = optional(
            "corruptions",
            new Type.ListOf<>(Type.Choice.of(Corruption.values())),
            "none",
            "What spoils the test images, for a second accuracy:"
                    + " [common corruptions](https://arxiv.org/abs/1903.12261).",
            "[gaussian_noise, jpeg_compression]");
    static final Key<Integer> SEVERITY =
            with("severity", new Type.Count(1, 5), "3", "How much corruptions spoil.", "5");
    static final Key<List<Integer>> MULTIPLES = with(
            "multiples",
            new Type.ListOf<>(new Type.Count(1, 1000)),
            "5",
            "Made images for each real one: ways of an arm. With a long tail, a class gets what it lacks to so many times"
                    + " `shots`.",
            "[1, 5]");
    static final Key<List<Double>> SHARES = with(
            "shares",
            new Type.ListOf<>(new Type.Decimal(0.01, 1)),
            "[0.1, 0.3, 0.5, 0.7]",
            "Shares of a batch that are made images: ways of an arm.",
            "[0.3, 0.6]");
    static final Key<String> ARM =
            required("name", RunKeys.TEXT, "What the arm is called in the tables.", "mixtures of two");
    static final Key<ObjectNode> ARM_SETTINGS = optional(
            "settings",
            new Type.Mapping(),
            "the experiment's",
            "Other values by key paths of `run`.",
            "{generation.guidance: 4}");
    static final Key<List<Spelled<Method>>> MAKING_METHODS = with(
            "methods",
            new Type.ListOf<>(RunKeys.METHOD),
            "nin/chm",
            "The methods that make its images: ways of the arm.",
            "[sdedit(0.3), sdedit(0.6)]");
    static final Key<Boolean> TOGETHER = with(
            "together",
            new Type.Flag(),
            "false",
            "Whether the methods make one set of images, with equal shares, and are no ways of their own.",
            "true");
    static final Key<Spelled<InputCount>> MAKING_INPUTS = with(
            "inputs",
            RunKeys.INPUT_COUNT,
            "2..8",
            "Inputs of a mixture: at most the real images of a class, or half of them where a class mean is taken out.",
            "2..8");
    static final Key<Spelled<WeightSampler>> MAKING_WEIGHTS =
            with("weights", RunKeys.WEIGHT_SAMPLER, "dirichlet(1)", "The weights of inputs.", "dirichlet(1)");
    static final Entries ARMS = Entries.alike(
            "arms",
            "What images are made. Each seed takes the way of an arm that does best on the validation images.",
            ARM,
            ARM_SETTINGS,
            MAKING_METHODS,
            TOGETHER,
            MAKING_INPUTS,
            MAKING_WEIGHTS,
            RunKeys.ACROSS,
            RunKeys.INPUT_NEIGHBOURS,
            RunKeys.CONTEXTS,
            RunKeys.CONTEXT_SHARE,
            RunKeys.MIXTURE_GUIDANCE);
    static final Key<Integer> STEPS = with("steps", new Type.Count(1, MOST), "300", "Steps of a training.", "300");
    static final Key<Integer> BATCH = with("batch", new Type.Count(1, 10_000), "64", "Images of a step.", "64");
    static final Key<Double> LEARNING_RATE =
            with("learning_rate", new Type.Decimal(1e-9, 10), "0.002", "The largest learning rate.", "0.002");
    static final Key<Double> WEIGHT_DECAY =
            with("weight_decay", new Type.Decimal(0, 10), "0.05", "The weight decay.", "0.05");
    static final Key<Double> LABEL_SMOOTHING = with(
            "label_smoothing", new Type.Decimal(0, 0.99), "0.1", "The share of a label that all classes share.", "0.1");
    static final Key<Double> MIXUP = with(
            "mixup",
            new Type.Decimal(0, 100),
            "0",
            "The alpha of MixUp, which blends the images of a batch with each other; 0 for none.",
            "0.2");
    static final Key<Integer> IMAGE_SIZE =
            with("size", new Type.Count(8, 1024), "32", "Pixels of a side of the images that it sees.", "32");
    static final Key<String> FEATURES = optional(
            "features",
            RunKeys.TEXT,
            "a small network learns from nothing",
            "A folder or a built-in component with a classifier. Its features stay as they are, and a linear layer"
                    + " learns from them.",
            "\"builtin:emoji/classifier\"");
    static final Key<Integer> VIEWS = with(
            "views",
            new Type.Count(1, 1000),
            "8",
            "How many times `features` sees a real image: as it is, and augmented.",
            "8");
    static final Block CLASSIFIER = Block.of(
            "classifier",
            "How each training goes. All make as many steps.",
            IMAGE_SIZE,
            FEATURES,
            VIEWS,
            STEPS,
            BATCH,
            LEARNING_RATE,
            WEIGHT_DECAY,
            LABEL_SMOOTHING,
            MIXUP);

    static final Key<Integer> PATH_INPUTS = with(
            "inputs",
            new Type.Count(2, 100_000),
            "2",
            "Images of the centroid that a path leads to. With 2 it goes on to the other image.",
            "2");
    static final Key<List<Spelled<Method>>> PATH_METHODS = with(
            "methods",
            new Type.ListOf<>(RunKeys.METHOD),
            "[lin/0, fix/0, nin/0]",
            "Methods that take so many inputs.",
            "[lin/0, nin/chm]");
    static final Key<List<Spelled<Method>>> SHOWN = optional(
            "shown", new Type.ListOf<>(RunKeys.METHOD), "all", "The methods that pictures are made of.", "nin/chm");
    static final Key<Integer> POINTS =
            with("points", new Type.Count(2, 1000), "21", "Positions along a path, both ends included.", "21");
    static final Key<Recipe.Pool> POOL =
            with("pool", RunKeys.POOL_TYPE, "all", "The latents whose mean a `cmm` split takes.", "all");
    static final Key<List<Statistic>> STATISTICS = with(
            "statistics",
            new Type.ListOf<>(Type.Choice.of(Statistic.values())),
            "[norm, distance]",
            "What is drawn of the latents. The table has everything.",
            "[norm, low]");
    static final Key<Integer> PATHS = with("paths", new Type.Count(2, 100_000), "20", "Paths a class.", "20");
    static final Key<Integer> FRAMES = with(
            "frames",
            new Type.Count(0, 100),
            "0",
            "Positions that pictures are made at: none for 0, else at least 2.",
            "9");

    private static final Type<List<String>> GRID_METHODS = new Type.ListOf<>(new Type.Spelling<>(
            "method of the grid",
            "^(lin|fix|nin|lol|ess|coh)/(0|m|chm|lp|cmm)(@channel|@band)?$",
            MeanAdjusted.all().stream().map(MeanAdjusted::toString).toList(),
            text -> Spelled.parse(text, MeanAdjusted::parse).text()));
    static final Key<List<String>> BIAS_METHODS =
            with("methods", GRID_METHODS, "[fix/0, nin/chm]", "Methods of the grid.", "[fix/0, nin/chm]");
    private static final Type<List<Integer>> COUNTS = new Type.ListOf<>(new Type.Count(1, MOST));
    static final Key<List<Integer>> BIAS_INPUTS =
            with("inputs", COUNTS, "[1, 2, 4, 8, 16, 32]", "Two or more rising counts of images.", "[1, 4, 16]");
    static final Key<Integer> REPEATS =
            with("repeats", new Type.Count(2, 10_000), "20", "Orders of a class that are drawn.", "20");
    static final Key<List<Integer>> PERTURBED_INPUTS = with(
            "inputs", COUNTS, "[1, 4, 16]", "Two or more rising counts, at most half of the images.", "[1, 4, 16]");
    static final Key<Integer> IMAGES =
            with("images", new Type.Count(2, MOST), "64", "Images that the model makes for each class.", "64");
    static final Key<Double> PERTURBATION = with(
            "perturbation",
            new Type.Decimal(0, 255),
            "5",
            "The added noise's standard deviation, in levels of a byte.",
            "5");
    static final Key<List<Integer>> CHANNELS = with(
            "channels",
            new Type.ListOf<>(new Type.Count(0, 1023)),
            "[0, 1]",
            "The channel that is raised and the one that is lowered.",
            "[0, 1]");
    static final Key<List<Double>> OFFSETS = with(
            "offsets",
            new Type.ListOf<>(new Type.Decimal(-1000, 1000)),
            "[0, 0.1, 0.2, 0.4, 0.8]",
            "What is added, in standard deviations of noise.",
            "[0, 0.5, 1]");

    static final Entries EXPERIMENTS = new Entries(
            "experiments",
            "What is computed and shown, a list of experiments.",
            List.of(
                    kind(
                            "curves",
                            "Metrics of many images a cell against one factor. It needs `run.evaluation`.",
                            CLASSES,
                            FACTOR,
                            SETTINGS,
                            METHODS,
                            INPUTS,
                            WEIGHTS,
                            POOLS,
                            COUNT,
                            X,
                            SCALE,
                            METRICS),
                    kind(
                            "grid",
                            "Pictures, methods × numbers of inputs, of the classes that it names.",
                            CLASSES,
                            FACTOR,
                            SETTINGS,
                            METHODS,
                            INPUTS,
                            WEIGHTS,
                            POOLS,
                            EXAMPLES),
                    kind(
                            "downstream",
                            "How well a classifier does with few real images, alone or with images made of them."
                                    + " Its `settings` are other values by key paths of `run`.",
                            SETTINGS,
                            TEST,
                            VALIDATION,
                            SHOTS,
                            TAIL,
                            SEEDS,
                            CORRUPTIONS,
                            SEVERITY,
                            ARMS,
                            MULTIPLES,
                            SHARES,
                            CLASSIFIER),
                    kind(
                            "paths",
                            "Norms, bands and pictures along paths from an image to a centroid.",
                            CLASSES,
                            VALUES,
                            PATH_INPUTS,
                            PATH_METHODS,
                            SHOWN,
                            POINTS,
                            POOL,
                            STATISTICS,
                            PATHS,
                            FRAMES,
                            EXAMPLES),
                    kind(
                            "bias",
                            "How a bias that all inputs share grows with √N.",
                            CLASSES,
                            VALUES,
                            BIAS_METHODS,
                            BIAS_INPUTS,
                            REPEATS),
                    kind(
                            "perturbed",
                            "Images that the model made, perturbed a little and inverted again.",
                            CLASSES,
                            VALUES,
                            BIAS_METHODS,
                            PERTURBED_INPUTS,
                            IMAGES,
                            PERTURBATION,
                            REPEATS),
                    kind(
                            "offsets",
                            "A constant added to a part of the noise, or of the image's latent.",
                            CLASSES,
                            VALUES,
                            CHANNELS,
                            OFFSETS,
                            EXAMPLES)),
            KIND.name(),
            KINDS.get(0));

    /** A whole study. */
    public static final Block STUDY = Block.of("", "A study's configuration.", TITLE, ABOUT, RUN, EXPERIMENTS);

    private StudyKeys() {}

    private static Block kind(String word, String meaning, Field... fields) {
        return new Block(
                word,
                meaning,
                Optional.empty(),
                Stream.concat(Stream.of(KIND, NAME, HEADING, CAPTION), Stream.of(fields))
                        .toList());
    }
}
