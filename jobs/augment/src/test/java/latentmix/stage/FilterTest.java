package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.Golden;
import latentmix.GoldenCheckpoints;
import latentmix.checkpoint.Tensors;
import latentmix.codec.LittleEndian;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.plan.ExitCode;
import latentmix.report.RunSummary;
import latentmix.table.DatasetRow;
import latentmix.table.FeatureRow;
import latentmix.table.JudgedRow;
import latentmix.table.MetricRow;
import latentmix.table.MixedRow;
import latentmix.table.MixedTable;
import latentmix.table.RejectedRow;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A filter over tiny runs of the built-in model. */
class FilterTest {
    private static final int COUNT = 6;
    private static final List<StageName> ALL = List.of(StageName.values());

    /** Judges that drop some of what four steps make, and not all. */
    private static final String[] JUDGES = {
        "filter.tries=6",
        "filter.class.by=classifier",
        "filter.copy.hash=3",
        "filter.twin={hash: 2, features: classifier, distance: 0.003}"
    };

    @TempDir
    static Path folder;

    private static Path input;
    private static Path run;
    private static RunConfig config;
    private static JavaSparkContext spark;

    @BeforeAll
    static void aRunWithAFilter() throws IOException {
        input = TinyRun.input(folder.resolve("in"), 8);
        config = config(JUDGES);
        run = folder.resolve("run");
        spark = TinyRun.spark(2);
        assertThat(summary(config, run).exitCode()).isEqualTo(ExitCode.DONE);
    }

    @AfterAll
    static void end() {
        spark.close();
    }

    private static RunSummary summary(RunConfig config, Path run) throws IOException {
        return Pipeline.summary(spark, config, run.toString(), ALL);
    }

    private static RunConfig config(String... more) {
        return TinyRun.config(
                input,
                Stream.concat(
                                Stream.of(
                                        "input.classes=builtin:fashion-mnist-sample/classes.tsv",
                                        "evaluation.neighbours=2",
                                        "evaluation.sample=100"),
                                Stream.of(more))
                        .toArray(String[]::new));
    }

    private static RunConfig judged(String... more) {
        return config(Stream.concat(Stream.of(JUDGES), Stream.of(more)).toArray(String[]::new));
    }

    private static Path copy(String name) throws IOException {
        return TinyRun.copy(run, folder.resolve(name));
    }

    private static List<JudgedRow> verdicts() throws IOException {
        return TinyRun.rows(run, "judged", JudgedRow.class);
    }

    /** The mix ids of a class's images of the entry that is exported which are kept, in the order of k. */
    private static List<String> kept(String classId) throws IOException {
        String exported = TinyRun.summary(run).at("/settings/mix/0").asText();
        Set<String> ids = TinyRun.rows(run, "mixed", MixedTable.Key.class).stream()
                .filter(key -> key.settingsId().equals(exported))
                .map(MixedTable.Key::mixId)
                .collect(Collectors.toSet());
        return verdicts().stream()
                .filter(row -> row.classId().equals(classId) && row.kept() && ids.contains(row.mixId()))
                .sorted(Comparator.comparingInt(JudgedRow::k))
                .map(JudgedRow::mixId)
                .toList();
    }

    private static Map<String, List<String>> dataset(Path of) throws IOException {
        Map<String, List<String>> ids = new TreeMap<>();
        for (DatasetRow row : TinyRun.rows(of, "dataset/parquet", DatasetRow.class)) {
            ids.computeIfAbsent(row.className(), name -> new ArrayList<>()).add(row.mixId());
        }
        return ids;
    }

