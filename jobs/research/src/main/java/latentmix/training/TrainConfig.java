package latentmix.training;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.ConfigException;
import latentmix.config.ConfigFile;
import latentmix.config.Key;
import latentmix.config.RunConfig;
import latentmix.config.RunKeys;
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

    /**
     * Reads a file.
     *
     * @throws ConfigException with every problem there is
     */
    public static TrainConfig read(Path file, List<String> overrides) {
        List<String> problems = new ArrayList<>();
        ObjectNode tree = ConfigFile.tree(ConfigFile.text(file), file.toString());
        overrides.forEach(override -> ConfigFile.override(tree, override, problems));
        TrainConfig config = config(new Section("", tree, TrainKeys.TRAIN, problems));
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return config;
    }

    private static TrainConfig config(Section file) {
        Section images = file.section(TrainKeys.INPUT);
        RunConfig.Input input = new RunConfig.Input(
                images.find(RunKeys.ROOT).orElse(""),
                images.find(RunKeys.CLASSES).orElse(null),
                images.read(RunKeys.MAX_PIXELS),
                images.find(RunKeys.FOLDERS).orElse(List.of()),
                null,
                RunConfig.Conflicts.KEEP);
        Section prompt = file.section(TrainKeys.PROMPT);
        Section autoencoder = file.section(TrainKeys.AUTOENCODER);
        Section denoiser = file.section(TrainKeys.DENOISER);
        Section run = file.section(TrainKeys.RUN);
        LatentDiffusionTraining.Settings training = new LatentDiffusionTraining.Settings(
                run.read(RunKeys.SEED),
                file.section(TrainKeys.MODEL).read(TrainKeys.SIZE),
                run.read(TrainKeys.THREADS),
                mapping(autoencoder, TrainKeys.CONFIG),
                autoencoder.read(TrainKeys.KL),
                autoencoder.read(TrainKeys.EDGES),
                schedule(autoencoder.section(TrainKeys.JOINT)),
                schedule(autoencoder.section(TrainKeys.DECODER)),
                folder(autoencoder),
                mapping(denoiser, TrainKeys.UNET),
                folder(denoiser),
                mapping(denoiser, TrainKeys.TEXT_ENCODER),
                mapping(denoiser, TrainKeys.SCHEDULER),
                schedule(denoiser.section(TrainKeys.TRAINING)),
                prompt.read(TrainKeys.DROPOUT));
        return new TrainConfig(input, ConfigFile.prompt(prompt), report(file.section(TrainKeys.REPORT)), training);
    }

    private static ObjectNode mapping(Section section, Key<ObjectNode> key) {
        return section.find(key).orElseGet(JsonNodeFactory.instance::objectNode);
    }

    /** The checkpoint folder that a part begins with. */
    private static Path folder(Section section) {
        return section.find(TrainKeys.FROM)
                .map(from -> Path.of(BuiltIn.located(from)))
                .orElse(null);
    }

    private static Report report(Section section) {
        return section.find(TrainKeys.HELD_OUT)
                .map(heldOut -> new Report(
                        heldOut,
                        section.read(TrainKeys.CLASSIFIER),
                        section.find(TrainKeys.COMPARE).orElse(List.of()),
                        section.read(TrainKeys.GUIDANCE)))
                .orElse(null);
    }

    private static Schedule schedule(Section section) {
        return new Schedule(
                section.read(TrainKeys.STEPS),
                section.read(TrainKeys.BATCH),
                section.read(TrainKeys.LEARNING_RATE),
                section.read(TrainKeys.WARMUP),
                section.read(TrainKeys.WEIGHT_DECAY),
                section.read(TrainKeys.EMA));
    }
}
