package latentmix.config;

import static latentmix.config.Key.optional;
import static latentmix.config.Key.required;
import static latentmix.config.Key.with;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.Key.Absence;
import latentmix.inversion.InversionMethod;
import latentmix.latent.Blend;
import latentmix.latent.Gate;
import latentmix.latent.InputCount;
import latentmix.latent.MeanAdjusted;
import latentmix.latent.Method;
import latentmix.latent.MixturePrompt;
import latentmix.latent.Recipe;
import latentmix.latent.WeightSampler;
import latentmix.metric.Threshold;
import latentmix.model.Dtype;
import latentmix.schedule.Solver;

/** The keys of a run's configuration, each declared once. */
public final class RunKeys {
    private static final int MOST = 1_000_000;
    private static final String NUMBER = "[0-9.eE+-]+";
    private static final String ARGUMENTS = "(\\([^()]*\\))";

    public static final Type<String> TEXT = new Type.Text();

    public static final Type<String> LOCATION = new Type.Spelling<>(
            "location",
            "^(?!builtin:)(?![A-Za-z][A-Za-z0-9+.-]*://[^/]*@).+$|^(" + String.join("|", BuiltIn.locations())
                    + ")(/.*)?$",
            BuiltIn.locations(),
            RunKeys::location);

    public static final Type<String> NAME = new Type.Spelling<>("name", "^[A-Za-z0-9_-]+$", List.of(), RunKeys::name);

    public static final Type<Spelled<Method>> METHOD = new Type.Spelling<>(
            "method",
            "^((lin|fix|nin|lol|ess|coh)/(0|m|chm|lp|cmm)(@channel|@band)?|slerp|spherical-mean|nao|(cog|fill)"
                    + ARGUMENTS + "?|arc|adain|(tint|sdedit)\\(" + NUMBER + "\\)"
                    + "|diff-mix" + ARGUMENTS + "|prompt)$",
            Stream.<Method>concat(MeanAdjusted.all().stream(), Blend.all().stream())
                    .map(Method::toString)
                    .toList(),
            text -> Spelled.parse(text, Method::parse));

    public static final Type<Spelled<InputCount>> INPUT_COUNT = new Type.Spelling<>(
            "count or range",
            "^\\s*\\d{1,9}(\\.\\.\\d{1,9})?\\s*$",
            List.of(),
            text -> Spelled.parse(text, InputCount::parse));

    public static final Type<Spelled<WeightSampler>> WEIGHT_SAMPLER = new Type.Spelling<>(
            "weights",
            "^\\s*(equal|(dirichlet|ess|path)\\(\\s*" + NUMBER + "\\s*\\)|fixed" + ARGUMENTS + ")\\s*$",
            List.of("equal", "dirichlet(1)", "ess(4)", "path(0.5)", "fixed(0.5,0.5)"),
            text -> Spelled.parse(text, WeightSampler::parse));

    public static final Type<Recipe.Pool> POOL_TYPE = Type.Choice.of(Recipe.Pool.values());

    private static final Type<Gate> GATE_TYPE = new Type.Spelling<>(
            "gate",
            "^\\s*(off|(refuse|redraw)" + ARGUMENTS + "?)\\s*$",
            List.of("off", "refuse", "refuse(4)", "redraw", "redraw(4)", "redraw(4, tries=8)"),
            Gate::parse);

    private static final Type<Optional<String>> INVERSION_TYPE = new Type.Spelling<>(
            "inversion",
            "^\\s*(auto|ddim|negative-prompt|bdia|euler|euler-at-target|midpoint|fireflow"
                    + "|(fixed-point|null-text|renoise)" + ARGUMENTS + ")\\s*$",
            Stream.concat(Stream.of(RunConfig.AUTO), InversionMethod.SPELLINGS.stream())
                    .toList(),
            RunKeys::inversion);

    private static final Type<Dtype> DTYPE_TYPE = Type.Choice.of(Dtype.FLOAT32, Dtype.BFLOAT16, Dtype.FLOAT16);

