package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.plan.ExitCode;
import latentmix.report.RunSummary;
import latentmix.report.Speed;
import latentmix.report.StageLeft;
import latentmix.report.StageSummary;
import latentmix.table.Lease;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a scheduler relies on: a plan that comes true, a clean stop, one run at a time. */
class ScheduledRunTest {
    private static final List<StageName> ALL = List.of(StageName.values());

    @TempDir
    static Path folder;

    private static JavaSparkContext spark;
    private static Path input;
    private static Path classes;
    private static RunConfig config;
    private static Path undisturbed;
    private static Plan planned;
    private static RunSummary summary;

    @BeforeAll
    static void anUndisturbedRun() throws IOException {
        spark = TinyRun.spark(1);
        input = TinyRun.input(folder.resolve("in"), 8);
        classes = Files.writeString(
                folder.resolve("classes.tsv"),
                "index\tfolder\tname\n0\t5-sandal\tsandal\n1\t9-ankle-boot\tankle boot\n");
        config = config();
        undisturbed = folder.resolve("undisturbed");
        planned = Pipeline.plan(spark, config, undisturbed.toString());
        assertThat(undisturbed).as("a plan writes nothing").doesNotExist();
        summary = run(undisturbed, RunTerms.NONE);
        assertThat(summary.exitCode()).isEqualTo(ExitCode.DONE);
    }

    @AfterAll
    static void noSpark() {
        spark.close();
    }

    /** With image to image, which takes half of the steps, and an evaluation. */
    private static RunConfig config(String... overrides) {
        return TinyRun.config(
                input,
                Stream.concat(
                                Stream.of(
                                        "mixing.1.methods=[lin/0, sdedit(0.5)]",
                                        "mixing.1.inputs=1",
                                        "input.classes=" + classes,
                                        "evaluation.sample=100"),
                                Stream.of(overrides))
                        .toArray(String[]::new));
    }

    private static RunSummary run(Path run, RunTerms terms) throws IOException {
        return Pipeline.summary(spark, config, run.toString(), ALL, terms);
    }

    /** What a run did, in a plan's words. */
    private static List<StageLeft> done(RunSummary run) {
        return run.stages().stream()
                .map(stage -> new StageLeft(stage.stage(), stage.chunks(), stage.rows(), stage.networkEvaluations()))
                .toList();
    }

    @Test
    void aPlanOfAnEmptyFolderIsWhatTheRunThenDoes() {
        assertThat(planned.stages()).isEqualTo(done(summary));
        assertThat(planned.networkEvaluations()).isEqualTo(2 * 8 * 4 + 2 * (7 * 4 + 1 * 2) * 2);
    }

    @Test
    void aPlanCountsNothingThatIsDone() throws IOException {
        Plan nothing = Pipeline.plan(spark, config, undisturbed.toString());
        assertThat(nothing.stages()).allMatch(stage -> stage.rows() == 0 && stage.chunks() == 0);
        assertThat(nothing.networkEvaluations()).isZero();
    }

    @Test
    void aPlanOfAHalfDoneFolderIsWhatTheNextRunDoes() throws IOException {
        Path run = folder.resolve("half-done");
        RunConfig fewer = config("input.limit=5");
        assertThat(Pipeline.run(spark, fewer, run.toString(), List.of(StageName.INVERT, StageName.MIX)))
                .isZero();
        Plan before = Pipeline.plan(spark, config, run.toString());
        assertThat(before.stages().get(0).rows()).isEqualTo(2 * 3);
        assertThat(done(run(run, RunTerms.NONE))).isEqualTo(before.stages());
    }

    @Test
    void aPlanOfAGrownInputIsWhatTheNextRunDoes() throws IOException {
        Path grown = TinyRun.input(folder.resolve("grown in"), 6);
        String run = folder.resolve("grown").toString();
        String[] more = {"input.root=" + grown, "mixing.0.inputs=2"};
        assertThat(Pipeline.run(spark, config(more), run, ALL)).isZero();
        TinyRun.copy(grown, TinyRun.CLASSES.get(0), 6, 7);
        Plan before = Pipeline.plan(spark, config(more), run);
        assertThat(before.stages().get(0).rows()).isEqualTo(1);
        assertThat(before.stages().get(1).rows()).as("the grown class's alone").isEqualTo(6 + 2);
        assertThat(done(Pipeline.summary(spark, config(more), run, ALL, RunTerms.NONE)))
                .isEqualTo(before.stages());
    }

    @Test
    void aPlanRefusesWhatTheRunRefusesBeforeItsFirstTask() {
        RunConfig tooMany = config("mixing.0.inputs=9");
        String run = folder.resolve("refused").toString();
        ConfigException refused =
                catchThrowableOfType(ConfigException.class, () -> Pipeline.run(spark, tooMany, run, ALL));
        assertThat(refused.problems()).isNotEmpty();
        assertThatThrownBy(() -> Pipeline.plan(spark, tooMany, run))
                .isInstanceOfSatisfying(ConfigException.class, plan -> assertThat(plan.problems())
                        .isEqualTo(refused.problems()));
    }

