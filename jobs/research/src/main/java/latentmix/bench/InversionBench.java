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
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.image.ImageDecoder;
import latentmix.image.Resize;
import latentmix.image.UnreadableImage;
import latentmix.inversion.Inversion;
import latentmix.inversion.InversionMethod;
import latentmix.inversion.Sampler;
import latentmix.latent.RecipeSampler;
import latentmix.model.Denoiser;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.PromptEmbeds;
import latentmix.model.TextEncoder;
import latentmix.model.Torch;
import latentmix.model.Vae;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;

/**
 * This bench measures how near inversions come back. Sample images of the built-in model are encoded, inverted and
 * sampled again. The results are compared with the images' own latents and with the pictures that the decoder makes of
 * those. It runs on one thread, a class of images a batch.
 */
public final class InversionBench {
    /** A case: an inversion, its steps both ways, and the guidance of each way. */
    private record Case(String method, int steps, double inversionGuidance, double generationGuidance) {}

    private static final List<Case> CASES = List.of(
            new Case("ddim", 50, 1, 1),
            new Case("ddim", 100, 1, 1),
            new Case("ddim", 250, 1, 1),
            new Case("fixed-point(2)", 50, 1, 1),
            new Case("fixed-point(5)", 50, 1, 1),
            new Case("fixed-point(5, averaged)", 50, 1, 1),
            new Case("fixed-point(20, residual=1e-4)", 50, 1, 1),
            new Case("renoise(4)", 50, 1, 1),
            new Case("bdia", 50, 1, 1),
            new Case("ddim", 50, 1, 2),
            new Case("ddim", 50, 2, 2),
            new Case("fixed-point(5)", 50, 2, 2),
            new Case("renoise(4)", 50, 2, 2),
            new Case("bdia", 50, 2, 2),
            new Case("negative-prompt", 50, 1, 2),
            new Case("null-text(10)", 50, 1, 2));

    /** Images of one class: files' contents as the encoder takes them, (3, side, side) each, with what seeds them. */
    private record Group(String prompt, List<float[]> images, List<String> ids) {}

    private record Measured(long evaluations, double seconds, double latents, double pixels) {
        Measured plus(Measured other) {
            return new Measured(
                    evaluations + other.evaluations,
                    seconds + other.seconds,
                    latents + other.latents,
                    pixels + other.pixels);
        }
    }

    private final CheckpointFolder checkpoint = CheckpointFolder.open(BuiltIn.FASHION.folder());
    private final Scheduler scheduler = Scheduler.of(checkpoint.schedulerConfig());
    private final Vae encoder = Models.encoder(checkpoint, Device.cpu(), Dtype.FLOAT32);
    private final Vae decoder = Models.decoder(checkpoint, Device.cpu(), Dtype.FLOAT32);
    private final int side = Models.imageSize(checkpoint);
    private final int images;

    /** @param images of all classes together */
    public InversionBench(int images) {
        this.images = images;
    }

    /** Measures each case once, after one small inversion that is not measured, and prints a table. */
    public void run(PrintStream out) throws IOException {
        Torch.setThreadsPerTask(1);
        List<Group> groups = groups();
        int count = groups.stream().mapToInt(group -> group.images().size()).sum();
        measure(new Case("null-text(1)", 1, 1, 2), groups.get(0));
        out.printf(
                "%d images; evaluations are forwards of an image through the network while it is "
                        + "inverted; null-text leads a"
                        + " gradient back through all of them but four a step%n",
                count);
        out.println("| inversion | steps | its guidance | sampled at | evaluations an image | RMS of "
                + "latents | PSNR of pixels |"
                + " images inverted/s |");
        out.println("|---|---|---|---|---|---|---|---|");
        for (Case asked : CASES) {
            Measured sum = groups.stream()
                    .map(group -> measure(asked, group))
                    .reduce(Measured::plus)
                    .orElseThrow();
            long latentSize = Models.latentShape(checkpoint).size();
            out.printf(
                    "| `%s` | %d | %s | %s | %.1f | %.2g | %.1f dB | %.2f |%n",
                    asked.method(),
                    asked.steps(),
                    asked.inversionGuidance(),
                    asked.generationGuidance(),
                    (double) sum.evaluations() / count,
                    Math.sqrt(sum.latents() / count / latentSize),
                    -10 * Math.log10(sum.pixels() / count / (3.0 * side * side)),
                    count / sum.seconds());
        }
    }