    public static final Key<String> ROOT = required(
            "root",
            LOCATION,
            "The images, `<root>/<class>/<image>`. A folder, an `s3a://` location or `builtin:fashion-mnist-sample`."
                    + " Or files that hold or name many images; see [Images](images.md).",
            "/data/birds");
    public static final Key<String> CLASSES = optional(
            "classes",
            LOCATION,
            "the folders' own names",
            "The class list: a TSV file with the columns `index`, `folder` and `name`.",
            "/data/birds.tsv");
    public static final Key<Long> MAX_PIXELS = with(
            "max_pixels",
            new Type.Whole(1, Integer.MAX_VALUE),
            "100000000",
            "Images with more pixels are rejected before they are decoded.",
            "50000000");
    public static final Key<List<String>> FOLDERS = optional(
            "folders", new Type.ListOf<>(TEXT), "all", "The classes that are used, by their folders.", "[wren, robin]");
    public static final Key<Integer> LIMIT = optional(
            "limit",
            new Type.Count(1, MOST),
            "all",
            "How many images a class has at most. Those with the least ids are taken.",
            "512");
    public static final Key<RunConfig.Conflicts> CONFLICTS = with(
            "conflicts",
            Type.Choice.of(RunConfig.Conflicts.values()),
            "refuse",
            "What becomes of an image whose bytes lie in several classes. `refuse` refuses it in all of them.",
            "keep");
    public static final Key<RunConfig.Format> INPUT_FORMAT = with(
            "format",
            Type.Choice.of(RunConfig.Format.values()),
            "auto",
            "How the images lie at the root; see [Images](images.md). `auto` goes by what lies there.",
            "parquet");
    public static final Key<Map<String, String>> COLUMNS = optional(
            "columns",
            new Type.TextByName(),
            "the usual names",
            "The columns or keys `image` (in a manifest the path), `label` and `caption`, where they have other names.",
            "{image: photo, label: species}");
    public static final Block INPUT = Block.of(
            "input",
            "The images to begin with.",
            ROOT,
            INPUT_FORMAT,
            COLUMNS,
            CLASSES,
            MAX_PIXELS,
            FOLDERS,
            LIMIT,
            CONFLICTS);

    static final Key<String> CHECKPOINT = required(
            "checkpoint",
            LOCATION,
            "A folder in diffusers layout with safetensors weights, at the same path on every machine or on S3."
                    + " Or one safetensors file of Stable Diffusion 1, 2 or XL in its original layout."
                    + " Or a repository of the Hugging Face hub, `org/name` or `hf://org/name@revision`."
                    + " Or a built-in model such as `builtin:fashion`.",
            "/models/stable-diffusion-v1-5");
    static final Key<ObjectNode> SCHEDULER = optional(
            "scheduler",
            new Type.Mapping(),
            "the checkpoint's own",
            "Values that take the place of those in the checkpoint's `scheduler_config.json`.",
            "{prediction_type: epsilon}");
    static final Key<String> VAE = optional(
            "vae",
            LOCATION,
            "the checkpoint's own",
            "Another autoencoder: the folder or the safetensors file of one, or a checkpoint that has one, wherever a"
                    + " checkpoint may lie.",
            "stabilityai/sd-vae-ft-mse");
    static final Key<String> VARIANT = optional(
            "variant",
            new Type.Spelling<>("name", "^[A-Za-z0-9_]+$", List.of(), RunKeys::variant),
            "the first there is of plain, `fp16` and `bf16`",
            "Which weight files are read, by the word before `.safetensors`. A component that has none of them is read"
                    + " as ever. `ema` is the moving average in a checkpoint of one file.",
            "fp16");
    static final Key<Boolean> TEXT_ENCODER_3 = optional(
            "text_encoder_3",
            new Type.Null<>(true),
            "what the checkpoint has",
            "`null` runs Stable Diffusion 3 without T5.",
            "null");
    static final Key<String> ADDED_FILE = required(
            "file", LOCATION, "A safetensors file, wherever a checkpoint may lie.", "/models/watercolour.safetensors");
    static final Key<Double> SCALE = with(
            "scale",
            new Type.Decimal(-100, 100),
            "1",
            "What its products are multiplied by, beside alpha over the rank, which the file says.",
            "0.7");
    static final Entries LORAS = Entries.alike(
            "loras",
            "LoRAs that are merged into the weights: a list of entries; without it, none."
                    + " See [LoRA](checkpoints.md#lora).",
            ADDED_FILE,
            SCALE);
    static final Key<String> TOKEN = required(
            "token",
            new Type.Spelling<>("token", "^\\S+$", List.of(), RunKeys::token),
            "What prompts and class names call it: a text without spaces that the vocabulary does not have.",
            "<greenhouse>");
    static final Entries EMBEDDINGS = Entries.alike(
            "embeddings",
            "Tokens that textual inversion made, which prompts and class names may have: a list of entries; without"
                    + " it, none. See [textual inversion](checkpoints.md#textual-inversion).",
            ADDED_FILE,
            TOKEN);
    /** The model as far as it is a checkpoint. */
    static final Block PARTS =
            Block.of("model", "What computes.", CHECKPOINT, SCHEDULER, VAE, VARIANT, TEXT_ENCODER_3, LORAS, EMBEDDINGS);

