package latentmix.study;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import latentmix.config.RunConfig;
import latentmix.config.Spelled;
import latentmix.latent.Method;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassList;
import latentmix.plan.NetworkCost;
import latentmix.source.ImageSource;
import latentmix.table.MixedTable;
import org.apache.hadoop.conf.Configuration;

/**
 * The cost of a study: evaluations of the denoising network, as if nothing stood in the study folder yet.
 *
 * @param runs the pipeline's runs
 */
record StudyCost(List<RunCost> runs) {
    /**
     * Evaluations a second of the built-in network on one core of a server processor; both branches of guidance are
     * counted.
     */
    private static final double BUILT_IN_EVALUATIONS_PER_CORE_AND_SECOND = 400;

    StudyCost {
        runs = List.copyOf(runs);
    }

    /**
     * The cost of one run.
     *
     * @param images images that this run inverts for the first time
     * @param inversion evaluations of the inversion
     * @param mixtures mixtures that are made and generated; a mixture that two runs share is counted in both
     * @param generation evaluations of the generation
     */
    record RunCost(long images, long inversion, long mixtures, long generation) {
        long evaluations() {
            return inversion + generation;
        }
    }

    /** Counts the images and multiplies. */
    static StudyCost of(StudyConfig config, Configuration conf) throws IOException {
        List<RunCost> costs = new ArrayList<>();
        List<Inverted> inverted = new ArrayList<>();
        for (RunConfig run : StudyRuns.of(config)) {
            ImageSource source = ImageSource.of(run.input(), ClassList.folders(run.input(), conf), conf);
            NetworkCost cost =
                    NetworkCost.of(run, run.model().checkpoint().open(conf).schedulerConfig());
            List<ClassLabel> classes =
                    ClassList.read(run.input(), run.prompt(), source, conf).classes();
            long images = 0;
            for (ClassLabel label : classes) {
                Inverted once = new Inverted(run.input().limit(), run.inversion(), run.model(), label.classId());
                if (!inverted.contains(once)) {
                    inverted.add(once);
                    images += images(source, label, run.input().limit(), conf);
                }
            }
            long mixtures = 0;
            long generation = 0;
            for (RunConfig.Mixing entry : run.mixing()) {
                for (Spelled<Method> method : entry.methods()) {
                    long cell = (long) classes.size()
                            * entry.inputs().size()
                            * entry.count().number();
                    mixtures += cell;
                    generation += cell
                            * cost.generation(
                                    new MixedTable.Effort(method.value().strength(), List.of()));
                }
            }
            costs.add(new RunCost(images, images * cost.inversion(), mixtures, generation));
        }
        return new StudyCost(costs);
    }

    private record Inverted(Integer limit, RunConfig.Inversion inversion, RunConfig.Model model, String classId) {}

    long evaluations() {
        return runs.stream().mapToLong(RunCost::evaluations).sum();
    }

    /** The cost in words, with a time where the network's speed is known. */
    String text(StudyConfig config, int cores) {
        String time = config.base().model().checkpoint().location().startsWith("builtin:")
                ? String.format(
                        Locale.ROOT,
                        "about %.0f minutes on %d cores",
                        Math.ceil(evaluations() / (BUILT_IN_EVALUATIONS_PER_CORE_AND_SECOND * cores) / 60),
                        cores)
                : "divide by your device's evaluations a second for the time";
        return String.format(
                Locale.ROOT,
                "%,d images to invert and %,d to generate: %,d network evaluations, %s; what stands "
                        + "already is not done again",
                runs.stream().mapToLong(RunCost::images).sum(),
                runs.stream().mapToLong(RunCost::mixtures).sum(),
                evaluations(),
                time);
    }

    private static long images(ImageSource source, ClassLabel label, Integer limit, Configuration conf)
            throws IOException {
        long files = source.list(label.classId(), conf).images().size();
        return limit == null ? files : Math.min(limit, files);
    }
}