    @Test
    void everyClassHasTheFirstImagesThatAreKeptAsManyAsAreAskedFor() throws IOException {
        Map<String, List<String>> dataset = dataset(run);
        assertThat(dataset).hasSize(2);
        assertThat(dataset.get("sandal"))
                .containsExactlyInAnyOrderElementsOf(kept("5-sandal").subList(0, COUNT));
        assertThat(dataset.get("ankle boot"))
                .containsExactlyInAnyOrderElementsOf(kept("9-ankle-boot").subList(0, COUNT));
        JsonNode filter = TinyRun.summary(run).get("filter");
        assertThat(filter).hasSize(2);
        assertThat(filter.get(0).get("entry").asText()).isEqualTo("dataset");
        assertThat(filter.get(0).get("asked").asLong()).isEqualTo(2 * COUNT);
        assertThat(filter.get(0).get("kept").asLong()).isEqualTo(2 * COUNT);
        assertThat(filter.get(0).get("unfilled")).isEmpty();
        long dropped = 0;
        for (JsonNode images : filter.get(0).get("dropped")) {
            dropped += images.asLong();
        }
        assertThat(dropped).as("dropped images, each of which was replaced").isPositive();
        assertThat(filter.get(0).get("made").asLong())
                .isEqualTo(2 * COUNT + dropped + filter.get(0).get("beyond").asLong());
    }

    @Test
    void theSummarySaysHowNearTheImagesComeToRealOnes() throws IOException {
        JsonNode leakage = TinyRun.summary(run).get("leakage");
        assertThat(leakage).hasSize(2);
        assertThat(leakage.get(0).get("split").asText()).isEqualTo("made");
        assertThat(leakage.get(0).get("among").asText()).isEqualTo("input");
        assertThat(leakage.get(0).get("others").asLong()).isEqualTo(2 * 8);
        assertThat(leakage.get(0).get("images").asLong()).isEqualTo(2 * COUNT);
        assertThat(leakage.get(0).get("least").asLong()).as("none is a copy").isGreaterThan(3);
        assertThat(leakage.get(1).get("split").asText()).isEqualTo("real");
        assertThat(leakage.get(1).get("images").asLong()).isEqualTo(2 * 8);
    }

    @Test
    void aVerdictSaysWhichJudgesDroppedAnImageAndByWhichScores() throws IOException {
        assertThat(verdicts()).allSatisfy(row -> {
            assertThat(row.kept()).isEqualTo(row.reasons().isEmpty());
            assertThat(row.reasons().contains("class")).isEqualTo(row.classScore() < 0);
            assertThat(row.reasons().contains("copy")).isEqualTo(row.copyHash() <= 3);
            assertThat(row.reasons().contains("twin"))
                    .isEqualTo(!row.twinId().isEmpty() && (row.twinHash() <= 2 || row.twinDistance() <= 0.003));
            assertThat(row.textScore()).isNaN();
        });
        Set<String> kept = verdicts().stream()
                .filter(JudgedRow::kept)
                .map(JudgedRow::mixId)
                .collect(Collectors.toSet());
        assertThat(verdicts().stream().map(JudgedRow::twinId).filter(id -> !id.isEmpty()))
                .isSubsetOf(kept);
    }

    @Test
    void whatIsMeasuredAreTheImagesOfTheDatasetAndEachWasShownOnce() throws IOException {
        assertThat(TinyRun.rows(run, "metrics", MetricRow.class).stream()
                        .filter(row ->
                                row.entry().equals("dataset") && row.scope().equals(MetricRow.ALL)))
                .isNotEmpty()
                .allSatisfy(row -> assertThat(row.images()).isEqualTo(2 * COUNT));
        List<FeatureRow> shown = TinyRun.rows(run, "features", FeatureRow.class);
        long once = shown.stream().map(FeatureRow::id).distinct().count();
        long real = 2 * 8;
        assertThat(shown).hasSize((int) once + (int) real); // a real image and its reconstruction have one id
    }

    @Test
    void theReportShowsWhatEachJudgeDroppedAndTheCardNamesTheFilter() throws IOException {
        assertThat(Files.readString(run.resolve("report.html")))
                .contains("<h2>What the filter dropped", "<h4>Dropped by copy <small>", "<h4>Dropped by twin <small>")
                .doesNotContain("Dropped by blank");
        assertThat(Files.readString(run.resolve("dataset/README.md")))
                .contains(
                        "| class | images taken for their own class by classifier in features of classifier, score at"
                                + " least 0 |",
                        "| dataset | 12 | ");
    }