    static final Key<Dtype> DTYPE = with(
            "dtype", DTYPE_TYPE, "float32", "The number format of the networks. `float16` needs a GPU.", "bfloat16");
    static final Key<Integer> BATCH = with(
            "batch",
            new Type.Count(1, MOST),
            "32",
            "Rows of a micro-batch: images that a network sees at once. It is part of what decides the bytes.",
            "8");
    static final Key<Integer> THREADS = with(
            "threads",
            new Type.Count(1, 1024),
            "1",
            "CPU threads of a task. They are part of what decides the bytes.",
            "1");
    static final Key<RunConfig.Device> DEVICE = with(
            "device",
            Type.Choice.of(RunConfig.Device.values()),
            "auto",
            "Where networks run. `auto` is the GPU that Spark gives a task, else the CPU.",
            "auto");
    static final Key<Integer> SIZE = optional(
            "size",
            new Type.Count(8, 8192),
            "the model's own",
            "Pixels of a side, of what goes in and what comes out.",
            "512");
    static final Block MODEL = PARTS.and(DTYPE, BATCH, THREADS, DEVICE, SIZE);

    public static final Key<String> TEMPLATE = with(
            "template",
            TEXT,
            "a photo of a {class}",
            "The prompt. The class's name takes the place of `{class}`, and its number in `input.classes` that of"
                    + " `{index}`.",
            "a photo of a {class}, a bird");
    public static final Key<Map<String, String>> PROMPTS = optional(
            "classes",
            new Type.TextByName(),
            "the template in every class",
            "Whole prompts by folder, for classes that need their own.",
            "{crane: \"a photo of a crane, a bird\"}");
    public static final Key<String> NEGATIVE =
            with("negative", TEXT, "\"\"", "The prompt of the unconditional branch.", "blurry");
    static final Key<RunConfig.PromptFrom> FROM = with(
            "from",
            Type.Choice.of(RunConfig.PromptFrom.values()),
            "class",
            "What an image is inverted with: its class's prompt, or its own [caption](images.md#captions).",
            "caption");
    static final Key<MixturePrompt> MIXTURE_PROMPT = with(
            "mixture",
            Type.Choice.of(MixturePrompt.values()),
            "class",
            "What a mixture is generated with: its class's prompt, the caption of its heaviest input, or the mix of what"
                    + " its inputs were inverted with. The last two need `from: caption`; `mix` also goes with"
                    + " `mixing.across: classes`.",
            "class");
    /** Prompts of classes alone. */
    public static final Block CLASS_PROMPT =
            Block.of("prompt", "What the network is told.", TEMPLATE, PROMPTS, NEGATIVE);

    public static final Block PROMPT = CLASS_PROMPT.and(FROM, MIXTURE_PROMPT);

    static final Key<RunConfig.AdaptMethod> ADAPT_METHOD = with(
            "method",
            Type.Choice.of(RunConfig.AdaptMethod.values()),
            "textual-inversion",
            "What is learnt: the vectors of a token, a LoRA, or both. The token takes the place of the class's name in its"
                    + " prompt. A LoRA is a low-rank change of the network's attention layers.",
            "both");
    static final Key<RunConfig.AdaptScope> ADAPT_SCOPE = with(
            "scope",
            Type.Choice.of(RunConfig.AdaptScope.values()),
            "class",
            "What has a LoRA of its own: each class, or the dataset. A LoRA of the dataset is learnt from the images of"
                    + " all classes, each told its own prompt. For `lora` and `both`.",
            "dataset");
    static final Key<Integer> ADAPT_VECTORS = optional(
            "vectors",
            new Type.Count(1, 32),
            "as many as the class's name has tokens",
            "Vectors of a token. They begin as those of the class's name, again from the first where they are more.",
            "4");
    static final Key<Integer> ADAPT_STEPS = with(
            "steps",
            new Type.Count(1, 100_000),
            "500",
            "Steps of Adam: in each class, or in all where the scope is the dataset.",
            "2000");
    static final Key<Double> ADAPT_RATE = with(
            "learning_rate",
            new Type.Above(0, 10),
            "0.001",
            "Adam's learning rate of the token. CLIP's vectors have entries of about 0.01, other encoders perhaps larger"
                    + " ones.",
            "0.0005");
    static final Key<Integer> ADAPT_RANK = with(
            "rank",
            new Type.Count(1, 512),
            "4",
            "The rank r of a LoRA: a layer's change is B A, of r columns and r rows. For `lora` and `both`.",
            "16");
    static final Key<Double> ADAPT_ALPHA = optional(
            "alpha",
            new Type.Above(0, 100_000),
            "the rank",
            "The change is weighed by alpha / rank. For `lora` and `both`.",
            "8");
    static final Key<Double> ADAPT_LORA_RATE = with(
            "lora_learning_rate",
            new Type.Above(0, 10),
            "0.0001",
            "Adam's learning rate of a LoRA. For `lora` and `both`.",
            "0.0005");
    static final Key<Double> ADAPT_PROMPT_DROPOUT = with(
            "prompt_dropout",
            new Type.Decimal(0, 1),
            "0",
            "The share of images that are shown without words, so that a LoRA learns them for the unconditional branch,"
                    + " too. For `lora` and `both`.",
            "0.1");
    static final Key<Integer> ADAPT_BATCH = with(
            "batch",
            new Type.Count(1, MOST),
            "4",
            "Images of a step, each with a level of noise of its own. A device without memory for them takes them in"
                    + " parts.",
            "8");
    static final Key<Double> ADAPT_MIN_SNR = with(
            "min_snr",
            new Type.Decimal(0, 1000),
            "0",
            "γ of [min-SNR weighting](https://arxiv.org/abs/2303.09556), by which steps of little noise count less; 0"
                    + " is no weighting. Not for a rectified flow.",
            "5");
    static final Key<Boolean> ADAPT_FLIP =
            with("flip", new Type.Flag(), "false", "Whether mirror images are seen, too, one in two.", "true");
    static final Block ADAPT = Block.optional(
            "adapt",
            "classes are told their names alone",
            "What is learnt of each class from its own images before they are inverted; `adapt: {}` takes the defaults."
                    + " See [Adapting](adapting.md).",
            ADAPT_METHOD,
            ADAPT_SCOPE,
            ADAPT_VECTORS,
            ADAPT_STEPS,
            ADAPT_RATE,
            ADAPT_BATCH,
            ADAPT_MIN_SNR,
            ADAPT_FLIP,
            ADAPT_RANK,
            ADAPT_ALPHA,
            ADAPT_LORA_RATE,
            ADAPT_PROMPT_DROPOUT);

