package latentmix.config;

import java.util.List;
import java.util.Map;
import latentmix.inversion.InversionMethod;
import latentmix.latent.InputCount;
import latentmix.latent.Method;
import latentmix.latent.Recipe;
import latentmix.latent.RecipeSampler;
import latentmix.latent.WeightSampler;

/**
 * What a run does, as its YAML file and the command line say it; every value is in range. {@link ConfigFile} reads it.
 *
 * @param mixing at least one entry; their names differ
 */
public record RunConfig(
        Input input,
        Model model,
        Prompt prompt,
        Inversion inversion,
        List<MixingEntry> mixing,
        Generation generation,
        Export export,
        Run run) {
    public RunConfig {
        mixing = List.copyOf(mixing);
    }

    /**
     * Where the images are: {@code <root>/<class>/<image>}.
     *
     * @param root a folder of any file system that Hadoop reads, or a built-in sample's name
     * @param classes a TSV with columns index, folder, name; null for the folders' own names
     * @param maxPixels images with more are rejected unread
     */
    public record Input(String root, String classes, long maxPixels) {}

    /**
     * What computes.
     *
     * @param checkpoint a folder in diffusers layout, or the built-in model's name
     * @param dtype float32, bfloat16 or float16
     * @param batch rows of a micro-batch, the unit of arithmetic
     * @param threads CPU threads of a task
     * @param device auto, cpu or gpu
     * @param size pixels of a side; null for the model's own
     */
    public record Model(String checkpoint, String dtype, int batch, int threads, String device, Integer size) {}

    /**
     * What the network is told.
     *
     * @param template with {@code {class}} where the class's name goes
     * @param classes whole prompts by folder, for classes that need their own
     * @param negative the prompt of the unconditional branch
     */
    public record Prompt(String template, Map<String, String> classes, String negative) {
        public Prompt {
            classes = Map.copyOf(classes);
        }
    }

    /**
     * The way from an image's latent to noise.
     *
     * @param method such as {@code ddim} or {@code fixed-point(5)}
     * @param dtype of the inversion alone; null for the model's
     * @param guidance 1 runs the conditional branch alone
     */
    public record Inversion(String method, String dtype, int steps, double guidance) {}

    /** The inversion as it will run: null-text is told the guidance that samples later. */
    public InversionMethod inversionMethod() {
        return InversionMethod.parse(inversion.method(), generation.guidance());
    }

    /** The number format of the inversion's network. */
    public String inversionDtype() {
        return inversion.dtype() == null ? model.dtype() : inversion.dtype();
    }

    /**
     * A grid of mixtures: every method with every input count, {@code count} times in every class.
     *
     * @param methods such as {@code nin/chm}
     * @param inputs counts such as {@code 8}, or ranges such as {@code 2..8}
     * @param weights such as {@code equal}, {@code dirichlet(1)}, {@code ess(4)}, {@code fixed(0.5,0.5)}
     * @param pool {@code all} or {@code leave-inputs-out}: whose mean a cmm split takes
     * @param count mixtures per method, input count and class
     * @param export whether these enter the dataset
     */
    public record MixingEntry(
            String name,
            List<String> methods,
            List<String> inputs,
            String weights,
            String pool,
            int count,
            boolean export) {
        public MixingEntry {
            methods = List.copyOf(methods);
            inputs = List.copyOf(inputs);
        }

        /** What draws the recipes: one for each method and input count. */
        public List<RecipeSampler> samplers() {
            return methods.stream()
                    .flatMap(method -> inputs.stream()
                            .map(count -> new RecipeSampler(
                                    Method.parse(method),
                                    InputCount.parse(count),
                                    WeightSampler.parse(weights),
                                    Recipe.Pool.parse(pool))))
                    .toList();
        }
    }

    /**
     * The way from noise to an image.
     *
     * @param guidance 1 runs the conditional branch alone
     */
    public record Generation(int steps, double guidance) {}

    /**
     * What the dataset is written as.
     *
     * @param format of the ImageFolder tree's files
     */
    public record Export(String format) {}

    /**
     * How the work is divided and judged.
     *
     * @param chunk rows of a task and of a file, whole micro-batches
     * @param maxRejected the share of rejected rows above which a run has failed
     */
    public record Run(long seed, int chunk, double maxRejected) {}
}