    /** An equal number of images of each class, in the order of their names. */
    private List<Group> groups() throws IOException {
        Path sample = Path.of(BuiltIn.located("builtin:fashion-mnist-sample"));
        List<Group> groups = new ArrayList<>();
        List<String> lines = Files.readAllLines(sample.resolve("classes.tsv"));
        List<String[]> classes = lines.stream()
                .map(line -> line.split("\t"))
                .filter(columns -> columns.length > 2 && Files.isDirectory(sample.resolve(columns[1])))
                .toList();
        for (String[] columns : classes) {
            Group group = new Group("a photo of a " + columns[2], new ArrayList<>(), new ArrayList<>());
            try (Stream<Path> files = Files.list(sample.resolve(columns[1]))) {
                for (Path file : files.sorted().limit(images / classes.size()).toList()) {
                    group.images()
                            .add(Resize.square(ImageDecoder.decode(Files.readAllBytes(file), 1_000_000), side)
                                    .toChw());
                    group.ids().add(file.getFileName().toString());
                }
            } catch (UnreadableImage e) {
                throw new IOException(e);
            }
            groups.add(group);
        }
        return groups;
    }

    private Measured measure(Case asked, Group group) {
        InversionMethod method = InversionMethod.parse(asked.method(), asked.generationGuidance());
        Denoiser denoiser = method.needsGradients()
                ? Models.differentiableDenoiser(checkpoint, Device.cpu(), Dtype.FLOAT32)
                : Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
        Inversion inversion = method.inversion(scheduler, asked.steps(), new Guidance(asked.inversionGuidance()));
        Sampler sampler = method.sampling(
                new DenoisingLoop(
                        scheduler.sampling(asked.steps()), denoiser, new Guidance(asked.generationGuidance())),
                scheduler);
        try (NDManager arrays = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            PromptEmbeds conditional = embeds(group.prompt(), arrays);
            PromptEmbeds unconditional = embeds("", arrays);
            int rows = group.images().size();
            float[] pixels = new float[rows * 3 * side * side];
            for (int i = 0; i < rows; i++) {
                System.arraycopy(group.images().get(i), 0, pixels, i * 3 * side * side, 3 * side * side);
            }
            NDArray latents = encoder.encode(arrays.create(pixels, new Shape(rows, 3, side, side)));
            Inversion.Batch batch = new Inversion.Batch(
                    latents,
                    conditional,
                    unconditional,
                    group.ids().stream().map(RecipeSampler::rng).toList());
            long start = System.nanoTime();
            Inversion.Inverted inverted = inversion.invert(denoiser, batch);
            double seconds = (System.nanoTime() - start) / 1e9;
            NDArray back = sampler.sample(inverted.noise(), conditional, unconditional, inverted.companion());
            return new Measured(
                    inverted.evaluations(),
                    seconds,
                    squares(back, latents, Double.POSITIVE_INFINITY, 1),
                    squares(decoder.decode(back), decoder.decode(latents), 1, 0.5));
        }
    }

    private PromptEmbeds embeds(String text, NDManager arrays) {
        try (TextEncoder textEncoder = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            return textEncoder.encode(text).onto(arrays);
        }
    }

    /** The sum Σ (scale · (a − b))² with both cut to ± bound: pixels of [-1, 1] at half scale have a range of 1. */
    private static double squares(NDArray a, NDArray b, double bound, double scale) {
        float[] left = a.toFloatArray();
        float[] right = b.toFloatArray();
        double sum = 0;
        for (int i = 0; i < left.length; i++) {
            double difference =
                    scale * (Math.max(-bound, Math.min(bound, left[i])) - Math.max(-bound, Math.min(bound, right[i])));
            sum += difference * difference;
        }
        return sum;
    }
}