    private static final Type<Integer> STEPS_TYPE = new Type.Count(1, 1000);
    private static final Type<Double> GUIDANCE_TYPE = new Type.Decimal(0, 1000);

    static final Key<Optional<String>> INVERSION_METHOD = with(
            "method",
            INVERSION_TYPE,
            "auto",
            "How images are inverted; see [the list](concepts.md#inversions). `auto` is DDIM, or Euler for a flow.",
            "fixed-point(5)");
    static final Key<Dtype> INVERSION_DTYPE = optional(
            "dtype",
            DTYPE_TYPE,
            "`model.dtype`",
            "The number format of the inversion alone. `float32` is more exact than `bfloat16`, and slower.",
            "float32");
    static final Key<Integer> INVERSION_STEPS =
            with("steps", STEPS_TYPE, "50", "Steps from an image's latent to its noise.", "50");
    static final Key<Double> INVERSION_GUIDANCE = with(
            "guidance",
            GUIDANCE_TYPE,
            "1",
            "The guidance scale of the inversion. At 1 the conditional branch runs alone, as in the paper's main run.",
            "1");
    static final Key<Integer> FORWARD_FIRST = with(
            "forward_first",
            new Type.Count(0, 999),
            "0",
            "How many of the first steps are the forward process, with noise of the image's own seed, in place of the"
                    + " inversion; see [forward first](concepts.md#forward-first).",
            "3");
    static final Block INVERSION = Block.of(
            "inversion",
            "The way from an image to noise.",
            INVERSION_METHOD,
            INVERSION_DTYPE,
            INVERSION_STEPS,
            INVERSION_GUIDANCE,
            FORWARD_FIRST);

