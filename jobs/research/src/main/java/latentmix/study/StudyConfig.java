package latentmix.study;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.config.MixtureCount;
import latentmix.config.RunConfig;
import latentmix.config.Spelled;
import latentmix.latent.DiffMix;
import latentmix.latent.Gate;
import latentmix.latent.InputCount;
import latentmix.latent.Method;
import latentmix.latent.Recipe;
import latentmix.latent.WeightSampler;
import latentmix.training.ClassifierTraining;
import latentmix.training.Corruption;

/**
 * What a study does, as its YAML file says it: one base run configuration and experiments that vary it.
 * {@link StudyFile} reads it.
 *
 * @param title the report's heading
 * @param about what is shown and where it comes from, in a few sentences
 * @param base the run configuration that experiments begin with; it has no mixing entries
 * @param experiments their names differ
 */
public record StudyConfig(String title, String about, RunConfig base, List<Experiment> experiments) {
    public StudyConfig {
        experiments = List.copyOf(experiments);
    }

    /** What is computed and shown under one heading of the report. */
    public sealed interface Experiment permits Grid, Curves, Downstream, LatentExperiment {
        Heading heading();

        /** What the pipeline runs for it: nothing where an experiment uses the model on its own. */
        default List<Setting> settings() {
            return List.of();
        }
    }

    /**
     * What an experiment is called.
     *
     * @param name letters, digits, - and _: the beginning of its files' names
     * @param title its heading in the report
     * @param about what is varied and what to look at
     */
    public record Heading(String name, String title, String about) {}

    /**
     * Pictures: methods down, input counts across, in chosen classes.
     *
     * @param examples pictures a cell
     */
    public record Grid(Heading heading, Cells cells, List<String> classes, int examples) implements Experiment {
        public Grid {
            classes = List.copyOf(classes);
        }

        @Override
        public List<Setting> settings() {
            return cells.settings();
        }
    }

    /**
     * Metrics of many images a cell against one factor, a curve for each combination of the others.
     *
     * @param axis the factor that goes along x
     * @param scale of x
     * @param metrics those that are drawn, by their names in the metrics table; empty for all
     * @param classes folders whose images are made; empty for all
     */
    public record Curves(
            Heading heading, Cells cells, Axis axis, AxisScale scale, List<String> metrics, List<String> classes)
            implements Experiment {
        public Curves {
            metrics = List.copyOf(metrics);
            classes = List.copyOf(classes);
        }

        @Override
        public List<Setting> settings() {
            return cells.settings();
        }
    }

    /**
     * How well a classifier does that sees a few real images a class, alone or with images made of them.
     *
     * @param run how images are made; its input is where the few real ones are drawn from; it has no mixing entries
     * @param test the folder whose images, {@code <test>/<class>/<image>}, judge; no training sees them. Null where the
     *     images judge that a seed neither trains on nor chooses by.
     * @param validation images a class that choose an arm's way; no training sees them
     * @param shots numbers of real images a class
     * @param tail the fewest real images of any class, where they fall from the shots to it; 0 where all classes have
     *     as many
     * @param corruptions under which the test images are seen, too
     * @param severity of these, from 1 to 5
     * @param seeds how often each is repeated, with other real images and other first weights
     * @param arms what images are made; each is tuned among its ways
     * @param multiples made images for each real one; with a long tail, images of each class for each of its largest
     *     number of real ones, which are counted
     * @param shares shares of a batch that are made images
     */
    public record Downstream(
            Heading heading,
            RunConfig run,
            String test,
            int validation,
            List<Integer> shots,
            int tail,
            List<Corruption> corruptions,
            int severity,
            int seeds,
            List<Arm> arms,
            List<Integer> multiples,
            List<Double> shares,
            Classifier classifier)
            implements Experiment {
        public Downstream {
            shots = List.copyOf(shots);
            corruptions = List.copyOf(corruptions);
            arms = List.copyOf(arms);
            multiples = List.copyOf(multiples);
            shares = List.copyOf(shares);
        }

        /** The largest number of shots. */
        int mostShots() {
            return shots.stream().reduce(0, Math::max);
        }

        /** The most made images for each real one. */
        int mostMade() {
            return multiples.stream().reduce(0, Math::max);
        }

        /** The images that a class has at least, of so many shots. */
        int least(int most) {
            return tail == 0 ? most : tail;
        }

        /** How many mixtures of a set a class gets: so many for each real one, or what is missing to them. */
        MixtureCount made(int most) {
            int images = mostMade() * most;
            return tail == 0 ? new MixtureCount.Fixed(images) : new MixtureCount.To(images);
        }
    }

