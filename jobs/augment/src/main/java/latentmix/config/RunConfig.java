package latentmix.config;

import com.fasterxml.jackson.databind.JsonNode;
import java.text.Normalizer;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointSpec;
import latentmix.inversion.InversionMethod;
import latentmix.latent.DiffMix;
import latentmix.latent.Gate;
import latentmix.latent.InputCount;
import latentmix.latent.Method;
import latentmix.latent.MixturePrompt;
import latentmix.latent.Recipe;
import latentmix.latent.RecipeSampler;
import latentmix.latent.WeightSampler;
import latentmix.metric.Threshold;
import latentmix.model.Dtype;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;
import latentmix.schedule.Solver;
import latentmix.schedule.Step;

/**
 * What a run does, as its YAML file and the command line say it; every value is in range. {@link ConfigFile} reads it.
 *
 * @param adapt empty where classes are told their names alone
 * @param mixing at least one entry; their names differ
 * @param filter empty where every image that is made enters the dataset
 * @param evaluation null where nothing is to be measured
 * @param leakage empty where nobody asks how near images come to real ones; there is one with a filter
 */
public record RunConfig(
        Input input,
        Model model,
        Prompt prompt,
        Optional<Adapt> adapt,
        Inversion inversion,
        List<Mixing> mixing,
        Generation generation,
        Optional<Filter> filter,
        Export export,
        Evaluation evaluation,
        Optional<Leakage> leakage,
        Run run) {
    /** What leaves a choice to the checkpoint or the machine. */
    static final String AUTO = "auto";

    /** A class's name as names are compared: an accent and its letter are one character (NFC). */
    public static String composed(String name) {
        return Normalizer.normalize(name, Normalizer.Form.NFC);
    }

    /** What becomes of an image that lies in several classes. */
    public enum Conflicts {
        /** It is an image of each. */
        KEEP,
        /** It is refused in all of them. */
        REFUSE;

        /** As configurations spell it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** The kind of device that networks run on. */
    public enum Device {
        /** The GPU that Spark gives a task, else the CPU. */
        AUTO,
        CPU,
        GPU;

        /** As configurations and settings spell it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** How the images of an input lie. */
    public enum Format {
        /** What lies at the root says so. */
        AUTO,
        FOLDERS,
        PARQUET,
        WEBDATASET,
        MANIFEST;

        /** As configurations spell it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** What a dataset's files are. */
    public enum DatasetFormat {
        PARQUET,
        WEBDATASET,
        /** A folder a class. */
        IMAGES;

        /** As configurations spell it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** What an image is inverted with. */
    public enum PromptFrom {
        /** Its class's prompt. */
        CLASS,
        /** Its own caption; its class's prompt where it has none. */
        CAPTION;

        /** As configurations spell it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Of which classes a mixture's inputs are. */
    public enum Across {
        /** Of its own class alone. */
        NONE,
        /** The heaviest of its own class, each other one of another class. */
        CLASSES;

        /** As configurations and settings spell it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** What a folder a class does with images whose label is soft. */
    public enum SoftLabels {
        /** There must be none. */
        REFUSE,
        /** They lie in the folder of their own class, which has the largest share. */
        HEAVIEST,
        /** They are not in the folders. */
        LEAVE_OUT;

        /** As configurations spell it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    static final String NONE = "none";

    public RunConfig {
        mixing = List.copyOf(mixing);
    }

    /** The same with other mixing entries. */
    public RunConfig withMixing(List<Mixing> entries) {
        return new RunConfig(
                input, model, prompt, adapt, inversion, entries, generation, filter, export, evaluation, leakage, run);
    }

    /** The same of one class alone, without a filter and measurements. */
    public RunConfig of(String classId) {
        return new RunConfig(
                input.of(classId),
                model,
                prompt,
                adapt,
                inversion,
                mixing,
                generation,
                Optional.empty(),
                export,
                null,
                Optional.empty(),
                run);
    }

    /** Whether the dataset has images of several classes. */
    public boolean hasSoftLabels() {
        return mixing.stream().anyMatch(entry -> entry.export() && entry.isSoft());
    }

    /** The same with other images. */
    public RunConfig withInput(Input other) {
        return new RunConfig(
                other, model, prompt, adapt, inversion, mixing, generation, filter, export, evaluation, leakage, run);
    }

    /**
     * What computes the sampling table, from the level where the inversion ends.
     *
     * @throws IllegalArgumentException if the solver or the inversion does not suit the checkpoint's process
     */
    public Scheduler sampler(JsonNode schedulerConfig) {
        List<Step> inverted = Scheduler.of(
                        schedulerConfig, inversionMethod(schedulerConfig).solver())
                .inversion(inversion.steps());
        return generation
                .scheduler(schedulerConfig)
                .startingAt(inverted.get(inverted.size() - 1).timestep());
    }

    /**
     * Where the images are: {@code <root>/<class>/<image>}, or files that hold or name many.
     *
     * @param root a folder of any file system that Hadoop reads, or a built-in sample's name
     * @param classes a TSV with columns index, folder, name; null for the folders' own names
     * @param maxPixels images with more are rejected unread
     * @param folders the classes that are used; empty for all
     * @param limit of images a class, those with the least ids; null for all
     * @param conflicts what becomes of images that lie in several classes
     * @param format how the images lie there
     * @param columns the names of the columns image, label and caption, where they are not the usual ones
     */
    public record Input(
            String root,
            String classes,
            long maxPixels,
            List<String> folders,
            Integer limit,
            Conflicts conflicts,
            Format format,
            Map<String, String> columns) {
        public Input {
            folders = List.copyOf(folders);
            columns = Map.copyOf(columns);
        }

        /** The same images of one class alone. */
        Input of(String classId) {
            return new Input(root, classes, maxPixels, List.of(classId), limit, conflicts, format, columns);
        }

        /** All that lies at a root, in whatever format. */
        public static Input at(String root) {
            return new Input(root, null, Integer.MAX_VALUE, List.of(), null, Conflicts.REFUSE, Format.AUTO, Map.of());
        }

        /** Images in folders. */
        public Input(
                String root, String classes, long maxPixels, List<String> folders, Integer limit, Conflicts conflicts) {
            this(root, classes, maxPixels, folders, limit, conflicts, Format.FOLDERS, Map.of());
        }
    }

    /**
     * What computes.
     *
     * @param checkpoint where it lies, and what is taken otherwise than it is published
     * @param dtype the number format of networks
     * @param batch rows of a micro-batch, the unit of arithmetic
     * @param threads CPU threads of a task
     * @param size pixels of a side; null for the model's own
     */
    public record Model(CheckpointSpec checkpoint, Dtype dtype, int batch, int threads, Device device, Integer size) {}

    /**
     * What the network is told.
     *
     * @param template with {@code {class}} where the class's name goes, and {@code {index}} where its number goes
     * @param classes whole prompts by folder, for classes that need their own
     * @param negative the prompt of the unconditional branch
     * @param from what an image is inverted with
     * @param mixture what a mixture is generated with
     */
    public record Prompt(
            String template, Map<String, String> classes, String negative, PromptFrom from, MixturePrompt mixture) {
        public Prompt {
            classes = Map.copyOf(classes);
        }

        /** Prompts of classes alone. */
        public Prompt(String template, Map<String, String> classes, String negative) {
            this(template, classes, negative, PromptFrom.CLASS, MixturePrompt.CLASS);
        }
    }

    /**
     * The way from an image's latent to noise.
     *
     * @param method such as {@code fixed-point(5)}, null-text with the guidance that samples later; empty for the
     *     process' own: ddim, or euler of a flow
     * @param dtype of the inversion alone; empty for the model's
     * @param guidance 1 runs the conditional branch alone
     * @param forwardFirst how many of the first steps are the forward process
     */
    public record Inversion(
            Optional<Spelled<InversionMethod>> method,
            Optional<Dtype> dtype,
            int steps,
            double guidance,
            int forwardFirst) {}

    /**
     * The inversion as far as the file says it. What the checkpoint decides is taken for ddim: either keeps and needs
     * nothing but the noise.
     */
    public InversionMethod inversionMethod() {
        return inversion.method().map(Spelled::value).orElseGet(InversionMethod.Ddim::new);
    }

    /**
     * The inversion on a checkpoint's process.
     *
     * @throws IllegalArgumentException if the process cannot be read
     */
    public InversionMethod inversionMethod(JsonNode schedulerConfig) {
        return inversion
                .method()
                .map(Spelled::value)
                .orElseGet(() -> InversionMethod.of(Scheduler.of(schedulerConfig)));
    }

    /** The number format of the inversion's network. */
    public Dtype inversionDtype() {
        return inversion.dtype().orElse(model.dtype());
    }

    /**
     * The number format of the networks while something is learnt: float16 loses small gradients, and a LoRA begins as
     * a small change that bfloat16 rounds away.
     */
    public Dtype adaptDtype() {
        boolean wide = adapt.stream().anyMatch(asked -> asked.method().learnsLora());
        return wide || model.dtype() == Dtype.FLOAT16 ? Dtype.FLOAT32 : model.dtype();
    }

    /** How something is learnt of a class. */
    public enum AdaptMethod {
        /** Vectors of a token that stands in the class's prompt. */
        TEXTUAL_INVERSION,
        /** Low-rank changes of the network's attention layers. */
        LORA,
        /** Both, at once. */
        BOTH;

        public boolean learnsToken() {
            return this != LORA;
        }

        public boolean learnsLora() {
            return this != TEXTUAL_INVERSION;
        }

        /** As configurations and settings spell it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** What has an adapter of its own. */
    public enum AdaptScope {
        /** Each class, whose adapter sees no image of another. */
        CLASS,
        /** All classes together: one LoRA, and a token of each class where tokens are learnt. */
        DATASET;

        /** Those of these that share an adapter, in their order. */
        public <T> List<List<T>> parts(List<T> classes) {
            return this == CLASS
                    ? classes.stream().map(List::of).toList()
                    : classes.isEmpty() ? List.of() : List.of(List.copyOf(classes));
        }
    }

    /**
     * What is learnt of classes from their images.
     *
     * @param vectors of the token; empty for as many as the class's name has tokens
     * @param batch images of a step
     * @param minSnr γ of min-SNR weighting; 0 without
     * @param flip whether mirror images are seen, too
     * @param learningRate of the token's vectors
     * @param lora how a LoRA is learnt; empty where none is
     */
    public record Adapt(
            AdaptMethod method,
            AdaptScope scope,
            Optional<Integer> vectors,
            int steps,
            double learningRate,
            int batch,
            double minSnr,
            boolean flip,
            Optional<AdaptLora> lora) {}

    /**
     * How a LoRA is learnt.
     *
     * @param alpha its product weighs alpha / rank
     * @param promptDropout the share of images that are shown without words
     */
    public record AdaptLora(int rank, double alpha, double learningRate, double promptDropout) {}

    /**
     * A grid of mixtures: every method with every input count, in every class.
     *
     * @param methods such as {@code nin/chm}, {@code slerp} or {@code tint(0.3)}
     * @param inputs counts such as {@code 8}, or ranges such as {@code 2..8}
     * @param weights such as {@code equal}, {@code dirichlet(1)}, {@code ess(4)}, {@code fixed(0.5,0.5)}
     * @param pool whose mean a cmm split takes
     * @param gate what happens to mixtures that are predicted to degenerate
     * @param across of which classes the inputs are
     * @param neighbours how many of the images nearest to the first input the others are drawn from; 0 for all
     * @param contexts of the class's prompt, of which a mixture draws one; none for the prompt alone
     * @param contextShare the share of the sampling steps that are told the context, the first ones
     * @param guidance scales, of which a mixture draws one; none for that of generation
     * @param count how many a class has
     * @param export whether these enter the dataset
     */
    public record Mixing(
            String name,
            List<Spelled<Method>> methods,
            List<Spelled<InputCount>> inputs,
            Spelled<WeightSampler> weights,
            Recipe.Pool pool,
            Gate gate,
            Across across,
            int neighbours,
            List<String> contexts,
            double contextShare,
            List<Double> guidance,
            MixtureCount count,
            boolean export) {
        public Mixing {
            contexts = List.copyOf(contexts);
            guidance = List.copyOf(guidance);
            methods = List.copyOf(methods);
            inputs = List.copyOf(inputs);
        }

        /** Whether the mixtures' labels are soft: of several classes. */
        public boolean isSoft() {
            return across == Across.CLASSES || methods.stream().anyMatch(method -> method.value() instanceof DiffMix);
        }

        /** Mixtures within classes that draw inputs and weights alone, of the same count in every class. */
        public Mixing(
                String name,
                List<Spelled<Method>> methods,
                List<Spelled<InputCount>> inputs,
                Spelled<WeightSampler> weights,
                Recipe.Pool pool,
                Gate gate,
                int count,
                boolean export) {
            this(
                    name,
                    methods,
                    inputs,
                    weights,
                    pool,
                    gate,
                    Across.NONE,
                    0,
                    List.of(),
                    1,
                    List.of(),
                    new MixtureCount.Fixed(count),
                    export);
        }

        /** What draws the recipes: one for each method and input count. */
        public List<RecipeSampler> samplers() {
            return methods.stream()
                    .flatMap(method -> inputs.stream()
                            .map(count -> new RecipeSampler(method.value(), count.value(), weights.value(), pool)))
                    .toList();
        }
    }

    /**
     * The way from noise to an image.
     *
     * @param guidance 1 runs the conditional branch alone
     * @param guidanceInterval the least and the most noisy timestep that is guided; empty for all
     * @param solver empty for the process' own: ddim, or euler of a flow
     */
    public record Generation(int steps, double guidance, List<Double> guidanceInterval, Optional<Solver> solver) {
        public Generation {
            guidanceInterval = List.copyOf(guidanceInterval);
        }

        /**
         * The sampler, wherever it starts.
         *
         * @throws IllegalArgumentException if the solver does not suit the checkpoint's process
         */
        public Scheduler scheduler(JsonNode schedulerConfig) {
            return solver.map(chosen -> Scheduler.of(schedulerConfig, chosen))
                    .orElseGet(() -> Scheduler.of(schedulerConfig));
        }

        /** Guidance over the timesteps from 0 to T, or a part of them. */
        public Guidance guidance(int trainTimesteps) {
            return guidanceInterval.isEmpty()
                    ? new Guidance(guidance, 0, trainTimesteps)
                    : new Guidance(guidance, guidanceInterval.get(0), guidanceInterval.get(1));
        }
    }

    /** In which network's features images are compared; the evaluation names the networks. */
    public enum Features {
        CLASSIFIER,
        CLIP,
        INCEPTION;

        /** As configurations spell it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** How an image is taken for a class. */
    public enum ClassBy {
        /** The class whose real images' mean is nearest. */
        MEAN,
        /** The classes of the nearest real images. */
        NEIGHBOURS,
        /** What the classifier says. */
        CLASSIFIER;

        /** As configurations spell it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * What judges the images made; there is one judge at least.
     *
     * @param tries how many times the count may be made to get as many images that are kept
     * @param ofClass drops what is not taken for its own class
     * @param copy drops what is too near a source image
     * @param twin drops what is too near an image made before
     * @param text drops what CLIP finds unlike the class's prompt
     * @param blank drops what has other pixels than real images
     */
    public record Filter(
            int tries,
            Optional<ClassJudge> ofClass,
            Optional<NearJudge> copy,
            Optional<NearJudge> twin,
            Optional<Threshold> text,
            Optional<BlankJudge> blank) {
        /** The networks that judges look by. */
        public Set<Features> networks() {
            Set<Features> networks = EnumSet.noneOf(Features.class);
            ofClass.ifPresent(judge -> networks.add(judge.features()));
            copy.flatMap(NearJudge::features).ifPresent(networks::add);
            twin.flatMap(NearJudge::features).ifPresent(networks::add);
            text.ifPresent(judge -> networks.add(Features.CLIP));
            return networks;
        }
    }

    /**
     * Whether an image is taken for its own class.
     *
     * @param neighbours k of the nearest real images
     * @param threshold of the score, below which an image is dropped
     */
    public record ClassJudge(ClassBy by, Features features, int neighbours, Threshold threshold) {}

    /**
     * Whether an image is too near another one.
     *
     * @param hash bits of dHash up to which it is
     * @param features empty where it is dHash alone that tells
     * @param distance the cosine distance of features up to which it is
     */
    public record NearJudge(Threshold hash, Optional<Features> features, Threshold distance) {}

    /** The scores of pixels below which, and by a quantile also above which, an image is dropped. */
    public record BlankJudge(Threshold entropy, Threshold saturation, Threshold sharpness) {}

    /**
     * What the dataset is written as.
     *
     * @param format of the images
     * @param formats of the dataset, each of which holds all images
     * @param shardMb megabytes (10⁶ bytes) of a Parquet or tar file, about
     * @param real whether the source images are in it, too
     * @param mark whether each made image says that it is one
     * @param license of the dataset, as its card says it
     * @param softLabels what a folder a class does with images of several classes
     */
    public record Export(
            String format,
            List<DatasetFormat> formats,
            int shardMb,
            boolean real,
            boolean mark,
            String license,
            SoftLabels softLabels) {
        public Export {
            formats = List.copyOf(formats);
        }
    }

    /**
     * What is measured of the images made, and against which real ones.
     *
     * @param reference a folder of classes; null for the input itself
     * @param classifier a folder with a classifier, auto for the built-in model's own, or none
     * @param clip a folder with CLIP's vision model, or null
     * @param inception the standard Inception, or null
     * @param sample the largest number of images that are compared pair by pair
     * @param neighbours k of precision, recall, density and coverage
     * @param batch images that a network sees at a time
     */
    public record Evaluation(
            String reference,
            String classifier,
            String clip,
            Inception inception,
            int sample,
            int neighbours,
            int batch) {
        /** The classifier's folder, or null. */
        public String classifier(String checkpoint) {
            if (classifier.equals(NONE)) {
                return null;
            }
            return classifier.equals(AUTO) ? BuiltIn.classifier(checkpoint).orElse(null) : classifier;
        }
    }

    /**
     * How near images come to real ones.
     *
     * @param test folders of images that are kept for tests
     * @param hash bits of 64 of dHash up to which two images are near-duplicates
     */
    public record Leakage(List<String> test, int hash) {
        public Leakage {
            test = List.copyOf(test);
        }
    }

    /**
     * The file {@code inception-2015-12-05.pt}.
     *
     * @param file its path, or its location in another file system such as s3a
     * @param sha256 64 hex digits: another file is not opened
     */
    public record Inception(String file, String sha256) {}

    /**
     * How the work is divided and judged.
     *
     * @param chunk rows of a task and of a file, whole micro-batches
     * @param maxRejected the share of rejected rows above which a run has failed
     */
    public record Run(long seed, int chunk, double maxRejected) {}
}