    static final Key<String> ENTRY =
            optional("name", NAME, "`mixing-` and its position", "The entry's name, unlike the others'.", "dataset");
    static final Key<List<Spelled<Method>>> METHODS = with(
            "methods",
            new Type.ListOf<>(METHOD),
            "nin/chm",
            "How mixtures are made: one method of [the list](concepts.md#the-grid-of-methods) or several."
                    + " The key may also be written `method`.",
            "[nin/chm, fix/cmm]");
    static final Key<List<Spelled<InputCount>>> INPUTS = with(
            "inputs",
            new Type.ListOf<>(INPUT_COUNT),
            "8",
            "Images of a mixture: a count, a range such as `2..8`, or several of these.",
            "[2..8, 32]");
    static final Key<Spelled<WeightSampler>> WEIGHTS = with(
            "weights",
            WEIGHT_SAMPLER,
            "dirichlet(1)",
            "The weights of a mixture's inputs: `equal`, `dirichlet(α)`, `ess(n)`, `path(s)` or `fixed(w1,w2,…)`;"
                    + " see [what they mean](concepts.md#inputs-and-weights).",
            "dirichlet(1)");
    static final Key<Recipe.Pool> POOL = with(
            "pool",
            POOL_TYPE,
            "all",
            "The latents whose mean a `cmm` split takes: those of the class, or those that are no inputs.",
            "leave-inputs-out");
    static final Key<Gate> GATE = with(
            "gate",
            GATE_TYPE,
            "\"off\"",
            "What happens to mixtures that are predicted to degenerate; see [the gate](concepts.md#the-gate).",
            "redraw(4, tries=8)");
    public static final Key<RunConfig.Across> ACROSS = with(
            "across",
            Type.Choice.of(RunConfig.Across.values()),
            "none",
            "Of which classes a mixture's inputs are: of its own alone, or with `classes` the heaviest of its own and each"
                    + " other one of another class. The label is then soft; see [across"
                    + " classes](concepts.md#across-classes).",
            "none");
    public static final Key<Integer> INPUT_NEIGHBOURS = optional(
            "neighbours",
            new Type.Count(1, MOST),
            "all images of the class",
            "How many of the images nearest to a mixture's first input the others are drawn from; see"
                    + " [neighbours](concepts.md#neighbours).",
            "32");
    public static final Key<List<String>> CONTEXTS = optional(
            "contexts",
            new Type.ListOf<>(TEXT),
            "the class's prompt alone",
            "Words after the class's prompt, of which each mixture draws one. Where they have `{prompt}`, the class's"
                    + " prompt takes its place; see [contexts](concepts.md#contexts).",
            "[in a forest, \"a watercolour, {prompt}\"]");
    public static final Key<Double> CONTEXT_SHARE = with(
            "context_share",
            new Type.Above(0, 1),
            "1",
            "The share of the sampling steps that are told the context, the first ones. The rest are told the class's"
                    + " prompt.",
            "0.3");
    public static final Key<List<Double>> MIXTURE_GUIDANCE = optional(
            "guidance",
            new Type.ListOf<>(GUIDANCE_TYPE),
            "`generation.guidance`",
            "Guidance scales, of which each mixture draws one.",
            "[2, 4, 7.5]");
    static final Key<MixtureCount> COUNT = with(
            "count",
            new Type.Mixtures(),
            "10",
            "Mixtures for each method, each count of inputs and each class. Or what makes classes level;"
                    + " see [how many](concepts.md#how-many).",
            "balance");
    static final Key<Boolean> EXPORT_ENTRY =
            with("export", new Type.Flag(), "true", "Whether the images enter the dataset.", "true");
    static final Entries MIXING = Entries.alike(
            "mixing",
            "What is mixed: a list of entries. Every method of an entry goes with every count of inputs.",
            ENTRY,
            METHODS,
            INPUTS,
            WEIGHTS,
            POOL,
            GATE,
            ACROSS,
            INPUT_NEIGHBOURS,
            CONTEXTS,
            CONTEXT_SHARE,
            MIXTURE_GUIDANCE,
            COUNT,
            EXPORT_ENTRY);

    static final Key<Integer> STEPS = with("steps", STEPS_TYPE, "50", "Steps from noise to an image.", "50");
    static final Key<Double> GUIDANCE = with(
            "guidance",
            GUIDANCE_TYPE,
            "7.5",
            "The guidance scale. At 1 the conditional branch runs alone, at half the cost.",
            "7.5");
    static final Key<List<Double>> GUIDANCE_INTERVAL = optional(
            "guidance_interval",
            new Type.Interval(),
            "all",
            "The least and the most noisy timestep that is guided. The others cost one evaluation, not two.",
            "[200, 700]");
    static final Key<Optional<Solver>> SOLVER = with(
            "solver",
            new Type.Choice<>(solvers(
                    Solver.DDIM,
                    Solver.DPM_SOLVER_2M,
                    Solver.DPM_SOLVER_3M,
                    Solver.EULER,
                    Solver.MIDPOINT,
                    Solver.FIREFLOW)),
            "auto",
            "How the model's equation is solved; see [solvers](concepts.md#solvers). `auto` is the checkpoint's own.",
            "dpm-solver++(2m)");
    static final Block GENERATION =
            Block.of("generation", "The way from noise to an image.", STEPS, GUIDANCE, GUIDANCE_INTERVAL, SOLVER);

    private static final Type<Threshold> THRESHOLD_TYPE =
            new Type.Spelling<>("threshold", Threshold.PATTERN, Threshold.SPELLINGS, Threshold::parse);
    private static final Type<RunConfig.Features> FEATURES_TYPE = Type.Choice.of(RunConfig.Features.values());

