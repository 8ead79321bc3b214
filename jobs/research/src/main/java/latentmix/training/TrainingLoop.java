package latentmix.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;
import latentmix.checkpoint.Caches;
import latentmix.training.TrainableNetwork.StepSize;

/**
 * The one loop that trains: it takes batches, makes steps whose size rises linearly and falls along a cosine, saves
 * states on the way, and goes on from the last of them.
 */
public final class TrainingLoop {
    /**
     * The settings of a training.
     *
     * @param steps number of the optimizer's steps, at least 1
     * @param batch images of a step
     * @param learningRate the largest learning rate
     * @param warmup number of steps in which the learning rate rises from 0; then it falls to 0 along a cosine
     * @param weightDecay AdamW's weight decay
     * @param decay decay of the weights' moving average, in [0, 1); smaller in the first steps, as (1 + step) / (10 +
     *     step)
     */
    public record Schedule(int steps, int batch, double learningRate, int warmup, double weightDecay, double decay) {
        private static final double MAX_NORM = 1;

        StepSize at(long step) {
            double rise = Math.min(1, (step + 1.0) / Math.max(1, warmup));
            double fall =
                    step < warmup ? 1 : 0.5 * (1 + Math.cos(Math.PI * (step - warmup) / Math.max(1, steps - warmup)));
            return new StepSize(
                    learningRate * rise * fall, weightDecay, MAX_NORM, Math.min(decay, (1.0 + step) / (10.0 + step)));
        }
    }

    /** The inputs of a step's forward; the arrays belong to the given manager. */
    public interface Batches {
        NDArray[] inputs(long step, NDManager owner);
    }

    /**
     * The mean of a loss's terms over some steps.
     *
     * @param step the last of those steps
     * @param terms means of the terms, the loss first
     */
    public record Point(long step, double seconds, List<Double> terms) {}

    /** Something to do whenever a state was saved. */
    public interface Saved {
        void now() throws IOException;
    }

    /** A listener that hears of every point as it is made, and of the number of steps. */
    public interface Progress {
        void at(Point point, long steps);
    }

    private static final int STEPS_PER_POINT = 50;
    private static final int POINTS_PER_SAVE = 10;

    /** What a step holds. The JVM takes it before it ends: libtorch crashes where the JVM ends amid its work. */
    private static final Semaphore COMPUTING = new Semaphore(1);

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(COMPUTING::acquireUninterruptibly, "the last step"));
    }

    private final Path state;
    private final Path history;
    private final Progress progress;

    /**
     * A loop that keeps its state in files.
     *
     * @param name the name of the files in the folder
     */
    public TrainingLoop(Path folder, String name, Progress progress) {
        this.state = folder.resolve(name + ".safetensors");
        this.history = folder.resolve(name + ".tsv");
        this.progress = progress;
    }

    /** The curves of the loops that kept their states in a folder: of each stage's the one saved last. */
    public static Map<String, List<Point>> curves(Path folder, List<String> stages) throws IOException {
        Map<String, List<Point>> curves = new LinkedHashMap<>();
        if (!Files.isDirectory(folder)) {
            return curves;
        }
        for (String stage : stages) {
            try (Stream<Path> files = Files.list(folder)) {
                Optional<Path> last = files.filter(
                                file -> file.getFileName().toString().matches(stage + "-.*\\.tsv"))
                        .max(Comparator.comparingLong(file -> file.toFile().lastModified()));
                if (last.isPresent()) {
                    curves.put(stage, history(last.get()));
                }
            }
        }
        return curves;
    }

    /** Trains, or goes on training, to the schedule's end. */
    public List<Point> run(TrainableNetwork network, Schedule schedule, Batches batches, Saved saved)
            throws IOException {
        List<Point> points = history(history);
        if (Files.exists(state)) {
            network.restore(state);
        }
        points.removeIf(point -> point.step() > network.steps());
        double before = points.isEmpty() ? 0 : points.get(points.size() - 1).seconds();
        long start = System.nanoTime();
        double[] sums = null;
        int summed = 0;
        while (network.steps() < schedule.steps()) {
            long step = network.steps();
            float[] terms;
            COMPUTING.acquireUninterruptibly();
            try (NDManager scope = network.arrays().newSubManager()) {
                terms = network.step(schedule.at(step), batches.inputs(step, scope));
            } finally {
                COMPUTING.release();
            }
            if (!Float.isFinite(terms[0])) {
                throw new IllegalStateException("expected a finite loss, got " + terms[0] + " at step " + step
                        + "; a smaller learning_rate may help");
            }
            sums = sums == null ? new double[terms.length] : sums;
            for (int i = 0; i < terms.length; i++) {
                sums[i] += terms[i];
            }
            summed++;
            boolean last = step + 1 == schedule.steps();
            if ((step + 1) % STEPS_PER_POINT == 0 || last) {
                List<Double> means = new ArrayList<>();
                for (double sum : sums) {
                    means.add(sum / summed);
                }
                points.add(new Point(step + 1, before + (System.nanoTime() - start) / 1e9, means));
                progress.at(points.get(points.size() - 1), schedule.steps());
                sums = null;
                summed = 0;
                if (points.size() % POINTS_PER_SAVE == 0 || last) {
                    network.save(state);
                    save(points);
                    saved.now();
                }
            }
        }
        return points;
    }

    private void save(List<Point> points) throws IOException {
        StringBuilder text = new StringBuilder();
        for (Point point : points) {
            text.append(point.step()).append('\t').append(String.format(Locale.ROOT, "%.3f", point.seconds()));
            point.terms().forEach(term -> text.append('\t').append(term));
            text.append('\n');
        }
        Caches.publish(history.toAbsolutePath(), part -> Files.writeString(part, text));
    }

    private static List<Point> history(Path file) throws IOException {
        List<Point> points = new ArrayList<>();
        if (Files.exists(file)) {
            for (String line : Files.readAllLines(file)) {
                String[] columns = line.split("\t", -1);
                List<Double> terms = new ArrayList<>();
                for (int i = 2; i < columns.length; i++) {
                    terms.add(Double.valueOf(columns[i]));
                }
                points.add(new Point(Long.parseLong(columns[0]), Double.parseDouble(columns[1]), terms));
            }
        }
        return points;
    }
}
