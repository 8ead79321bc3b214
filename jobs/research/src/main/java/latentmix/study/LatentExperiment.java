package latentmix.study;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import latentmix.config.Key;
import latentmix.config.RunConfig;
import latentmix.config.RunConfig.Mixing;
import latentmix.config.Section;
import latentmix.config.Spelled;
import latentmix.latent.Gate;
import latentmix.latent.InputCount;
import latentmix.latent.Method;
import latentmix.latent.Recipe;
import latentmix.latent.WeightSampler;
import latentmix.study.StudyConfig.Cells;
import latentmix.study.StudyConfig.Experiment;
import latentmix.study.StudyConfig.Heading;
import latentmix.study.StudyConfig.Setting;

/**
 * An experiment that looks at the latents themselves, where {@code grid} and {@code curves} look at the images made of
 * them.
 */
public sealed interface LatentExperiment extends Experiment {
    Spelled<WeightSampler> EQUAL = Spelled.parse("equal", WeightSampler::parse);

    private static Spelled<InputCount> exactly(int inputs) {
        return Spelled.parse(Integer.toString(inputs), InputCount::parse);
    }

    private static Setting setting(Heading heading, RunConfig run, List<Mixing> entries) {
        return new Setting("", run.withMixing(entries), heading.name());
    }

    /**
     * Norms, distances and frequencies along straight paths from an input to the centroid of N inputs; with two inputs
     * on to the other one.
     *
     * @param run the base configuration on the classes that are looked at
     * @param methods that take so many inputs
     * @param shown those of them that pictures are made of
     * @param inputs N
     * @param points positions along a path that are looked at, both ends included
     * @param pool whose mean a cmm split takes
     * @param statistics that are drawn; the table has all
     * @param paths a class
     * @param frames positions that pictures are made at; 0 for none
     * @param examples paths of a class that pictures are made of
     */
    record Paths(
            Heading heading,
            RunConfig run,
            List<String> methods,
            List<String> shown,
            int inputs,
            int points,
            Recipe.Pool pool,
            List<Statistic> statistics,
            int paths,
            int frames,
            int examples)
            implements LatentExperiment {
        public Paths {
            methods = List.copyOf(methods);
            statistics = List.copyOf(statistics);
            shown = List.copyOf(shown);
        }

        @Override
        public List<Setting> settings() {
            return List.of(setting(
                    heading,
                    run,
                    positions(frames).stream()
                            .map(position -> new Mixing(
                                    entry(position),
                                    shown.stream()
                                            .map(method -> Spelled.parse(method, Method::parse))
                                            .toList(),
                                    List.of(exactly(inputs)),
                                    new Spelled<>(weights(position), new WeightSampler.Path(position)),
                                    pool,
                                    Gate.OFF,
                                    examples,
                                    false))
                            .toList()));
        }

        /** s of so many positions, from the input to the path's end. */
        public List<Double> positions(int count) {
            double end = inputs == 2 ? 2 : 1;
            List<Double> positions = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                positions.add(end * i / (count - 1));
            }
            return positions;
        }

        /** The name of the entry at a position. */
        public String entry(double position) {
            return Cells.entry(heading.name(), "path", weights(position), pool.toString());
        }