    static final Key<Integer> TRIES = with(
            "tries",
            new Type.Count(1, 1000),
            "3",
            "How many times a class's count may be made, to have as many images that are kept. At 1 nothing that is"
                    + " dropped is replaced.",
            "5");
    static final Key<RunConfig.ClassBy> CLASS_BY = with(
            "by",
            Type.Choice.of(RunConfig.ClassBy.values()),
            "mean",
            "By what an image is taken for a class: the nearest `mean` of real images' features, the nearest real"
                    + " images (`neighbours`), or what the evaluation's `classifier` says.",
            "neighbours");
    static final Key<RunConfig.Features> CLASS_FEATURES = with(
            "features",
            FEATURES_TYPE,
            "classifier",
            "In which network's features. The evaluation names the networks.",
            "clip");
    static final Key<Integer> CLASS_NEIGHBOURS = with(
            "neighbours", new Type.Count(1, 1000), "5", "How many of the nearest real images, by `neighbours`.", "5");
    static final Key<Threshold> CLASS_THRESHOLD = optional(
            "threshold",
            THRESHOLD_TYPE,
            "0, or 0.5 by neighbours",
            "Images with a lower score are dropped. The score is by how much the own class is the nearer or the likelier"
                    + " one; by `neighbours` it is the own class's share of them. A quantile is of the class's real"
                    + " images.",
            "quantile(0.05)");
    static final Block CLASS_JUDGE = Block.optional(
            "class",
            "no such judge",
            "Drops images that are not taken for their own class. It needs two classes.",
            CLASS_BY,
            CLASS_FEATURES,
            CLASS_NEIGHBOURS,
            CLASS_THRESHOLD);

    static final Key<Threshold> HASH = with(
            "hash",
            THRESHOLD_TYPE,
            "quantile(0.01)",
            "Bits of 64 of the dHash that may differ. A quantile is of how far each real image of the class is from the"
                    + " next.",
            "2");
    static final Key<RunConfig.Features> NEAR_FEATURES = optional(
            "features",
            FEATURES_TYPE,
            "no network: the dHash tells",
            "In which network's features images are near, too. The evaluation names the networks.",
            "clip");
    static final Key<Threshold> DISTANCE = with(
            "distance",
            THRESHOLD_TYPE,
            "quantile(0.01)",
            "The cosine distance of features up to which images are near. A quantile is of how far each real image of"
                    + " the class is from the next.",
            "0.02");
    static final Block COPY = Block.optional(
            "copy",
            "no such judge",
            "Drops images that are near a real image of their class, such as one of their inputs.",
            HASH,
            NEAR_FEATURES,
            DISTANCE);
    static final Block TWIN =
            COPY.named("twin", "Drops images that are near one of their class that was made before them and is kept.");

    static final Key<Threshold> TEXT_THRESHOLD = with(
            "threshold",
            THRESHOLD_TYPE,
            "quantile(0.1)",
            "Images with a lower score are dropped. The score is the cosine of image and prompt in CLIP. A quantile is"
                    + " of the class's first images made, as many as are asked for.",
            "0.2");
    static final Block TEXT_JUDGE = Block.optional(
            "text",
            "no such judge",
            "Drops images that CLIP finds unlike their class's prompt. It needs an `evaluation.clip` with both of"
                    + " CLIP's models.",
            TEXT_THRESHOLD);

    static final Key<Threshold> ENTROPY = with(
            "entropy",
            THRESHOLD_TYPE,
            "quantile(0.01)",
            "The least entropy of the grey levels, in bits. By a quantile of the class's real images there is also a"
                    + " most, as far from the other end.",
            "1.5");
    static final Key<Threshold> SATURATION = with(
            "saturation",
            THRESHOLD_TYPE,
            "quantile(0.01)",
            "The same of the mean saturation, 0 to 1. A range by quantiles is widened by 0.1: no decoder makes exact"
                    + " greys.",
            "\"off\"");
    static final Key<Threshold> SHARPNESS =
            with("sharpness", THRESHOLD_TYPE, "quantile(0.01)", "The same of the variance of the Laplacian.", "20");
    static final Block BLANK = Block.optional(
            "blank",
            "no such judge",
            "Drops images whose pixels are unlike real ones: blank, noisy or blurred.",
            ENTROPY,
            SATURATION,
            SHARPNESS);
    static final Block FILTER = Block.optional(
            "filter",
            "every image made is kept",
            "What judges the images made, one judge a key; `copy: {}` takes a judge with its defaults. Dropped images"
                    + " are replaced. See [Filters](filter.md).",
            TRIES,
            CLASS_JUDGE,
            COPY,
            TWIN,
            TEXT_JUDGE,
            BLANK);