    @Test
    void aRunAgainDoesNothingAndVerdictsThatAreLostComeBackAsTheyWere() throws IOException {
        Path again = copy("again");
        assertThat(summary(config, again).stages())
                .allSatisfy(
                        stage -> assertThat(stage.chunks()).as(stage.stage()).isZero());
        TinyRun.assertSameTables(again, run);

        try (Stream<Path> files = Files.walk(again.resolve("judged"))) {
            for (Path file : files.filter(Files::isRegularFile).sorted().skip(1).toList()) {
                Files.delete(file);
            }
        }
        summary(config, again);
        TinyRun.assertSameTables(again, run);
        assertThat(TinyRun.evaluations(again, "generate")).isZero();

        assertThat(Pipeline.plan(spark, config, again.toString()).stages())
                .allSatisfy(stage -> assertThat(stage.rows()).as(stage.stage()).isZero());
    }

    @Test
    void aLargerCountKeepsWhatWasKept() throws IOException {
        Path more = copy("more");
        summary(judged("mixing.0.count=" + (COUNT + 1)), more);
        Map<String, List<String>> dataset = dataset(more);
        dataset(run)
                .forEach((name, ids) ->
                        assertThat(dataset.get(name)).hasSize(COUNT + 1).containsAll(ids));
        Map<String, String> before = TinyRun.tables(run);
        before.keySet().removeIf(file -> !file.startsWith("judged/") && !file.startsWith("generated/"));
        assertThat(TinyRun.tables(more)).containsAllEntriesOf(before);
    }

    @Test
    void withoutAFilterTheSameFolderHasItsFirstImages() throws IOException {
        Path without = copy("without");
        summary(config(), without);
        assertThat(TinyRun.evaluations(without, "generate")).isZero();
        assertThat(dataset(without)).allSatisfy((name, ids) -> assertThat(ids).hasSize(COUNT));
        assertThat(TinyRun.summary(without).has("filter")).isFalse();
        assertThat(TinyRun.summary(without).get("settings").has("filter")).isFalse();
    }

    @Test
    void whatCouldNotBeFilledIsSaidAndWhatIsNotJudgedIsLeftOut() throws IOException {
        Path lacking = copy("lacking");
        RunConfig strict = config("filter={tries: 1, copy: {hash: 64}}");
        List<String> warnings = new ArrayList<>();
        Pipeline.summary(
                spark, strict, lacking.toString(), List.of(StageName.EXPORT), TinyRun.keepingWarnings(warnings));
        assertThat(warnings).anySatisfy(line -> assertThat(line)
                .matches("filter: \\d+ images are not judged yet and are left out; run latentmix filter"));
        assertThat(dataset(lacking)).isEmpty();
        warnings.clear();

        RunSummary summary =
                Pipeline.summary(spark, strict, lacking.toString(), ALL, TinyRun.keepingWarnings(warnings));

        assertThat(summary.exitCode()).isEqualTo(ExitCode.DONE);
        assertThat(summary.filter().get(0).unfilled()).isEqualTo(Map.of("5-sandal", 6L, "9-ankle-boot", 6L));
        assertThat(summary.filter().get(0).dropped()).isEqualTo(Map.of("copy", 12L));
        assertThat(warnings)
                .contains("filter: 12 of 12 images of dataset could not be had in 1 tries: 5-sandal 6, 9-ankle-boot"
                        + " 6; raise filter.tries, or loosen a judge (dropped: 12 copy)");
        assertThat(dataset(lacking)).isEmpty();
    }