    /**
     * Images that are made in one of several ways, of which the validation images choose one in each seed.
     *
     * @param run how they are made; its filter, where there is one, says which are trained on
     * @param methods that make them
     * @param together whether the methods make one set of images, equal shares each, and are no ways of their own
     * @param inputs of a mixture: at most all real images of a class, or half of them where a class mean is taken out
     * @param drawn what else of a mixture is drawn, and how
     */
    public record Arm(
            String name, RunConfig run, List<String> methods, boolean together, InputCount inputs, Drawing drawn) {
        public Arm {
            methods = List.copyOf(methods);
        }

        /** What a mixture draws beside its inputs, as {@link RunConfig.Mixing} has it. */
        public record Drawing(
                String weights,
                RunConfig.Across across,
                int neighbours,
                List<String> contexts,
                double contextShare,
                List<Double> guidance) {
            public Drawing {
                contexts = List.copyOf(contexts);
                guidance = List.copyOf(guidance);
            }
        }

        /** The methods of each set of images. */
        List<List<String>> sets() {
            return together ? List.of(methods) : methods.stream().map(List::of).toList();
        }

        /** What a set of images is called. */
        static String set(List<String> methods) {
            return String.join(" & ", methods);
        }

        /** How many inputs mixtures of so many real images have. */
        InputCount inputs(String method, int shots) {
            int room = Method.parse(method).needsClassMean() ? Math.max(1, shots / 2) : shots;
            int most = Math.min(inputs.most(), room);
            return new InputCount(Math.min(inputs.least(), most), most);
        }

        /**
         * The entry of a run that makes a method's images.
         *
         * @param experiment the name that the entry's name begins with
         * @param shots real images of the class that has the fewest
         * @throws IllegalArgumentException if the method takes neither these inputs nor a count of its own
         */
        RunConfig.Mixing entry(String experiment, String method, int shots, MixtureCount count) {
            InputCount taken = drawn.across() == RunConfig.Across.CLASSES ? inputs : inputs(method, shots);
            Cells cells = new Cells("", List.of(), List.of(method), List.of(taken.toString()), List.of(), List.of(), 1);
            return new RunConfig.Mixing(
                    Cells.entry(experiment + "--" + name, method, drawn.weights(), "all"),
                    List.of(Spelled.parse(method, Method::parse)),
                    cells.inputs(method).stream()
                            .map(inputs -> Spelled.parse(inputs, InputCount::parse))
                            .toList(),
                    Spelled.parse(drawn.weights(), WeightSampler::parse),
                    Recipe.Pool.parse("all"),
                    Gate.OFF,
                    drawn.across(),
                    drawn.neighbours(),
                    drawn.contexts(),
                    drawn.contextShare(),
                    drawn.guidance(),
                    count,
                    false);
        }
    }

    /**
     * How each training goes; all make as many steps.
     *
     * @param size pixels of a side of the images that are seen
     * @param features a component folder with a classifier: a linear layer learns from its features, which stay as they
     *     are. Null for a small network that learns from nothing.
     * @param views how many times a real image is encoded, once as it is and then augmented
     */
    public record Classifier(int size, String features, int views, ClassifierTraining.Settings training)
            implements Serializable {}

