package latentmix.research;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointException;
import latentmix.cli.OutputFolder;
import latentmix.config.ConfigException;
import latentmix.model.Torch;
import latentmix.plan.ClassList;
import latentmix.plan.ExitCode;
import latentmix.source.ImageSource;
import latentmix.study.TrainingReport;
import latentmix.training.LatentDiffusionTraining;
import latentmix.training.TrainConfig;
import latentmix.training.TrainingImages;
import latentmix.training.TrainingLoop;
import latentmix.training.TrainingManifest;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code latentmix train}: a small latent diffusion model of one's own, without Spark. */
@Command(
        name = "train",
        description = {
            "Trains a small latent diffusion model (AutoencoderKL, UNet2DConditionModel, "
                    + "CLIPTextModel) on a folder of images and writes it in diffusers layout.",
            "A training that was stopped goes on where it stopped; the same settings, images and "
                    + "threads give the same weights."
        },
        mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {
    private static final int STEPS_BETWEEN_LINES = 100;

    @Option(names = "--config", required = true, description = "a YAML file, such as conf/train/fashion.yaml")
    private Path file;

    @Option(
            names = "--run",
            required = true,
            description = "local folder for the checkpoint (model), the states and the report")
    private Path run;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "replaces a value of the file; may be repeated")
    private List<String> overrides = new ArrayList<>();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        TrainConfig config = TrainConfig.read(file, overrides);
        OutputFolder.requireWritable("--run", run);
        Torch.setThreadsPerTask(config.training().threads());
        try {
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
            Path model = run.resolve("model");
            print("the checkpoint is in %s", model);
            if (config.report() != null) {
                TrainingImages heldOut =
                        images(config, "report.held_out", config.report().heldOut());
                new TrainingReport(config.report(), images.prompts(), heldOut)
                        .publish(model, curves, run)
                        .forEach(scores -> print("%s", scores));
                print("what the model makes is shown in %s", run.resolve("report.html"));
            }
        } catch (CheckpointException | IllegalArgumentException e) {
            throw new ConfigException(List.of(e.getMessage()));
        }
        return ExitCode.DONE.code();
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
                .images(
                        config.manifest().choice().and(config.manifest().denoiser()),
                        config.training().size());
    }

    private void print(String format, Object... values) {
        spec.commandLine().getOut().println(String.format(Locale.ROOT, format, values));
    }
}