    /** A folder of both of CLIP's models, whose embeddings have 16 numbers. */
    private static Path clip(Path clip) throws IOException {
        Files.createDirectories(clip);
        Path vision = Golden.folder("clip-vision");
        Path text = Golden.folder("clip-text-proj-l");
        Tensors both = Tensors.of(vision.resolve("model.safetensors"));
        float[] projection = both.get("visual_projection.weight").values();
        both.remove("visual_projection.weight")
                .put("visual_projection.weight", List.of(16L, 32L), Arrays.copyOf(projection, 16 * 32));
        Tensors ofText = Tensors.of(text.resolve("model.safetensors"));
        for (String name : ofText.names()) {
            both.put(name, ofText.get(name).shape(), ofText.get(name).values());
        }
        both.write(clip.resolve("model.safetensors"));
        Files.writeString(
                clip.resolve("config.json"),
                "{\"architectures\": [\"CLIPModel\"], \"projection_dim\": 16, \"vision_config\": "
                        + Files.readString(vision.resolve("config.json")) + ", \"text_config\": "
                        + Files.readString(text.resolve("config.json")) + "}");
        Files.copy(vision.resolve("preprocessor_config.json"), clip.resolve("preprocessor_config.json"));
        GoldenCheckpoints.clipTokenizer(clip, "w299");
        return clip;
    }

    @Test
    void theImagesLeastLikeTheirPromptAreDropped() throws IOException {
        Path told = copy("told");
        Path clip = clip(folder.resolve("clip"));
        RunSummary summary = summary(
                config("evaluation={classifier: none, clip: " + clip + "}", "filter={tries: 1, text: {}}"), told);
        // of six scores a class the tenth lies between the first two, and of four alike
        assertThat(summary.filter().get(0).dropped()).isEqualTo(Map.of("text", 2L));
        assertThat(summary.filter().get(1).dropped()).isEqualTo(Map.of("text", 2L));
        Set<String> before = verdicts().stream().map(JudgedRow::settingsId).collect(Collectors.toSet());
        assertThat(TinyRun.rows(told, "judged", JudgedRow.class).stream()
                        .filter(row -> !before.contains(row.settingsId())))
                .hasSize(2 * (COUNT + 4))
                .allSatisfy(row -> assertThat(row.textScore()).isBetween(-1.0, 1.0));
    }

    private static RunSummary again(RunConfig config, Path run) throws IOException {
        RunTerms again = new RunTerms("", Double.POSITIVE_INFINITY, true, Console.SILENT);
        return Pipeline.summary(spark, config, run.toString(), ALL, again);
    }

    private static Map<String, JudgedRow> verdicts(Path of) throws IOException {
        return TinyRun.rows(of, "judged", JudgedRow.class).stream()
                .collect(Collectors.toMap(JudgedRow::mixId, row -> row));
    }

    /** The file of mixtures that has a class's first one of the entry that is exported. */
    private static Path mixedFirst(Path of, String classId) throws IOException {
        String exported = TinyRun.summary(of).at("/settings/mix/0").asText();
        try (Stream<Path> files = Files.list(of.resolve("mixed/class_id=" + classId))) {
            for (Path file : files.toList()) {
                for (MixedRow row : rows(file)) {
                    if (row.settingsId().equals(exported) && row.k() == 0) {
                        return file;
                    }
                }
            }
        }
        throw new AssertionError("no mixture of " + classId);
    }

    private static List<MixedRow> rows(Path mixed) throws IOException {
        return RowFile.read(new org.apache.hadoop.fs.Path(mixed.toString()), new Configuration(false), MixedRow.class);
    }

