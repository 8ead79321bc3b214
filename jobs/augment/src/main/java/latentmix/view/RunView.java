package latentmix.view;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import latentmix.plan.ExitCode;
import latentmix.plan.GenerationSettings;
import latentmix.plan.InversionSettings;
import latentmix.report.RunStart;
import latentmix.table.Lease;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.view.Summaries.ClassSummary;

/** A run folder as pages see it, under the settings of the run that was begun there last. */
final class RunView implements AutoCloseable {
    private static final long PICTURES = 1_000_000; // of all classes that are held at a time
    private static final String EXIT_CODE = "exitCode";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final RunFolder run;
    private final RunStart start;
    private final Summaries summaries;
    private final Images images;
    private final Networks networks;
    private final Again again;
    private final Playground playground;
    private final Cache<String, ClassPictures> classes =
            new Cache<>(PICTURES, pictures -> Math.max(1, pictures.size()));

    RunView(RunFolder run, RunStart start) throws IOException {
        this.run = run;
        this.start = start;
        this.images = new Images(run, start, settings(start.invert(), InversionSettings.class));
        this.networks = new Networks(run, start, settings(start.generate(), GenerationSettings.class));
        this.again = new Again(this, networks);
        this.playground = new Playground(this, networks);
        this.summaries = new Summaries(run, start);
    }

    RunFolder run() {
        return run;
    }

    RunStart start() {
        return start;
    }

    Images images() {
        return images;
    }

    Networks networks() {
        return networks;
    }

    Playground playground() {
        return playground;
    }

    Again again() {
        return again;
    }

    Summaries summaries() {
        return summaries;
    }

    /** Settings of the run folder. */
    <T> T settings(String id, Class<T> type) throws IOException {
        return JSON.readValue(run.read(run.path("settings/" + id + ".json")), type);
    }

    /**
     * The tables of a class.
     *
     * @throws Images.MissingException if the folder has no such class: a made-up name leads nowhere
     */
    ClassTables tables(String classId) throws IOException {
        if (run.chunks(Table.IMAGES, classId).isEmpty()
                && run.chunks(Table.MIXED, classId).isEmpty()) { // not all classes: there may be many
            throw new Images.MissingException("there is no such class");
        }
        return new ClassTables(run, start, classId);
    }

    /** The pictures of a class. */
    ClassPictures pictures(String classId) throws IOException {
        ClassTables tables = tables(classId);
        synchronized (classes) {
            ClassPictures known = classes.find(classId).orElseGet(() -> new ClassPictures(tables));
            classes.put(classId, known); // it may have grown
            return known;
        }
    }

    /**
     * A stage's rows.
     *
     * @param of how many there will be
     * @param seconds of the last run that ended, with its rows a second
     * @param measured rows a second of one device, when it last did something
     */
    record Stage(String name, long done, long of, long refused, double seconds, double rate, double measured) {}

    /**
     * What a run has come to.
     *
     * @param going whether a run holds the folder now
     * @param counted classes that are counted, of so many that were found
     * @param ended what the last run's exit code means; empty before one ended
     * @param stopped why it was stopped before its end; empty where it was not
     * @param failure what it failed of; empty where it did not
     */
    record Overview(
            String folder,
            boolean going,
            boolean filtered,
            int counted,
            int found,
            List<Stage> stages,
            Map<String, Map<String, Long>> refused,
            Map<String, List<Summaries.Dropped>> dropped,
            List<ClassSummary> classes,
            Map<String, Curation.Counts> byHand,
            String ended,
            String stopped,
            String failure) {}

    /**
     * What a run has come to.
     *
     * @param byHand how much a person decided, by class
     */
    Overview overview(Map<String, Curation.Counts> byHand) throws IOException {
        List<ClassSummary> counted = summaries.classes();
        JsonNode summary = summary();
        int[] progress = summaries.progress();
        return new Overview(
                run.root(),
                Lease.isHeld(run),
                !start.filter().isEmpty(),
                progress[0],
                progress[1],
                stages(counted, summary),
                summaries.reasons(),
                summaries.dropped(),
                counted,
                byHand,
                summary.has(EXIT_CODE) ? ExitCode.meaning(summary.get(EXIT_CODE).asInt()) : "",
                summary.path("stopped").asText(),
                summary.path("failure").asText());
    }

    private List<Stage> stages(List<ClassSummary> classes, JsonNode summary) {
        Map<String, Long> done = new LinkedHashMap<>();
        done.put("images", classes.stream().mapToLong(ClassSummary::real).sum());
        done.put("invert", classes.stream().mapToLong(ClassSummary::inverted).sum());
        done.put("mix", classes.stream().mapToLong(ClassSummary::mixed).sum());
        done.put("generate", classes.stream().mapToLong(ClassSummary::made).sum());
        if (!start.filter().isEmpty()) {
            done.put("filter", classes.stream().mapToLong(ClassSummary::kept).sum());
        }
        List<Stage> stages = new ArrayList<>();
        done.forEach((name, rows) -> {
            long refused = summaries.reasons().getOrDefault(name, Map.of()).values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
            long of = name.equals("images") || name.equals("invert") ? start.images() : start.mixtures();
            JsonNode last = last(summary, name);
            stages.add(new Stage(
                    name,
                    rows,
                    of,
                    refused,
                    last.path("seconds").asDouble(Double.NaN),
                    last.path("rowsPerSecond").asDouble(Double.NaN),
                    summary.path("measured").path(name).path("rows").asDouble(Double.NaN)));
        });
        return stages;
    }

    private static JsonNode last(JsonNode summary, String stage) {
        for (JsonNode one : summary.path("stages")) {
            if (one.path("stage").asText().equals(stage)) {
                return one;
            }
        }
        return JSON.createObjectNode();
    }

    /** What the last run that ended says; an empty object before one has. */
    private JsonNode summary() throws IOException {
        try {
            return JSON.readTree(run.read(run.path("run_summary.json")));
        } catch (FileNotFoundException e) {
            return JSON.createObjectNode();
        }
    }

    /** The ids of all classes, sorted. */
    List<String> classIds() throws IOException {
        return List.copyOf(ClassTables.classIds(run));
    }

    @Override
    public void close() {
        summaries.close();
        networks.close();
    }
}