    /** The factors of an experiment. */
    public enum Axis {
        METHOD,
        INPUTS,
        WEIGHTS,
        POOL,
        /** The run settings, which {@link Cells#factor} names. */
        SETTING,
        CLASS
    }

    /** How numbers are laid out along an axis. */
    public enum AxisScale {
        LINEAR,
        /** Equal steps for equal ratios. */
        LOG,
        /** At √x. */
        SQRT
    }

    /**
     * A full grid of cells: every setting × method × input count × weights × pool, {@code count} mixtures each and
     * class.
     *
     * @param factor what differs between the settings, such as {@code guidance}; empty where there is one setting
     */
    public record Cells(
            String factor,
            List<Setting> settings,
            List<String> methods,
            List<String> inputs,
            List<String> weights,
            List<String> pools,
            int count) {
        public Cells {
            settings = List.copyOf(settings);
            methods = List.copyOf(methods);
            inputs = List.copyOf(inputs);
            weights = List.copyOf(weights);
            pools = List.copyOf(pools);
        }

        /**
         * What a run mixes for these cells, an entry for each method, weights and pool, so that a method added later
         * leaves the others' rows alone. A method that takes none of the input counts has the one it takes.
         *
         * @param experiment the name that the entries' names begin with
         * @throws IllegalArgumentException if a method takes no input count that is known here
         */
        public List<RunConfig.Mixing> entries(String experiment) {
            List<RunConfig.Mixing> entries = new ArrayList<>();
            for (String method : methods) {
                if (Method.parse(method) instanceof DiffMix) {
                    throw new IllegalArgumentException("expected methods of one class in a study, got " + method
                            + ", whose images are of another class; make them by ./latentmix run");
                }
                for (String sampler : weights) {
                    for (String pool : pools) {
                        entries.add(new RunConfig.Mixing(
                                entry(experiment, method, sampler, pool),
                                List.of(Spelled.parse(method, Method::parse)),
                                inputs(method).stream()
                                        .map(count -> Spelled.parse(count, InputCount::parse))
                                        .toList(),
                                Spelled.parse(sampler, WeightSampler::parse),
                                Recipe.Pool.parse(pool),
                                Gate.OFF,
                                count,
                                false));
                    }
                }
            }
            return entries;
        }

        /** The name of an entry. */
        public static String entry(String experiment, String method, String weights, String pool) {
            return Stream.of(experiment, method, weights, pool)
                    .map(part -> part.replaceAll("[^A-Za-z0-9_]+", "-").replaceAll("^-|-$", ""))
                    .collect(Collectors.joining("--"));
        }

        /** The input counts that a method has: those given that it takes, else the one that it takes. */
        public List<String> inputs(String method) {
            Method parsed = Method.parse(method);
            List<String> taken = inputs.stream()
                    .filter(count -> parsed.inputError(InputCount.parse(count)).isEmpty())
                    .toList();
            return taken.isEmpty() ? List.of(own(parsed)) : taken;
        }

        /** Whether a method has an input count of its own, so that it is the same whatever counts are given. */
        public boolean hasOwnInputs(String method) {
            return !inputs.containsAll(inputs(method));
        }

        private static String own(Method method) {
            return IntStream.rangeClosed(0, 2)
                    .mapToObj(Integer::toString)
                    .filter(count -> method.inputError(InputCount.parse(count)).isEmpty())
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("Method " + method
                            + " takes none of the input counts; give it some that it takes, or take it away"));
        }
    }

    /**
     * One value of the run settings that an experiment varies.
     *
     * @param label such as {@code 7.5}
     * @param run the base configuration with this value and the experiment's mixing entries, named by
     *     {@link Cells#entry}
     * @param entries what these names begin with: the experiment's name, with the label where mixing itself differs
     */
    public record Setting(String label, RunConfig run, String entries) {}
}