        private static String weights(double position) {
            return "path(" + position + ")";
        }
    }

    /** What is measured of a latent on a path. */
    enum Statistic {
        /** ‖z'‖ / √D, 1 for noise. */
        NORM,
        /** ‖z' - z_1‖ / √D, 0 at the input. */
        DISTANCE,
        /** ‖z' - μ‖² / D about the class's mean. */
        RESIDUAL,
        /** Energy a coefficient of the channels' means, 1 for noise. */
        CONSTANT,
        /** … of low frequencies. */
        LOW,
        /** … of middle ones. */
        MIDDLE,
        /** … of high ones. */
        HIGH;

        /** As people write it. */
        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * How a bias that all inputs share grows with their number: the channels' means and other patterns of centroids
     * against √N.
     *
     * @param run the base configuration on the classes that are looked at
     * @param methods of the grid
     * @param inputs N, rising
     * @param repeats orders of a class that are drawn
     */
    record Bias(Heading heading, RunConfig run, List<String> methods, List<Integer> inputs, int repeats)
            implements LatentExperiment {
        public Bias {
            methods = List.copyOf(methods);
            inputs = List.copyOf(inputs);
        }

        @Override
        public List<Setting> settings() {
            return List.of(setting(heading, run, List.of()));
        }
    }

    /**
     * Images that the model itself made from noise, a little perturbed, inverted and mixed beside real ones: whether a
     * bias comes from images that the model does not know.
     *
     * @param run the base configuration on the classes that are looked at
     * @param methods of the grid
     * @param inputs N, rising, at most half of the images
     * @param images made a class
     * @param perturbation the added noise's standard deviation in levels of a byte
     * @param repeats orders of a class that are drawn
     */
    record Perturbed(
            Heading heading,
            RunConfig run,
            List<String> methods,
            List<Integer> inputs,
            int images,
            double perturbation,
            int repeats)
            implements LatentExperiment {
        /** The name of the entry that makes the images. */
        public static final String MADE = "made";

        public Perturbed {
            methods = List.copyOf(methods);
            inputs = List.copyOf(inputs);
        }

        @Override
        public List<Setting> settings() {
            List<Mixing> entries = new ArrayList<>(mixtures());
            entries.add(
                    0,
                    new Mixing(
                            entry(MADE),
                            List.of(Spelled.parse("prompt", Method::parse)),
                            List.of(exactly(0)),
                            EQUAL,
                            Recipe.Pool.ALL,
                            Gate.OFF,
                            images,
                            false));
            return List.of(setting(heading, run, entries));
        }

        /** What is mixed of real images and of perturbed ones. */
        public List<Mixing> mixtures() {
            return methods.stream()
                    .map(method -> new Mixing(
                            entry(method),
                            List.of(Spelled.parse(method, Method::parse)),
                            inputs.stream().map(LatentExperiment::exactly).toList(),
                            EQUAL,
                            Recipe.Pool.ALL,
                            Gate.OFF,
                            1,
                            false))
                    .toList();
        }

        /** The name of a method's entry. */
        public String entry(String method) {
            return Cells.entry(heading.name(), method, "equal", "all");
        }
    }

    /**
     * A constant added to one channel of the top quarter of a latent and taken from another, before the first step of
     * sampling or after the last.
     *
     * @param run the base configuration on the classes that are looked at
     * @param channels the one that is raised and the one that is lowered
     * @param offsets what is added, in standard deviations of noise
     * @param examples noises a class
     */
    record Offsets(Heading heading, RunConfig run, List<Integer> channels, List<Double> offsets, int examples)
            implements LatentExperiment {
        public Offsets {
            channels = List.copyOf(channels);
            offsets = List.copyOf(offsets);
        }
    }

    /**
     * Reads the keys of one kind.
     *
     * @param runs the base configuration with a section's own values, on its classes alone
     */
    static Optional<Experiment> read(String kind, Section section, Heading heading, Function<Section, RunConfig> runs) {
        RunConfig run = runs.apply(section);
        return Optional.of(
                switch (kind) {
                    case "paths" -> paths(section, heading, run);
                    case "bias" ->
                        new Bias(
                                heading,
                                run,
                                section.read(StudyKeys.BIAS_METHODS),
                                counts(section, StudyKeys.BIAS_INPUTS),
                                section.read(StudyKeys.REPEATS));
                    case "perturbed" -> perturbed(section, heading, run);
                    default -> offsets(section, heading, run);
                });
    }

    private static Paths paths(Section section, Heading heading, RunConfig run) {
        int inputs = section.read(StudyKeys.PATH_INPUTS);
        List<String> methods = methods(section, StudyKeys.PATH_METHODS, section.read(StudyKeys.PATH_METHODS), inputs);
        int frames = section.read(StudyKeys.FRAMES);
        if (frames == 1) {
            section.problem(StudyKeys.FRAMES, "0 for no pictures, or at least 2", frames, "a path has two ends");
        }
        return new Paths(
                heading,
                run,
                methods,
                section.find(StudyKeys.SHOWN)
                        .map(shown -> methods(section, StudyKeys.SHOWN, shown, inputs))
                        .orElse(methods),
                inputs,
                section.read(StudyKeys.POINTS),
                section.read(StudyKeys.POOL),
                section.read(StudyKeys.STATISTICS),
                section.read(StudyKeys.PATHS),
                frames == 1 ? 0 : frames,
                section.read(StudyKeys.EXAMPLES));
    }

    private static Perturbed perturbed(Section section, Heading heading, RunConfig run) {
        List<Integer> inputs = counts(section, StudyKeys.PERTURBED_INPUTS);
        int images = section.read(StudyKeys.IMAGES);
        int most = inputs.get(inputs.size() - 1);
        if (2 * most > images) {
            section.problem(
                    StudyKeys.IMAGES,
                    "at least twice the largest count of inputs, " + 2 * most,
                    images,
                    "make more images");
        }
        return new Perturbed(
                heading,
                run,
                section.read(StudyKeys.BIAS_METHODS),
                inputs,
                images,
                section.read(StudyKeys.PERTURBATION),
                section.read(StudyKeys.REPEATS));
    }

    private static Offsets offsets(Section section, Heading heading, RunConfig run) {
        List<Integer> channels = section.read(StudyKeys.CHANNELS);
        if (channels.size() != 2) {
            section.problem(
                    StudyKeys.CHANNELS, "the one that is raised and the one that is lowered", channels, "write [0, 1]");
        }
        return new Offsets(heading, run, channels, section.read(StudyKeys.OFFSETS), section.read(StudyKeys.EXAMPLES));
    }

    private static List<String> methods(
            Section section, Key<List<Spelled<Method>>> key, List<Spelled<Method>> methods, int inputs) {
        for (Spelled<Method> method : methods) {
            method.value().inputError(new InputCount(inputs, inputs)).ifPresent(error -> section.refuse(key, error));
        }
        return methods.stream().map(Spelled::text).toList();
    }

    private static List<Integer> counts(Section section, Key<List<Integer>> key) {
        List<Integer> counts = section.read(key);
        boolean rising = counts.size() > 1;
        for (int i = 1; i < counts.size(); i++) {
            rising &= counts.get(i - 1) < counts.get(i);
        }
        if (!rising) {
            section.problem(key, "two or more rising counts of inputs", counts, "write for example [1, 4, 16]");
        }
        return counts;
    }
}
