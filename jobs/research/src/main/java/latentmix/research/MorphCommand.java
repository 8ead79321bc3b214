package latentmix.research;

import ai.djl.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.cli.ModelCommand;
import latentmix.cli.ModelCompileCommand;
import latentmix.cli.OutputFolder;
import latentmix.config.ConfigException;
import latentmix.config.ConfigFile;
import latentmix.image.GifEncoder;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.image.UnreadableImage;
import latentmix.latent.Method;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.Torch;
import latentmix.morph.FeatureSpace;
import latentmix.morph.Morph;
import latentmix.plan.ExitCode;
import latentmix.schedule.Scheduler;
import latentmix.work.ModelOnDevice;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code latentmix morph}: a path of pictures through two or more images, without Spark. */
@Command(
        name = "morph",
        description = {
            "Writes pictures on a path through two or more images, of any classes, and an animated GIF of them.",
            "Each image is inverted, neighbours are mixed, their prompts' embeddings interpolated linearly."
        },
        mixinStandardHelpOptions = true)
final class MorphCommand implements Callable<Integer> {
    private static final String ANIMATION = "morph.gif";
    private static final int MOST_FRAMES = 1000;
    private static final long MOST_PIXELS = 100_000_000;

    @Option(names = "--model", required = true, description = "a checkpoint in diffusers layout, or builtin:emoji")
    private String checkpoint;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "reads the checkpoint otherwise than it is published, as model show does")
    private List<String> overrides = new ArrayList<>();

    @Option(names = "--out", required = true, description = "folder for frame-000.png and so on, and " + ANIMATION)
    private Path out;

    @Option(names = "--frames", defaultValue = "16", description = "pictures on the path (default: ${DEFAULT-VALUE})")
    private int frames;

    @Option(
            names = "--method",
            defaultValue = "nin/chm",
            description =
                    "nin/chm and others of the grid, slerp, spherical-mean, nao or adain (default: ${DEFAULT-VALUE})")
    private String method;

    @Option(names = "--prompt", description = "one for all images, or once for each in their order (default: none)")
    private List<String> prompts = new ArrayList<>();

    @Option(
            names = "--negative",
            defaultValue = "",
            description = "the prompt of the unconditional branch (default: none)")
    private String negative;

    @Option(
            names = "--steps",
            defaultValue = "50",
            description = "of inversion and of sampling (default: ${DEFAULT-VALUE})")
    private int steps;

    @Option(names = "--guidance", defaultValue = "1", description = "of sampling (default: ${DEFAULT-VALUE}, none)")
    private double guidance;

    @Option(names = "--even", description = "space pictures at equal distances of what they look like, not of weights")
    private boolean even;

    @Option(
            names = "--features",
            paramLabel = "FOLDER",
            converter = ModelCommand.Location.class,
            description = {
                "the network in whose features --even measures, such as CLIP's image_encoder or "
                        + "builtin:fashion/classifier",
                "(default: the pictures' colours, blurred)"
            })
    private Path features;

    @Option(names = "--size", description = "pixels of a side (default: the model's own)")
    private Integer size;

    @Option(names = "--batch", defaultValue = "16", description = "pictures made at a time (default: ${DEFAULT-VALUE})")
    private int batch;

    @Option(names = "--threads", defaultValue = "1", description = "of a CPU (default: ${DEFAULT-VALUE})")
    private int threads;

    @Option(names = "--device", defaultValue = "cpu", description = "cpu, gpu, gpu1 … (default: ${DEFAULT-VALUE})")
    private String device;

    @Option(
            names = "--dtype",
            defaultValue = "float32",
            converter = ModelCompileCommand.DtypeName.class,
            description = "float32, bfloat16 or float16 (default: ${DEFAULT-VALUE})")
    private Dtype dtype;

    @Option(
            names = "--delay",
            defaultValue = "10",
            description = "hundredths of a second a picture (default: ${DEFAULT-VALUE})")
    private int delay;

    /** A local file, or one inside the jar. */
    static final class ImageFile implements ITypeConverter<Path> {
        @Override
        public Path convert(String value) {
            try {
                return Path.of(BuiltIn.located(value));
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }

    @Parameters(
            paramLabel = "IMAGE",
            arity = "1..*",
            converter = ImageFile.class,
            description = "two or more image files, in the path's order; also such as"
                    + " builtin:emoji-sample/cat-face/cat-face.noto.png")
    private List<Path> images;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        checkNumbers();
        OutputFolder.requireWritable("--out", out);
        List<Morph.Stop> stops = stops();
        CheckpointFolder folder = ConfigFile.checkpoint(checkpoint, overrides).open(new Configuration());
        Models.check(folder);
        Morph.Settings settings = settings(folder);
        Torch.setThreadsPerTask(threads);
        FeatureSpace space = features == null
                ? FeatureSpace.blurred()
                : FeatureSpace.of(Models.imageEncoder(features, device(), dtype));
        long start = System.nanoTime();
        List<Pixels> pictures;
        try (Morph morph = new Morph(new ModelOnDevice(folder, device(), dtype), settings, stops)) {
            pictures = even ? morph.evenFrames(frames, space) : morph.frames(frames);
        }
        write(pictures);
        double[] differences = space.steps(pictures);
        print(
                "%d pictures and %s in %s: %.1f s, the largest step between neighbours %.2f times the mean one",
                pictures.size(),
                ANIMATION,
                out,
                (System.nanoTime() - start) / 1e9,
                Arrays.stream(differences).max().orElse(0)
                        / Math.max(
                                Double.MIN_NORMAL,
                                Arrays.stream(differences).average().orElse(0)));
        return ExitCode.DONE.code();
    }

    private void checkNumbers() {
        List<String> problems = new ArrayList<>();
        check(
                problems,
                "--frames",
                "a whole number from 2 to " + MOST_FRAMES,
                frames,
                frames >= 2 && frames <= MOST_FRAMES);
        check(problems, "--steps", "a whole number from 1 to 1000", steps, steps >= 1 && steps <= 1000);
        check(problems, "--guidance", "a number from 0 to 1000", guidance, guidance >= 0 && guidance <= 1000);
        check(problems, "--batch", "at least 1", batch, batch >= 1);
        check(problems, "--threads", "at least 1", threads, threads >= 1);
        check(problems, "--delay", "a whole number from 1 to 6000", delay, delay >= 1 && delay <= 6000);
        check(problems, "--size", "a whole number from 8 to 8192", size, size == null || (size >= 8 && size <= 8192));
        check(problems, "--device", "cpu, gpu or gpu with a number", device, device.matches("cpu|gpu\\d{0,3}"));
        if (images.size() < 2) {
            problems.add("IMAGE: expected two or more image files, got one, " + images.get(0) + "; add another");
        }
        if (prompts.size() > 1 && prompts.size() != images.size()) {
            problems.add("--prompt: expected none, one, or one for each of the " + images.size() + " images, got "
                    + prompts.size() + "; repeat --prompt in the images' order");
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }

    private static void check(List<String> problems, String option, String expected, Object got, boolean holds) {
        if (!holds) {
            problems.add(option + ": expected " + expected + ", got " + got);
        }
    }

    private List<Morph.Stop> stops() {
        List<String> problems = new ArrayList<>();
        List<Morph.Stop> stops = new ArrayList<>();
        for (int i = 0; i < images.size(); i++) {
            String prompt = prompts.isEmpty() ? "" : prompts.get(prompts.size() == 1 ? 0 : i);
            try {
                stops.add(new Morph.Stop(ImageDecoder.decode(Files.readAllBytes(images.get(i)), MOST_PIXELS), prompt));
            } catch (UnreadableImage e) {
                problems.add("IMAGE: expected an image that can be read, got " + images.get(i) + ": " + e.reason()
                        + ", " + e.detail());
            } catch (IOException e) {
                problems.add("IMAGE: expected a file that can be read, got " + images.get(i) + " (" + e
                        + "); check the path");
            }
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return stops;
    }

    private Morph.Settings settings(CheckpointFolder folder) {
        try {
            Scheduler scheduler = Scheduler.of(folder.schedulerConfig());
            scheduler.inversion(steps);
            scheduler.sampling(steps);
            int side = size == null ? Models.imageSize(folder) : size;
            return new Morph.Settings(Method.parse(method), steps, guidance, negative, side, batch);
        } catch (IllegalArgumentException e) {
            throw new ConfigException(List.of(e.getMessage()));
        }
    }

    private Device device() {
        return device.equals("cpu") ? Device.cpu() : Device.fromName(device);
    }

    /** The pictures and their animation; those of a longer path before it are taken away. */
    private void write(List<Pixels> pictures) throws IOException {
        Files.createDirectories(out);
        try (Stream<Path> files = Files.list(out)) {
            for (Path file : files.filter(file -> file.getFileName().toString().matches("frame-\\d+\\.png"))
                    .toList()) {
                Files.delete(file);
            }
        }
        for (int i = 0; i < pictures.size(); i++) {
            Files.write(
                    out.resolve(String.format(Locale.ROOT, "frame-%03d.png", i)), PngEncoder.encode(pictures.get(i)));
        }
        Files.write(out.resolve(ANIMATION), GifEncoder.encode(pictures, delay));
    }

    private void print(String format, Object... values) {
        spec.commandLine().getOut().println(String.format(Locale.ROOT, format, values));
    }
}