    static final Key<String> FORMAT =
            with("format", Type.Choice.of("png"), "png", "The format of the exported images.", "png");
    static final Key<List<RunConfig.DatasetFormat>> FORMATS = with(
            "formats",
            new Type.ListOf<>(Type.Choice.of(RunConfig.DatasetFormat.values())),
            "[parquet, images]",
            "What the dataset's files are: one format or several, each with all images; see [the dataset](dataset.md).",
            "[parquet, webdataset]");
    static final Key<Integer> SHARD_MB = with(
            "shard_mb",
            new Type.Count(1, 100_000),
            "256",
            "Megabytes of a Parquet or tar file, about. A file holds whole chunks.",
            "512");
    static final Key<Boolean> REAL = with(
            "real",
            new Type.Flag(),
            "false",
            "Whether the source images enter the dataset, too: squared, with `real` in the column `split`.",
            "true");
    static final Key<Boolean> MARK = with(
            "mark",
            new Type.Flag(),
            "true",
            "Whether each image says in an XMP packet that a model made it. Pixels stay as they are.",
            "false");
    static final Key<String> LICENSE = with(
            "license",
            new Type.Spelling<>("license", "^[A-Za-z0-9.-]+$", List.of(), RunKeys::license),
            "unknown",
            "The dataset's licence, as its card says it: a word of [this"
                    + " list](https://huggingface.co/docs/hub/repositories-licenses).",
            "cc-by-4.0");
    static final Key<RunConfig.SoftLabels> SOFT_LABELS = with(
            "soft_labels",
            Type.Choice.of(RunConfig.SoftLabels.values()),
            "refuse",
            "What the format `images` does with images of several classes, for which it has no label. `heaviest` puts each"
                    + " into the folder of its own class, which has the largest share. `leave-out` puts them into none.",
            "heaviest");
    static final Block EXPORT = Block.of(
            "export", "What the dataset is written as.", FORMAT, FORMATS, SHARD_MB, REAL, MARK, LICENSE, SOFT_LABELS);

    static final Key<String> FILE = required(
            "file",
            LOCATION,
            "The file `inception-2015-12-05.pt`, on a disk or on S3.",
            "/models/inception-2015-12-05.pt");
    static final Key<String> SHA256 = required(
            "sha256",
            new Type.Spelling<>("SHA-256", "^[0-9A-Fa-f]{64}$", List.of(), RunKeys::sha256),
            "Its SHA-256. The file is a program, and no other one is run.",
            "\"" + "0f".repeat(32) + "\"");
    static final Block INCEPTION = Block.optional(
            "inception", "no FID", "The standard Inception network. It adds FID and KID proper.", FILE, SHA256);

    static final Key<String> REFERENCE = optional(
            "reference",
            LOCATION,
            "the input itself",
            "Real images of every class to compare with, in folders or otherwise, as an input may be.",
            "/data/birds-held-out");
    static final Key<String> CLASSIFIER = with(
            "classifier",
            LOCATION,
            RunConfig.AUTO,
            "A folder with a classifier, or `none`. `auto` is the built-in one beside a built-in model, else none.",
            "none");
    static final Key<String> CLIP = optional(
            "clip",
            LOCATION,
            "no such metrics",
            "A folder with CLIP's vision model. It adds CMMD and CLIP distance.",
            "/models/clip-vit-large-patch14-336");
    static final Key<Integer> SAMPLE = with(
            "sample", new Type.Count(2, 20_000), "2000", "The most images that are compared pair by pair.", "2000");
    static final Key<Integer> NEIGHBOURS = with(
            "neighbours",
            new Type.Count(1, 1000),
            "5",
            "The nearest neighbours that precision, recall, density and coverage look at.",
            "5");
    static final Key<Integer> EVALUATION_BATCH =
            with("batch", new Type.Count(1, MOST), "64", "Images that a network sees at once.", "64");
    static final Block EVALUATION = Block.optional(
            "evaluation",
            "nothing is measured",
            "What is measured of the images. `evaluation: {}` takes all defaults. See [Evaluation](evaluation.md).",
            REFERENCE,
            CLASSIFIER,
            CLIP,
            INCEPTION,
            SAMPLE,
            NEIGHBOURS,
            EVALUATION_BATCH);

    static final Key<List<String>> TEST = optional(
            "test",
            new Type.ListOf<>(LOCATION),
            "`evaluation.reference`, where there is one",
            "Images kept for tests or validation, of which there should be none in the dataset. One folder or several,"
                    + " laid out as an input may be.",
            "[/data/birds/test, /data/birds/val]");
    static final Key<Integer> LEAKAGE_HASH = with(
            "hash",
            new Type.Count(0, 64),
            "2",
            "Bits of 64 of the dHash up to which two images count as near-duplicates.",
            "4");
    static final Block LEAKAGE = Block.optional(
            "leakage",
            "with a filter its defaults, else nothing is compared",
            "How near the images come to real ones, those of tests included. `leakage: {}` takes all defaults. See"
                    + " [Leakage](evaluation.md#leakage).",
            TEST,
            LEAKAGE_HASH);

