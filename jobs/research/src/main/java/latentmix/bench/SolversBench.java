package latentmix.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.codec.Level;
import latentmix.config.RunConfig;
import latentmix.image.ImageDecoder;
import latentmix.image.Resize;
import latentmix.image.UnreadableImage;
import latentmix.latent.RecipeSampler;
import latentmix.model.Denoiser;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.PromptEmbeds;
import latentmix.model.TextEncoder;
import latentmix.model.Torch;
import latentmix.model.Vae;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassList;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.schedule.DdimScheduler;
import latentmix.schedule.DpmSolverMultistepScheduler;
import latentmix.schedule.Scheduler;
import latentmix.schedule.Solver;
import latentmix.schedule.Step;
import latentmix.schedule.TimestepSpacing;
import latentmix.source.FolderSource;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.apache.hadoop.conf.Configuration;

/**
 * This bench measures what a solver costs and how far it ends from where it should, by timesteps and steps. Each figure
 * is a root mean square in levels of a byte:
 *
 * <ul>
 *   <li>prompt: images of every class's prompt from the same noises, against 1,000 steps of DDIM down from the last
 *       trained timestep with the same guidance
 *   <li>inverted: sample images that 50 steps of DDIM inverted, sampled back at guidance 1, against the autoencoder's
 *       own reconstruction
 * </ul>
 */
public final class SolversBench {
    private static final int PER_CLASS = 4;
    private static final int REFERENCE_STEPS = 1000;
    private static final int INVERSION_STEPS = 50;
    private static final double SCALE = 2;
    private static final Guidance EVERYWHERE = new Guidance(SCALE);
    private static final Guidance INTERVAL = new Guidance(SCALE, 200, 700);

    private final PrintStream out;
    private final DdimScheduler own;
    private final Denoiser denoiser;
    private final Vae decoder;
    private final PromptEmbeds conditional; // (R, L, width)
    private final PromptEmbeds unconditional; // (1, L, width)
    private final NDArray noises; // (R, C, h, w)
    private final NDArray latents; // (R, C, h, w), of sample images

    private record Row(String timesteps, Scheduler scheduler, int steps, Guidance guidance) {}

    private record Sampled(float[] images, double seconds, double evaluations) {}

