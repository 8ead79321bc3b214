package latentmix.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.RunConfig;
import latentmix.latent.RecipeSampler;
import latentmix.model.Denoiser;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.PromptEmbeds;
import latentmix.model.TextEncoder;
import latentmix.model.Torch;
import latentmix.model.Vae;
import latentmix.plan.ClassList;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.schedule.DdimScheduler;
import latentmix.schedule.DpmSolverMultistepScheduler;
import latentmix.schedule.Scheduler;
import latentmix.schedule.Solver;
import latentmix.schedule.Step;
import latentmix.schedule.TimestepSpacing;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.apache.hadoop.conf.Configuration;

/**
 * What a solver costs and how far it is from the ODE's solution: images of every class's prompt from the same noises, by solver,
 * timestep spacing and steps, against 1,000 steps of DDIM down from the last trained timestep with the same guidance.
 */
public final class SolversBench {
    private static final int NOISES = 4; // of a class
    private static final int REFERENCE_STEPS = 1000;
    private static final double SCALE = 2;
    private static final Guidance EVERYWHERE = new Guidance(SCALE);
    private static final Guidance INTERVAL = new Guidance(SCALE, 200, 700);

    private final PrintStream out;
    private final DdimScheduler own;
    private final Denoiser denoiser;
    private final Vae decoder;
    private final PromptEmbeds conditional;
    private final PromptEmbeds unconditional;
    private final NDArray noises; // (R, C, h, w)

    private record Row(Scheduler scheduler, TimestepSpacing spacing, int steps, Guidance guidance) {}

    private record Sampled(float[] images, double seconds, double evaluations) {}

