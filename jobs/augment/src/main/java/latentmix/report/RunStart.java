package latentmix.report;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import latentmix.checkpoint.CheckpointSpec;
import latentmix.checkpoint.Embedding;
import latentmix.checkpoint.Lora;
import latentmix.config.RunConfig;
import latentmix.plan.Catalog;
import latentmix.plan.MixingEntry;
import latentmix.plan.RunSettings;
import latentmix.table.RunFolder;

/**
 * What a run sets out to do, published as {@code run.json} when it begins: who looks at the folder learns from it where
 * the images lie, and under which settings ids the rows stand that count.
 *
 * @param input where the images lie; files of the machine that ran are named by their whole path
 * @param model what computes
 * @param filter the settings id of the filter; empty without one
 * @param images images that count
 * @param mixtures mixtures that are asked for
 */
public record RunStart(
        RunConfig.Input input,
        RunConfig.Model model,
        String invert,
        String generate,
        String filter,
        List<Entry> entries,
        long images,
        long mixtures) {
    private static final String FILE = "run.json";
    private static final ObjectMapper JSON = JsonMapper.builder()
            .configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false)
            .build();

    public RunStart {
        entries = List.copyOf(entries);
    }

    /** A mixing entry of the configuration, with the settings id of its mixtures. */
    public record Entry(String name, boolean exported, String settingsId) {}

    /**
     * What a run of this configuration sets out to do.
     *
     * @param entries with as many mixtures as these images ask for
     * @param filter the settings id of the filter; empty without one
     */
    public static RunStart of(
            RunConfig config, RunSettings settings, String filter, List<Catalog> catalogs, List<MixingEntry> entries) {
        RunConfig.Model model = config.model();
        return new RunStart(
                located(config.input()),
                new RunConfig.Model(
                        located(model.checkpoint()),
                        model.dtype(),
                        model.batch(),
                        model.threads(),
                        model.device(),
                        model.size()),
                settings.inversionId(),
                settings.generationId(),
                filter,
                entries.stream()
                        .map(entry -> new Entry(entry.name(), entry.exported(), entry.settingsId()))
                        .toList(),
                catalogs.stream().mapToLong(Catalog::images).sum(),
                catalogs.stream()
                        .flatMap(catalog -> entries.stream()
                                .map(entry -> entry.mixtures(catalog.label().classId())))
                        .mapToLong(Long::longValue)
                        .sum());
    }

    private static RunConfig.Input located(RunConfig.Input input) {
        return new RunConfig.Input(
                located(input.root()),
                input.classes() == null ? null : located(input.classes()),
                input.maxPixels(),
                input.folders(),
                input.limit(),
                input.conflicts(),
                input.format(),
                input.columns());
    }

    private static CheckpointSpec located(CheckpointSpec spec) {
        return new CheckpointSpec(
                located(spec.location()),
                spec.scheduler(),
                located(spec.vae()),
                spec.variant(),
                spec.without(),
                spec.loras().stream()
                        .map(lora -> new Lora(located(lora.location()), lora.scale()))
                        .toList(),
                spec.embeddings().stream()
                        .map(embedding -> new Embedding(located(embedding.location()), embedding.token()))
                        .toList());
    }

    /** A file of this machine by its whole path, anything else as it is. */
    private static String located(String location) {
        try {
            return !location.isEmpty() && Files.exists(Path.of(location))
                    ? Path.of(location).toAbsolutePath().normalize().toString()
                    : location;
        } catch (InvalidPathException e) {
            return location;
        }
    }

    /** Replaces what the run folder says. */
    public void publish(RunFolder run) throws IOException {
        run.publish(run.path(FILE), RunFolder.json(this).getBytes(StandardCharsets.UTF_8));
    }

    /** What the run folder says; nothing where no run has begun there since runs say it. */
    public static Optional<RunStart> read(RunFolder run) throws IOException {
        try {
            return Optional.of(JSON.readValue(run.read(run.path(FILE)), RunStart.class));
        } catch (FileNotFoundException e) {
            return Optional.empty();
        }
    }
}