    public static final Key<Long> SEED = with(
            "seed",
            new Type.Whole(Long.MIN_VALUE, Long.MAX_VALUE),
            "0",
            "What inputs, weights and fresh noise are drawn from.",
            "0");
    static final Key<Integer> CHUNK = with(
            "chunk",
            new Type.Count(1, MOST),
            "64",
            "Rows of a task and of a file: the unit of work and of resuming. A multiple of `model.batch`.",
            "64");
    static final Key<Double> MAX_REJECTED = with(
            "max_rejected",
            new Type.Decimal(0, 1),
            "0.05",
            "The share of rejected rows above which a run has failed (exit code 3).",
            "0.01");
    static final Block WORK = Block.of("run", "How the work is divided and judged.", SEED, CHUNK, MAX_REJECTED);

    /** A whole run. */
    public static final Block RUN = Block.of(
            "",
            "A run's configuration.",
            INPUT,
            MODEL,
            PROMPT,
            ADAPT,
            INVERSION,
            MIXING,
            GENERATION,
            FILTER,
            EXPORT,
            EVALUATION,
            LEAKAGE,
            WORK);

    /** A run without mixing, filter and leakage: what a study begins with. */
    public static final Block RUN_WITHOUT_MIXING =
            RUN.without(MIXING).without(FILTER).without(LEAKAGE);

    /** The default of a section's key, as a file would say it. Empty where the key has none. */
    public static Optional<String> byDefault(String section, String key) {
        return RUN.fields().stream()
                .filter(field -> field.name().equals(section))
                .flatMap(field -> field instanceof Block block ? block.fields().stream() : Stream.empty())
                .filter(field -> field.name().equals(key))
                .flatMap(field -> field instanceof Key<?> found && found.absence() instanceof Absence.Default absence
                        ? Stream.of(absence.yaml())
                        : Stream.empty())
                .findFirst();
    }

    /** Other spellings of keys, by the spelling. */
    public static final Map<String, Key<?>> ALIASES = Map.of("method", METHODS);

    private RunKeys() {}

    private static Map<String, Optional<Solver>> solvers(Solver... solvers) {
        Map<String, Optional<Solver>> words = new LinkedHashMap<>();
        words.put(RunConfig.AUTO, Optional.empty());
        for (Solver solver : solvers) {
            words.put(solver.toString(), Optional.of(solver));
        }
        return words;
    }

    private static Optional<String> inversion(String spelling) {
        if (spelling.equals(RunConfig.AUTO)) {
            return Optional.empty();
        }
        InversionMethod.parse(spelling, 1);
        return Optional.of(spelling);
    }

    private static String location(String location) {
        ConfigFile.requireNoCredentials(location);
        if (!BuiltIn.resolvable(location)) {
            throw new IllegalArgumentException("expected a path or one of " + String.join(", ", BuiltIn.locations())
                    + ", got " + location + "; check the spelling");
        }
        return location;
    }

    private static String name(String name) {
        if (!name.matches("[A-Za-z0-9_-]+")) {
            throw new IllegalArgumentException("expected letters, digits, - and _, got " + name + "; rename it");
        }
        return name;
    }

    private static String license(String name) {
        if (!name.matches("[A-Za-z0-9.-]+")) {
            throw new IllegalArgumentException("expected a licence's short name such as cc-by-4.0, got " + name
                    + "; see https://huggingface.co/docs/hub/repositories-licenses");
        }
        return name;
    }

    private static String token(String text) {
        if (!text.matches("\\S+")) {
            throw new IllegalArgumentException(
                    "expected a token without spaces, got \"" + text + "\"; write one such as <greenhouse>");
        }
        return text;
    }

    private static String variant(String name) {
        if (!name.matches("[A-Za-z0-9_]+")) {
            throw new IllegalArgumentException("expected the word before .safetensors in the names of weight files,"
                    + " such as fp16, got " + name + "; correct it");
        }
        return name;
    }

    private static String sha256(String digits) {
        String lower = digits.toLowerCase(Locale.ROOT);
        if (!lower.matches("[0-9a-f]{64}")) {
            throw new IllegalArgumentException("expected the file's SHA-256, 64 hex digits: a TorchScript file is a"
                    + " program, and no other one is run, got " + digits + "; take it from where the file is"
                    + " published, and compare it with sha256sum");
        }
        return lower;
    }
}