    @Test
    void aPlanRefusesAFolderOfAnotherFormat() throws IOException {
        Path run = Files.createDirectories(folder.resolve("another format"));
        Files.writeString(run.resolve("format.json"), "{\"format\": 2}\n");
        assertThatThrownBy(() -> Pipeline.plan(spark, config, run.toString()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("expected a run folder of format 3");
    }

    @Test
    void bytesAreForetoldForTablesThatAreEmptyAndForThoseThatGrow() throws IOException {
        for (Plan.Size size : planned.tables()) {
            double real = bytes(undisturbed.resolve(size.table()));
            double factor =
                    List.of("inverted", "mixed").contains(size.table()) ? 1.5 : 4; // PNG and features are guesses
            assertThat((double) size.bytes()).as(size.table()).isBetween(real / factor, real * factor);
        }
        Plan more = Pipeline.plan(spark, config("mixing.0.count=14"), undisturbed.toString());
        assertThat(more.tables())
                .filteredOn(size -> size.table().equals("mixed"))
                .singleElement()
                .satisfies(mixed -> {
                    assertThat(mixed.files()).isEqualTo(2 * 3); // the 8 new ones in blocks of 4, from the seventh on
                    assertThat((double) mixed.bytes())
                            .isCloseTo(bytes(undisturbed.resolve("mixed")), withinPercentage(1));
                });
    }

    private static double bytes(Path table) throws IOException {
        try (Stream<Path> files = Files.walk(table)) {
            return files.filter(Files::isRegularFile)
                    .mapToDouble(file -> file.toFile().length())
                    .sum();
        }
    }

    @Test
    void hoursAndPriceFollowFromAMeasuredOrAGivenSpeed() {
        Map<String, Speed> measured = summary.measured();
        assertThat(measured).containsOnlyKeys("invert", "mix", "generate", "evaluate", "export");
        StageSummary invert = summary.stages().get(0);
        assertThat(measured.get("invert").networkEvaluations())
                .isEqualTo(invert.networkEvaluations() / invert.deviceSeconds());

        Plan plan = new Plan(
                List.of(new StageLeft("invert", 10, 100, 36_000), new StageLeft("mix", 10, 100, 0)),
                List.of(),
                new Plan.Found(10, 100, 0, 0, Map.of(), Map.of(), Map.of(), Map.of(), List.of(), "", List.of()));
        String unknown = plan.text(new Plan.Rates(Map.of(), 1, OptionalDouble.empty(), OptionalDouble.empty()));
        assertThat(unknown).contains("36,000", "not known", "--evaluations-per-second");
        String given = plan.text(new Plan.Rates(Map.of(), 4, OptionalDouble.of(10), OptionalDouble.of(2.5)));
        assertThat(given).contains(": 1.000 device hours, 0.250 hours on 4 devices, 2.50 at 2.50 an hour");
        String known = plan.text(new Plan.Rates(
                Map.of("invert", new Speed(1, 5), "mix", new Speed(100, 0)),
                1,
                OptionalDouble.empty(),
                OptionalDouble.empty()));
        assertThat(known)
                .contains(": 2.000 device hours, 2.000 hours on one device")
                .doesNotContain("not known");
    }

    @Test
    void aRunWhoseGpuHoursAreSpentStopsBetweenChunksAndGoesOnToTheSameBytes() throws IOException {
        Path run = folder.resolve("stopped");
        long evaluations = 0;
        long left = Long.MAX_VALUE;
        int stops = 0;
        RunSummary last = run(run, new RunTerms("attempt 0", 1e-9, false, Console.SILENT));
        while (last.exitCode() == ExitCode.TRY_AGAIN) {
            evaluations += evaluations(last);
            JsonNode file = TinyRun.summary(run);
            assertThat(file.get("exitCode").asInt()).isEqualTo(75);
            assertThat(file.get("label").asText()).isEqualTo("attempt " + stops);
            assertThat(file.get("stopped").asText()).contains("--max-gpu-hours");
            long rows = 0;
            for (JsonNode stage : file.get("left")) {
                rows += stage.get("rows").asLong();
            }
            assertThat(rows).isLessThanOrEqualTo(left);
            left = rows;
            assertThat(run.resolve("lease.json")).doesNotExist();
            assertThat(++stops).as("every run gets on").isLessThan(40);
            last = run(run, new RunTerms("attempt " + stops, 1e-9 * Math.pow(4, stops), false, Console.SILENT));
        }
        assertThat(last.exitCode()).isEqualTo(ExitCode.DONE);
        assertThat(stops).isGreaterThan(2);
        assertThat(evaluations + evaluations(last)).isEqualTo(planned.networkEvaluations());
        assertThat(TinyRun.tables(run)).isEqualTo(TinyRun.tables(undisturbed));
    }

    private static long evaluations(RunSummary run) {
        return run.stages().stream().mapToLong(StageSummary::networkEvaluations).sum();
    }

    @Test
    void aStageSaysItsThroughputAndItsDeviceSeconds() {
        for (StageSummary stage : summary.stages()) {
            assertThat(stage.rowsPerSecond()).isEqualTo(stage.rows() / stage.seconds());
            boolean device = !List.of("mix", "export").contains(stage.stage());
            assertThat(stage.deviceSeconds()).isEqualTo(device ? stage.taskSeconds() : 0);
        }
    }

    @Test
    void aRunOnAFolderThatAnotherHoldsStopsAndLeavesItAsItIs() throws IOException {
        Path run = folder.resolve("held");
        RunFolder held = new RunFolder(run.toString(), new Configuration());
        try (Lease lease = Lease.take(held, Duration.ofSeconds(1), () -> {})) {
            assertThatThrownBy(() -> run(run, RunTerms.NONE)).isInstanceOf(Lease.HeldException.class);
            lease.check();
            assertThat(run.resolve("run_summary.json")).doesNotExist();
            assertThat(run.resolve("images")).doesNotExist();
        }
    }

    @Test
    void aRunThatFailsGivesItsFolderUp() {
        Path run = folder.resolve("failed");
        RunConfig bad = config("mixing.0.inputs=[3, 9]");
        assertThatThrownBy(() -> Pipeline.run(spark, bad, run.toString(), ALL)).hasMessageContaining("class 5-sandal");
        assertThat(run.resolve("lease.json")).doesNotExist();
    }
}
