package latentmix.training;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.ConfigException;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import latentmix.config.Section;
import latentmix.training.TrainingLoop.Schedule;

/**
 * What {@code latentmix train} trains, as its YAML file and the command line say it.
 *
 * @param report what the report measures; null for curves alone
 */
public record TrainConfig(
        RunConfig.Input input, RunConfig.Prompt prompt, Report report, LatentDiffusionTraining.Settings training) {
    /**
     * What the report compares the trained model by.
     *
     * @param heldOut folders like the input's, whose images are never trained on
     * @param classifier a component folder; its features give the Fréchet distances
     * @param compare other checkpoints that are measured beside it
     */
    public record Report(String heldOut, String classifier, List<String> compare, double guidance) {
        public Report {
            compare = List.copyOf(compare);
        }
    }

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
        Section where = file.section("input");
        RunConfig.Input input = ConfigFile.input(where);
        if (input.limit() != null) {
            where.problem("limit", "no limit: a training sees every image", input.limit(), "take it away");
        }
        Section model = file.section("model");
        Section autoencoder = file.section("autoencoder");
        Section denoiser = file.section("denoiser");
        Section run = file.section("run");
        Path from = folder(autoencoder);
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
                from,
                denoiser.object("unet"),
                folder(denoiser),
                denoiser.object("text_encoder"),
                denoiser.object("scheduler"),
                schedule(denoiser.section("training")),
                dropout);
        TrainConfig config =
                new TrainConfig(input, ConfigFile.prompt(prompt), report(file.section("report")), training);
        List.of(model, autoencoder, denoiser, run, file).forEach(Section::end);
        return config;
    }

    /** The checkpoint folder that a part begins with. */
    private static Path folder(Section section) {
        String from = section.textOrNull("from", ConfigFile::locate);
        return from == null ? null : Path.of(BuiltIn.located(from));
    }

    private static Report report(Section section) {
        String heldOut = section.textOrNull("held_out", ConfigFile::locate);
        Report report = new Report(
                heldOut,
                section.text("classifier", "builtin:fashion/classifier", ConfigFile::locate),
                section.texts("compare", List.of(), ConfigFile::locate),
                section.number("guidance", 2, 1, 1000));
        section.end();
        return heldOut == null ? null : report;
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
