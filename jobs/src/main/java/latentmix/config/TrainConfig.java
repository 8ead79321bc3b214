package latentmix.config;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import latentmix.checkpoint.BuiltIn;
import latentmix.training.LatentDiffusionTraining;
import latentmix.training.TrainingLoop.Schedule;

/**
 * What {@code latentmix train} trains, as its YAML file and the command line say it.
 *
 * @param heldOut folders like the input's whose images are only looked at, for the report; null for none
 */
public record TrainConfig(
        RunConfig.Input input,
        RunConfig.Prompt prompt,
        String heldOut,
        String classifier,
        LatentDiffusionTraining.Settings training) {
    private static final int MOST = 100_000_000;

    /**
     * Reads a file.
     *
     * @throws ConfigException with every problem there is
     */
    public static TrainConfig read(Path file, List<String> overrides) {
        try {
            List<String> problems = new ArrayList<>();
            ObjectNode tree = ConfigFile.tree(Files.readString(file), file.toString());
            overrides.forEach(override -> ConfigFile.override(tree, override, problems));
            TrainConfig config = config(new Section("", tree, problems));
            if (!problems.isEmpty()) {
                throw new ConfigException(problems);
            }
            return config;
        } catch (IOException e) {
            throw new ConfigException(List.of(
                    "--config: expected a YAML file that can be read, got " + file + " (" + e + "); check the path"));
        }
    }

    private static TrainConfig config(Section file) {
        RunConfig.Input input = ConfigFile.input(file.section("input"));
        Section model = file.section("model");
        Section autoencoder = file.section("autoencoder");
        Section denoiser = file.section("denoiser");
        Section run = file.section("run");
        String from = autoencoder.textOrNull("from", ConfigFile::locate);
        Section prompt = file.section("prompt");
        double dropout = prompt.number("dropout", 0.1, 0, 1);
        LatentDiffusionTraining.Settings training = new LatentDiffusionTraining.Settings(
                run.whole("seed", 0, Long.MIN_VALUE, Long.MAX_VALUE),
                model.count("size", 32, 8, 1024),
                run.count("threads", 1, 1, 1024),
                autoencoder.object("config"),
                autoencoder.number("kl", 5e-4, 0, 1000),
                autoencoder.number("edges", 1, 0, 1000),
                schedule(autoencoder.section("joint")),
                schedule(autoencoder.section("decoder")),
                from == null ? null : Path.of(BuiltIn.located(from)),
                denoiser.object("unet"),
                denoiser.object("text_encoder"),
                denoiser.object("scheduler"),
                schedule(denoiser.section("training")),
                dropout);
        TrainConfig config = new TrainConfig(
                input,
                ConfigFile.prompt(prompt),
                file.textOrNull("held_out", ConfigFile::locate),
                file.textOrNull("classifier", ConfigFile::locate),
                training);
        List.of(model, autoencoder, denoiser, run, file).forEach(Section::end);
        return config;
    }

    private static Schedule schedule(Section section) {
        Schedule schedule = new Schedule(
                section.count("steps", 10_000, 1, MOST),
                section.count("batch", 64, 1, MOST),
                section.number("learning_rate", 1e-3, 0, 1),
                section.count("warmup", 100, 0, MOST),
                section.number("weight_decay", 0.01, 0, 1),
                section.number("ema", 0.999, 0, 1 - 1e-9));
        section.end();
        return schedule;
    }
}