    private SolversBench(CheckpointFolder checkpoint, List<String> prompts, NDManager arrays, PrintStream out) {
        this.out = out;
        this.own = (DdimScheduler) Scheduler.of(checkpoint.schedulerConfig(), Solver.DDIM);
        this.denoiser = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
        this.decoder = Models.decoder(checkpoint, Device.cpu(), Dtype.FLOAT32);
        try (TextEncoder encoder = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            this.conditional = prompts.stream()
                    .flatMap(prompt -> Stream.generate(() -> embeds(encoder.encode(prompt), arrays))
                            .limit(NOISES))
                    .reduce(PromptEmbeds::concat)
                    .orElseThrow();
            this.unconditional = embeds(encoder.encode(""), arrays);
        }
        latentmix.latent.Shape latent = denoiser.latentShape();
        int rows = prompts.size() * NOISES;
        ZigguratSampler.NormalizedGaussian normal =
                ZigguratSampler.NormalizedGaussian.of(RecipeSampler.rng("solvers bench"));
        float[] values = new float[rows * latent.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) normal.sample();
        }
        this.noises = arrays.create(values, new Shape(rows, latent.channels(), latent.height(), latent.width()));
    }

    private static PromptEmbeds embeds(TextEncoder.Embeds embeds, NDManager arrays) {
        return PromptEmbeds.of(arrays.create(embeds.values(), new Shape(1, embeds.tokens(), embeds.width())));
    }

    /** Samples by every solver in turn and prints a line each. */
    public static void run(RunConfig config, PrintStream out) throws IOException {
        Torch.setThreadsPerTask(1);
        CheckpointFolder checkpoint =
                CheckpointFolder.open(Path.of(BuiltIn.located(config.model().checkpoint())));
        List<String> prompts =
                ClassList.read(config, BuiltIn.located(config.input().root()), new Configuration()).classes().stream()
                        .map(label -> label.prompt())
                        .toList();
        try (NDManager arrays = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            new SolversBench(checkpoint, prompts, arrays, out).run();
        }
    }

    private void run() {
        sample(ddim(TimestepSpacing.TRAILING).sampling(2), EVERYWHERE); // unmeasured
        Scheduler reference =
                new DdimScheduler(own.noise(), own.prediction(), TimestepSpacing.TRAILING, 0, 1, own.configuredClass());
        float[] everywhere =
                sample(reference.sampling(REFERENCE_STEPS), EVERYWHERE).images();
        float[] inInterval =
                sample(reference.sampling(REFERENCE_STEPS), INTERVAL).images();
        out.printf(
                "%d images, guidance %.1f; distance: root mean square of byte levels to %d steps of DDIM; the references"
                        + " of both guidances are %.2f apart%n",
                noises.getShape().get(0), SCALE, REFERENCE_STEPS, distance(everywhere, inInterval));
        out.printf(
                "%-18s %-9s %-9s %5s %18s %9s %8s%n",
                "solver", "spacing", "guided", "steps", "evaluations/image", "ms/image", "distance");
        for (Row row : rows()) {
            Sampled sampled = sample(row.scheduler().sampling(row.steps()), row.guidance());
            boolean all = row.guidance().equals(EVERYWHERE);
            out.printf(
                    "%-18s %-9s %-9s %5d %18.0f %9.1f %8.2f%n",
                    row.scheduler().solver(),
                    row.spacing().name().toLowerCase(Locale.ROOT),
                    all ? "all" : "%.0f–%.0f".formatted(INTERVAL.least(), INTERVAL.most()),
                    row.steps(),
                    sampled.evaluations(),
                    1000 * sampled.seconds() / noises.getShape().get(0),
                    distance(sampled.images(), all ? everywhere : inInterval));
        }
    }

    private List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        for (TimestepSpacing spacing : List.of(TimestepSpacing.LEADING, TimestepSpacing.TRAILING)) {
            for (int steps : List.of(50, 25, 20, 15, 10)) {
                rows.add(new Row(ddim(spacing), spacing, steps, EVERYWHERE));
            }
            for (int order : List.of(2, 3)) {
                for (int steps : List.of(25, 20, 15, 10)) {
                    rows.add(new Row(dpmSolver(spacing, order), spacing, steps, EVERYWHERE));
                }
            }
        }
        TimestepSpacing spacing = TimestepSpacing.TRAILING;
        rows.add(new Row(ddim(spacing), spacing, 50, INTERVAL));
        for (int steps : List.of(25, 20, 15, 10)) {
            rows.add(new Row(dpmSolver(spacing, 2), spacing, steps, INTERVAL));
        }
        return rows;
    }

    private DdimScheduler ddim(TimestepSpacing spacing) {
        return new DdimScheduler(
                own.noise(),
                own.prediction(),
                spacing,
                own.stepsOffset(),
                own.finalAlphaCumprod(),
                own.configuredClass());
    }

    private DpmSolverMultistepScheduler dpmSolver(TimestepSpacing spacing, int order) {
        return new DpmSolverMultistepScheduler(
                new DdimScheduler(own.noise(), own.prediction(), spacing, own.stepsOffset(), 1, own.configuredClass()),
                order);
    }

    private Sampled sample(List<Step> table, Guidance guidance) {
        DenoisingLoop loop = new DenoisingLoop(table, denoiser, guidance);
        long start = System.nanoTime();
        try (NDManager scope = noises.getManager().newSubManager()) {
            NDArray latents = noises.duplicate();
            latents.attach(scope);
            float[] images = decoder.decode(loop.run(latents, conditional, unconditional))
                    .toFloatArray();
            return new Sampled(images, (System.nanoTime() - start) / 1e9, loop.evaluations(1));
        }
    }

    /** Of images in [−1, 1], in levels of a byte. */
    private static double distance(float[] images, float[] reference) {
        double sum = IntStream.range(0, images.length)
                .mapToDouble(i -> Math.pow(level(images[i]) - level(reference[i]), 2))
                .sum();
        return Math.sqrt(sum / images.length);
    }

    private static double level(float value) {
        return 127.5 * (1 + Math.max(-1, Math.min(1, value)));
    }
}
