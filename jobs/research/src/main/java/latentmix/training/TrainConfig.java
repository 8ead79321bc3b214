package latentmix.training;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.ConfigException;
import latentmix.config.ConfigFile;
import latentmix.config.Key;
import latentmix.config.RunConfig;
import latentmix.config.RunKeys;
import latentmix.config.Section;
import latentmix.config.Type;
import latentmix.training.TrainingLoop.Schedule;

/**
 * What {@code latentmix train} trains, as its YAML file and the command line say it.
 *
 * @param manifest what is taken of a manifest; null where images lie in folders of classes
 * @param report what the report measures; null for curves alone
 */
public record TrainConfig(
        RunConfig.Input input,
        RunConfig.Prompt prompt,
        Manifest manifest,
        Report report,
        LatentDiffusionTraining.Settings training) {
    /**
     * What is taken of a manifest.
     *
     * @param denoiser what the U-Net sees of the rows that are chosen
     */
    public record Manifest(TrainingManifest.Choice choice, Map<String, List<String>> denoiser) {
        public Manifest {
            denoiser = Map.copyOf(denoiser);
        }
    }

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
                prompt.read(TrainKeys.DROPOUT),
                prompt.read(TrainKeys.SHORTER),
                denoiser.read(TrainKeys.MIN_SNR));
        return new TrainConfig(
                input,
                ConfigFile.prompt(prompt),
                manifest(images, prompt, denoiser),
                report(file.section(TrainKeys.REPORT)),
                training);
    }

    private static Manifest manifest(Section images, Section prompt, Section denoiser) {
        List<String> rows = prompt.find(TrainKeys.ROWS).orElse(null);
        if (rows == null) {
            for (Section section : List.of(images, denoiser)) {
                if (section.has(TrainKeys.WHERE)) {
                    section.problem(
                            TrainKeys.WHERE,
                            "nothing without prompt.rows",
                            "rows to choose",
                            "set prompt.rows as well");
                }
            }
            return null;
        }
        return new Manifest(
                new TrainingManifest.Choice(
                        rows, where(images), images.find(TrainKeys.MIRRORED).orElse(null)),
                where(denoiser));
    }

    private static Map<String, List<String>> where(Section section) {
        Map<String, List<String>> accepted = new LinkedHashMap<>();
        mapping(section, TrainKeys.WHERE).properties().forEach(column -> new Type.ListOf<>(new Type.Text())
                .read(column.getValue())
                .ifPresentOrElse(
                        texts -> accepted.put(column.getKey(), texts),
                        () -> section.problem(
                                TrainKeys.WHERE, "a text or a list of texts for each column", column, "correct it")));
        return accepted;
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
