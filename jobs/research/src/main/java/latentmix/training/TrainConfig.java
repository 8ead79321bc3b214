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
 * @param classifier how a classifier is trained; null where none is
 */
public record TrainConfig(
        RunConfig.Input input,
        RunConfig.Prompt prompt,
        Manifest manifest,
        Report report,
        LatentDiffusionTraining.Settings training,
        ColourClassifierTraining.Settings classifier) {
    /**
     * What is taken of a manifest.
     *
     * @param denoiser what the U-Net sees of the rows that are chosen
     * @param label the column whose texts are the classes; null where there are none
     * @param heldOut what is other of the rows that the report compares with
     * @param samplePrompt what samples of a class are made of; null where the report has no manifest
     */
    public record Manifest(
            TrainingManifest.Choice choice,
            Map<String, List<String>> denoiser,
            String label,
            Map<String, List<String>> heldOut,
            String samplePrompt) {
        public Manifest {
            denoiser = Map.copyOf(denoiser);
            heldOut = Map.copyOf(heldOut);
        }

        /** The rows that the U-Net sees. */
        public TrainingManifest.Choice shown() {
            return choice.and(denoiser);
        }

        /** The rows that the U-Net sees, told by their classes alone. */
        public TrainingManifest.Choice labelled() {
            return shown().told(List.of(placeholder()));
        }

        /** The prompt of a class's samples. */
        public String prompt(String text) {
            return samplePrompt.replace(placeholder(), text);
        }

        private String placeholder() {
            return "{" + label + "}";
        }
    }

    /**
     * What the report compares the trained model by.
     *
     * @param heldOut folders like the input's, or a manifest, whose images are never trained on
     * @param classifier a component folder; its features give the Fréchet distances. Null for the one that is trained
     *     here, else the built-in one.
     * @param compare other checkpoints that are measured beside it
     * @param guidance one or more scales
     */
    public record Report(String heldOut, String classifier, List<String> compare, List<Double> guidance) {
        public Report {
            compare = List.copyOf(compare);
            guidance = List.copyOf(guidance);
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
        Section report = file.section(TrainKeys.REPORT);
        Manifest manifest = manifest(images, prompt, denoiser, report);
        if (manifest != null
                && manifest.label() == null
                && (report.has(TrainKeys.HELD_OUT) || file.has(TrainKeys.OWN_CLASSIFIER))) {
            images.problem(
                    TrainKeys.LABEL, "a column for the report and the classifier", "none", "set it, such as to class");
        }
        return new TrainConfig(
                input,
                ConfigFile.prompt(prompt),
                manifest,
                report(report),
                training,
                file.has(TrainKeys.OWN_CLASSIFIER)
                        ? classifier(file.section(TrainKeys.OWN_CLASSIFIER), training)
                        : null);
    }

    private static Manifest manifest(Section images, Section prompt, Section denoiser, Section report) {
        List<String> rows = prompt.find(TrainKeys.ROWS).orElse(null);
        if (rows == null) {
            for (Section section : List.of(images, denoiser)) {
                refuse(section, TrainKeys.WHERE);
            }
            refuse(images, TrainKeys.LABEL);
            refuse(report, TrainKeys.HELD_OUT_WHERE);
            refuse(report, TrainKeys.SAMPLE_PROMPT);
            return null;
        }
        String label = images.find(TrainKeys.LABEL).orElse(null);
        String samples = report.find(TrainKeys.SAMPLE_PROMPT).orElse(null);
        if (report.has(TrainKeys.HELD_OUT) && (samples == null || !samples.contains("{" + label + "}"))) {
            report.problem(
                    TrainKeys.SAMPLE_PROMPT,
                    "a text with {" + label + "}, the column of input.label",
                    samples,
                    "set it, such as to an emoji of a {class}");
        }
        return new Manifest(
                new TrainingManifest.Choice(
                        rows,
                        where(images, TrainKeys.WHERE),
                        images.find(TrainKeys.MIRRORED).orElse(null)),
                where(denoiser, TrainKeys.WHERE),
                label,
                where(report, TrainKeys.HELD_OUT_WHERE),
                samples);
    }

    private static void refuse(Section section, Key<?> key) {
        if (section.has(key)) {
            section.problem(
                    key, "nothing without prompt.rows", "something about a manifest", "set prompt.rows as well");
        }
    }

    private static Map<String, List<String>> where(Section section, Key<ObjectNode> key) {
        Map<String, List<String>> accepted = new LinkedHashMap<>();
        mapping(section, key).properties().forEach(column -> new Type.ListOf<>(new Type.Text())
                .read(column.getValue())
                .ifPresentOrElse(
                        texts -> accepted.put(column.getKey(), texts),
                        () -> section.problem(key, "a text or a list of texts for each column", column, "correct it")));
        return accepted;
    }

    private static ColourClassifierTraining.Settings classifier(
            Section section, LatentDiffusionTraining.Settings training) {
        return new ColourClassifierTraining.Settings(
                training.seed(),
                training.threads(),
                training.size(),
                mapping(section, TrainKeys.LAYERS),
                section.read(TrainKeys.LABEL_SMOOTHING),
                schedule(section.section(TrainKeys.CLASSIFIER_TRAINING)));
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
                        section.find(TrainKeys.CLASSIFIER).orElse(null),
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