    @Test
    void whatGenerationRefusedIsReplacedAndOnceItIsTriedAgainEveryVerdictIsAsIfItNeverHadBeen() throws IOException {
        Path poisoned = folder.resolve("poisoned");
        Pipeline.run(spark, config, poisoned.toString(), List.of(StageName.INVERT, StageName.MIX));
        Path mixed = mixedFirst(poisoned, "5-sandal");
        byte[] sound = Files.readAllBytes(mixed);
        List<MixedRow> rows = rows(mixed);
        var latent = LittleEndian.wrap(rows.get(0).latent().data()).asFloatBuffer();
        while (latent.hasRemaining()) {
            latent.put(1e38f); // the network overflows
        }
        Files.write(mixed, RowFile.bytes(MixedRow.class, rows));

        RunSummary refused = summary(config, poisoned);
        assertThat(refused.counts().rejected().get("generate")).isEqualTo(Map.of("not finite", 1L));
        assertThat(refused.filter().get(0).dropped()).containsEntry("refused", 1L);
        assertThat(refused.filter().get(0).kept()).as("it is replaced").isEqualTo(2 * COUNT);

        Files.write(mixed, sound);
        assertThat(summary(config, poisoned).counts().rejected())
                .as("refused rows count as done")
                .containsKey("generate");
        RunSummary mended = again(config, poisoned);
        assertThat(mended.counts().rejected()).doesNotContainKey("generate");
        assertThat(mended.filter()).isEqualTo(summary(config, copy("mended")).filter());
        assertThat(verdicts(poisoned)).containsAllEntriesOf(verdicts(run));
        dataset(run).forEach((name, ids) -> assertThat(ids(poisoned, name)).containsExactlyInAnyOrderElementsOf(ids));
    }

    private static List<String> ids(Path of, String className) {
        try {
            return dataset(of).get(className);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aRealImageThatCouldNotBeOpenedTakesTheVerdictsByItAlongWhenItIsTriedAgain() throws IOException {
        RunConfig near =
                config("filter={tries: 2, copy: {hash: quantile(0.1), features: classifier, distance: quantile(0.1)}}");
        Path undisturbed = copy("unseen");
        for (String table : List.of("looks", "features", "judged", "metrics", "leakage")) {
            new RunFolder(undisturbed.toString(), new Configuration(false)).delete(table);
        }
        Path disturbed = TinyRun.copy(undisturbed, folder.resolve("disturbed"));
        summary(near, undisturbed);

        Path image;
        try (Stream<Path> files = Files.list(input.resolve("5-sandal"))) {
            image = files.sorted().findFirst().orElseThrow();
        }
        byte[] whole = Files.readAllBytes(image);
        FileTime time = Files.getLastModifiedTime(image);
        try {
            Files.write(image, new byte[whole.length]); // behind the back of whoever looks at lengths and times
            Files.setLastModifiedTime(image, time);
            summary(near, disturbed);
        } finally {
            Files.write(image, whole);
            Files.setLastModifiedTime(image, time);
        }
        assertThat(TinyRun.rows(disturbed, "rejected", RejectedRow.class))
                .extracting(row -> row.stage() + " " + row.reason())
                .as("its pixels, and its features")
                .contains("filter changed", "evaluate changed");
        assertThat(verdicts(disturbed)).isNotEqualTo(verdicts(undisturbed));

        again(near, disturbed);

        assertThat(disturbed.resolve("rejected/stage=filter")).isEmptyDirectory();
        assertThat(verdicts(disturbed)).isEqualTo(verdicts(undisturbed));
        Map<String, String> expected = TinyRun.tables(undisturbed);
        expected.keySet().removeIf(name -> Stream.of("looks/", "features/", "metrics/", "leakage/", "dataset/")
                .noneMatch(name::startsWith));
        assertThat(TinyRun.tables(disturbed)).containsAllEntriesOf(expected);
    }

    @Test
    void aClassIsNotJudgedWhereThereIsOneAlone() {
        assertThatThrownBy(() -> summary(judged("input.folders=5-sandal"), folder.resolve("one")))
                .isInstanceOf(ConfigException.class)
                .hasMessage("filter.class: expected two classes or more, of which an image is taken for one, got 1;"
                        + " leave the judge out");
    }

    @Test
    void aTraceSaysWhatTheFilterSaid() throws IOException {
        JudgedRow dropped =
                verdicts().stream().filter(row -> !row.kept()).findFirst().orElseThrow();
        assertThat(Pipeline.trace(spark, config, run.toString(), dropped.mixId())
                        .lines())
                .anySatisfy(line -> assertThat(line)
                        .startsWith("filter     dropped by " + String.join(", ", dropped.reasons()) + "; class ")
                        .contains(
                                "; nearest source " + dropped.copyId() + ", " + dropped.copyHash() + " bits of dHash"));
    }
}
