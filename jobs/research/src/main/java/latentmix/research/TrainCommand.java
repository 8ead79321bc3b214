package latentmix.research;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointException;
import latentmix.cli.OutputFolder;
import latentmix.config.ConfigException;
import latentmix.model.Torch;
import latentmix.plan.ClassList;
import latentmix.plan.ExitCode;
import latentmix.source.ImageSource;
import latentmix.study.TrainingReport;
import latentmix.training.ColourClassifierTraining;
import latentmix.training.LatentDiffusionTraining;
import latentmix.training.TrainConfig;
import latentmix.training.TrainingImages;
import latentmix.training.TrainingLoop;
import latentmix.training.TrainingManifest;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code latentmix train}: a small latent diffusion model of one's own, without Spark. */
@Command(
        name = "train",
        description = {
            "Trains a small latent diffusion model (AutoencoderKL, UNet2DConditionModel, "
                    + "CLIPTextModel) on a folder of images and writes it in diffusers layout. With it a classifier of"
                    + " their classes, where the file asks for one.",
            "A training that was stopped goes on where it stopped; the same settings, images and "
                    + "threads give the same weights."
        },
        mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {
    private static final int STEPS_BETWEEN_LINES = 100;

    /** What may be done alone. */
    enum Part {
        CLASSIFIER,
        REPORT
    }

    /** A part by its name in small letters. */
    static final class PartName implements ITypeConverter<Part> {
        @Override
        public Part convert(String value) {
            return Stream.of(Part.values())
                    .filter(part -> part.name().toLowerCase(Locale.ROOT).equals(value))
                    .findFirst()
                    .orElseThrow(() -> new TypeConversionException(
                            "expected classifier or report, got " + value + "; name one of them"));
        }
    }

    @Option(names = "--config", required = true, description = "a YAML file, such as conf/train/fashion.yaml")
    private Path file;

    @Option(
            names = "--run",
            required = true,
            description = "local folder for the checkpoint (model), the states and the report")
    private Path run;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "replaces a value of the file; may be repeated")
    private List<String> overrides = new ArrayList<>();

    @Option(
            names = "--only",
            paramLabel = "PART",
            converter = PartName.class,
            description = "classifier or report: that part alone; the report shows the weights so far")
    private Part only;

    @Option(
            names = "--pack",
            paramLabel = "FOLDER",
            description = "copies the checkpoint to a folder of the sources in the end, as built-in models lie there")
    private Path pack;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        TrainConfig config = TrainConfig.read(file, overrides);
        OutputFolder.requireWritable("--run", run);
        Torch.setThreadsPerTask(config.training().threads());
        try {
            Map<String, List<TrainingLoop.Point>> curves = only == null
                    ? model(config)
                    : TrainingLoop.curves(run.resolve("state"), LatentDiffusionTraining.STAGES);
            Optional<TrainingImages> heldOut = heldOut(config);
            if (config.classifier() != null && only != Part.REPORT) {
                curves.put(ColourClassifierTraining.STAGE, classifier(config, heldOut));
            }
            if (heldOut.isPresent() && only != Part.CLASSIFIER) {
                report(config, heldOut.get(), curves);
            }
            if (pack != null) {
                BuiltIn.pack(run.resolve("model"), pack);
                print("the checkpoint is packed in %s", pack);
            }
        } catch (CheckpointException | IllegalArgumentException e) {
            throw new ConfigException(List.of(e.getMessage()));
        }
        return ExitCode.DONE.code();
    }

    private Map<String, List<TrainingLoop.Point>> model(TrainConfig config) throws IOException {
        TrainingImages images = images(config, "input.root", config.input().root());
        TrainingImages shown = shown(config, images);
        print("%,d images of %,d prompts", images.size(), images.prompts().size());
        if (shown.size() < images.size()) {
            print(
                    "the U-Net sees %,d of them, of %,d prompts",
                    shown.size(), shown.prompts().size());
        }
        Map<String, List<TrainingLoop.Point>> curves = new LatentDiffusionTraining(
                        config.training(),
                        images,
                        shown,
                        run,
                        (stage, point, steps) -> say(config, stage, point, steps))
                .run();
        print("the checkpoint is in %s", run.resolve("model"));
        return curves;
    }

    private List<TrainingLoop.Point> classifier(TrainConfig config, Optional<TrainingImages> heldOut)
            throws IOException {
        TrainingImages images = config.manifest() == null
                ? images(config, "input.root", config.input().root())
                : labelled(config, config.input().root(), Map.of());
        print(
                "the classifier sees %,d images of %,d classes",
                images.size(), images.prompts().size());
        List<TrainingLoop.Point> curve = new ColourClassifierTraining(
                        config.classifier(), images, run, (stage, point, steps) -> say(config, stage, point, steps))
                .run();
        Path component = ColourClassifierTraining.component(run);
        print("the classifier is in %s", component);
        if (heldOut.isPresent()) {
            List<ColourClassifierTraining.Answers> answers = ColourClassifierTraining.answers(component, heldOut.get());
            answers.forEach(each -> print("  %s: %d of %d held-out images", each.name(), each.right(), each.images()));
            print(
                    "  all: %.3f of %d",
                    answers.stream().mapToInt(each -> each.right()).sum()
                            / (double) heldOut.get().size(),
                    heldOut.get().size());
        }
        return curve;
    }

    /** The images that the report compares with, whose prompts are the classes; none without a report. */
    private static Optional<TrainingImages> heldOut(TrainConfig config) throws IOException {
        if (config.report() == null) {
            return Optional.empty();
        }
        String root = config.report().heldOut();
        return Optional.of(
                config.manifest() == null
                        ? images(config, "report.held_out", root)
                        : labelled(config, root, config.manifest().heldOut()));
    }

    private void report(TrainConfig config, TrainingImages heldOut, Map<String, List<TrainingLoop.Point>> curves)
            throws IOException {
        List<String> prompts = config.manifest() == null
                ? heldOut.prompts()
                : heldOut.prompts().stream().map(config.manifest()::prompt).toList();
        new TrainingReport(config.report(), classifier(config), prompts, heldOut)
                .publish(run.resolve("model"), curves, run)
                .forEach(scores -> print("%s", scores));
        print("what the model makes is shown in %s", run.resolve("report.html"));
    }

    /** The classifier that the report judges by. */
    private Path classifier(TrainConfig config) {
        Path own = ColourClassifierTraining.component(run);
        if (config.report().classifier() == null && config.classifier() != null && Files.isDirectory(own)) {
            return own;
        }
        return Path.of(BuiltIn.located(
                Optional.ofNullable(config.report().classifier()).orElse("builtin:fashion/classifier")));
    }

    /** Rows that the U-Net sees, or others like them, by their classes. */
    private static TrainingImages labelled(TrainConfig config, String root, Map<String, List<String>> other)
            throws IOException {
        return TrainingManifest.read(Path.of(BuiltIn.located(root)))
                .images(
                        config.manifest().labelled().and(other),
                        config.training().size())
                .ordered();
    }

    private void say(TrainConfig config, String stage, TrainingLoop.Point point, long steps) {
        if (point.step() % STEPS_BETWEEN_LINES == 0 || point.step() == steps) {
            double perStep = point.seconds() / point.step();
            print(
                    "%s: step %,d of %,d, loss %.4f, %.0f images a second, %.0f min left",
                    stage,
                    point.step(),
                    steps,
                    point.terms().get(0),
                    batch(config, stage) / perStep,
                    (steps - point.step()) * perStep / 60);
        }
    }

    private static int batch(TrainConfig config, String stage) {
        return switch (stage) {
            case "autoencoder" -> config.training().joint().batch();
            case "decoder" -> config.training().decoder().batch();
            case ColourClassifierTraining.STAGE ->
                config.classifier().schedule().batch();
            default -> config.training().denoiser().batch();
        };
    }

    private static TrainingImages images(TrainConfig config, String key, String root) throws IOException {
        String located = BuiltIn.located(root);
        if (config.manifest() != null) {
            return TrainingManifest.read(Path.of(located))
                    .images(config.manifest().choice(), config.training().size());
        }
        List<TrainingImages.Source> sources = ClassList.read(
                        config.input(),
                        config.prompt(),
                        ImageSource.folders(key, located, new Configuration()),
                        new Configuration())
                .classes()
                .stream()
                .map(label -> new TrainingImages.Source(Path.of(located, label.classId()), label.prompt()))
                .toList();
        return TrainingImages.read(sources, config.training().size());
    }

    /** The images that the U-Net sees. */
    private static TrainingImages shown(TrainConfig config, TrainingImages images) throws IOException {
        if (config.manifest() == null || config.manifest().denoiser().isEmpty()) {
            return images;
        }
        return TrainingManifest.read(Path.of(BuiltIn.located(config.input().root())))
                .images(config.manifest().shown(), config.training().size());
    }

    private void print(String format, Object... values) {
        spec.commandLine().getOut().println(String.format(Locale.ROOT, format, values));
    }
}