    private SolversBench(
            CheckpointFolder checkpoint, List<ClassLabel> classes, Path root, NDManager arrays, PrintStream out)
            throws IOException {
        this.out = out;
        this.own = (DdimScheduler) Scheduler.of(checkpoint.schedulerConfig(), Solver.DDIM);
        this.denoiser = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
        this.decoder = Models.decoder(checkpoint, Device.cpu(), Dtype.FLOAT32);
        try (TextEncoder encoder = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            this.conditional = classes.stream()
                    .flatMap(label -> Stream.generate(
                                    () -> encoder.encode(label.prompt()).onto(arrays))
                            .limit(PER_CLASS))
                    .reduce(PromptEmbeds::concat)
                    .orElseThrow();
            this.unconditional = encoder.encode("").onto(arrays);
        }
        latentmix.latent.Shape latent = denoiser.latentShape();
        int rows = classes.size() * PER_CLASS;
        ZigguratSampler.NormalizedGaussian normal =
                ZigguratSampler.NormalizedGaussian.of(RecipeSampler.rng("solvers bench"));
        float[] values = new float[rows * latent.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) normal.sample();
        }
        this.noises = arrays.create(values, new Shape(rows, latent.channels(), latent.height(), latent.width()));
        try (Vae encoder = Models.encoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            this.latents = encoder.encode(images(classes, root, Models.imageSize(checkpoint), arrays));
        }
    }

    /** The first images of every class (R, 3, size, size). */
    private static NDArray images(List<ClassLabel> classes, Path root, int size, NDManager arrays) throws IOException {
        List<float[]> images = new ArrayList<>();
        for (ClassLabel label : classes) {
            try (Stream<Path> files = Files.list(root.resolve(label.classId()))) {
                for (Path file : files.sorted().limit(PER_CLASS).toList()) {
                    images.add(image(file, size));
                }
            }
        }
        float[] values = new float[images.size() * 3 * size * size];
        for (int i = 0; i < images.size(); i++) {
            System.arraycopy(images.get(i), 0, values, i * 3 * size * size, 3 * size * size);
        }
        return arrays.create(values, new Shape(images.size(), 3, size, size));
    }

    private static float[] image(Path file, int size) throws IOException {
        try {
            return Resize.square(ImageDecoder.decode(Files.readAllBytes(file), Long.MAX_VALUE), size)
                    .toChw();
        } catch (UnreadableImage e) {
            throw new IOException("expected an image, got " + file + "; take it away", e);
        }
    }

    /** Samples by every solver in turn and prints a line each. */
    public static void run(RunConfig config, PrintStream out) throws IOException {
        Torch.setThreadsPerTask(1);
        CheckpointFolder checkpoint = config.model().checkpoint().open(new Configuration());
        String root = BuiltIn.located(config.input().root());
        List<ClassLabel> classes = ClassList.read(
                        config.input(), config.prompt(), new FolderSource(root), new Configuration())
                .classes();
        try (NDManager arrays = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            new SolversBench(checkpoint, classes, Path.of(root), arrays, out).run();
        }
    }

    private void run() {
        sample(noises, own.sampling(2), EVERYWHERE); // unmeasured
        List<Step> reference = ddim(TimestepSpacing.TRAILING, 0, 1).sampling(REFERENCE_STEPS);
        float[] everywhere = sample(noises, reference, EVERYWHERE).images();
        float[] inInterval = sample(noises, reference, INTERVAL).images();
        float[] reconstructed = decoder.decode(latents).toFloatArray();
        List<Step> inversion = own.inversion(INVERSION_STEPS);
        double end = inversion.get(INVERSION_STEPS - 1).timestep();
        NDArray inverted =
                new DenoisingLoop(inversion, denoiser, Guidance.NONE).run(latents, conditional, unconditional);
        out.printf(
                "%d images; guidance %.0f from prompts, whose references with and without the "
                        + "interval are %.2f levels apart%n",
                noises.getShape().get(0), SCALE, distance(everywhere, inInterval));
        out.printf(
                "%-18s %-9s %-8s %5s %11s %8s %7s %9s%n",
                "solver", "timesteps", "guided", "steps", "evaluations", "ms/image", "prompt", "inverted");
        for (Row row : rows()) {
            boolean all = row.guidance().equals(EVERYWHERE);
            List<Step> fromNoise =
                    row.scheduler().startingAt(own.trainTimesteps() - 1).sampling(row.steps());
            Sampled sampled = sample(noises, fromNoise, row.guidance());
            List<Step> back = row.scheduler().startingAt(end).sampling(row.steps());
            out.printf(
                    "%-18s %-9s %-8s %5d %11.0f %8.1f %7.2f %9s%n",
                    row.scheduler().solver(),
                    row.timesteps(),
                    all ? "all" : "%.0f–%.0f".formatted(INTERVAL.least(), INTERVAL.most()),
                    row.steps(),
                    sampled.evaluations(),
                    1000 * sampled.seconds() / noises.getShape().get(0),
                    distance(sampled.images(), all ? everywhere : inInterval),
                    all
                            ? "%.2f"
                                    .formatted(distance(
                                            sample(inverted, back, Guidance.NONE)
                                                    .images(),
                                            reconstructed))
                            : "");
        }
    }

    private List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        for (TimestepSpacing spacing : List.of(TimestepSpacing.LEADING, TimestepSpacing.TRAILING)) {
            for (int steps : List.of(50, 25, 20, 15, 10)) {
                DdimScheduler ddim = ddim(spacing, own.stepsOffset(), own.finalAlphaCumprod());
                rows.add(new Row(spacing.name().toLowerCase(Locale.ROOT), ddim, steps, EVERYWHERE));
            }
        }
        for (int order : List.of(2, 3)) {
            for (int steps : List.of(25, 20, 15, 10)) {
                rows.add(new Row("even", dpmSolver(order), steps, EVERYWHERE));
            }
        }
        for (int steps : List.of(25, 20, 15, 10)) {
            rows.add(new Row("even", dpmSolver(2), steps, INTERVAL));
        }
        return rows;
    }

    private DpmSolverMultistepScheduler dpmSolver(int order) {
        return new DpmSolverMultistepScheduler(ddim(own.spacing(), own.stepsOffset(), 1), order);
    }

    private DdimScheduler ddim(TimestepSpacing spacing, int stepsOffset, double finalAlphaCumprod) {
        return new DdimScheduler(
                own.noise(), own.prediction(), spacing, stepsOffset, finalAlphaCumprod, own.configuredClass());
    }

    private Sampled sample(NDArray noises, List<Step> table, Guidance guidance) {
        DenoisingLoop loop = new DenoisingLoop(table, denoiser, guidance);
        long start = System.nanoTime();
        try (NDManager scope = noises.getManager().newSubManager()) {
            NDArray from = noises.duplicate();
            from.attach(scope);
            float[] images =
                    decoder.decode(loop.run(from, conditional, unconditional)).toFloatArray();
            return new Sampled(images, (System.nanoTime() - start) / 1e9, loop.evaluations(1));
        }
    }

    /** The root of the mean squared difference of images in [-1, 1], in levels of a byte. */
    private static double distance(float[] images, float[] reference) {
        double sum = IntStream.range(0, images.length)
                .mapToDouble(i -> Math.pow(Level.unrounded(images[i]) - Level.unrounded(reference[i]), 2))
                .sum();
        return Math.sqrt(sum / images.length);
    }
}
