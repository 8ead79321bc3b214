package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import latentmix.cli.Main;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Drivers that die, and what they leave to the next one; executors are those of a standalone cluster. */
@Tag("faults")
class KillTest {
    @TempDir
    static Path folder;

    private static Path input;
    private static Path undisturbed;
    private static String[] overrides;

    @BeforeAll
    static void anUndisturbedRun() throws IOException {
        input = TinyRun.input(folder.resolve("in"), 8);
        overrides = TinyRun.measured(folder);
        undisturbed = folder.resolve("undisturbed");
        assertThat(TinyRun.run(2, TinyRun.config(input, overrides), undisturbed))
                .isZero();
    }

    @Test
    void aDriverKilledInEachStageIsFollowedByOnesThatEndWithTheBytesOfAnUndisturbedRun()
            throws IOException, InterruptedException {
        StandaloneCluster cluster = StandaloneCluster.shared();
        Path run = folder.resolve("killed");
        Path log = folder.resolve("killed.log");
        for (String table : List.of("inverted", "mixed", "generated", "features", "dataset/parquet")) {
            Process job = JobProcess.start(log, cluster.settings(), Map.of(), input, run.toString(), overrides);
            JobProcess.killAt(job, run.resolve(table), log);
            assertThat(JobProcess.files(run.resolve(table)))
                    .as(table)
                    .isBetween(1L, JobProcess.files(undisturbed.resolve(table)));
            assertThat(run.resolve("report.html")).doesNotExist();
        }
        assertThat(JobProcess.start(log, cluster.settings(), Map.of(), input, run.toString(), overrides)
                        .waitFor())
                .isZero();
        TinyRun.assertSameTables(run, undisturbed);
        assertThat(TinyRun.evaluations(run, "invert")).isZero();
        assertThat(TinyRun.evaluations(run, "generate")).isZero();
    }

    @Test
    void aJobKilledBetweenAnInversionsCompanionsAndItsNoiseEndsWithTheBytesOfAnUndisturbedOne()
            throws IOException, InterruptedException {
        Path whole = folder.resolve("undisturbed-bdia");
        assertThat(TinyRun.run(2, TinyRun.config(input, "inversion.method=bdia"), whole))
                .isZero();
        Path run = folder.resolve("killed-in-companions");
        Path log = folder.resolve("killed-in-companions.log");
        JobProcess.killAt(
                JobProcess.start(log, JobProcess.local(1), Map.of(), input, run.toString(), "inversion.method=bdia"),
                run.resolve("companions"),
                log);
        assertThat(JobProcess.files(run.resolve("inverted"))).isLessThan(JobProcess.files(whole.resolve("inverted")));

        assertThat(TinyRun.run(2, TinyRun.config(input, "inversion.method=bdia"), run))
                .isZero();
        TinyRun.assertSameTables(run, whole);
    }

    @Test
    void aJobKilledBetweenTwoClassesThatAreLearntEndsWithTheBytesOfAnUndisturbedOne()
            throws IOException, InterruptedException {
        String[] adapting = {"adapt.steps=20", "adapt.batch=3"};
        Path whole = folder.resolve("undisturbed-adapted");
        assertThat(TinyRun.run(2, TinyRun.config(input, adapting), whole)).isZero();
        Path run = folder.resolve("killed-in-adapters");
        Path log = folder.resolve("killed-in-adapters.log");
        JobProcess.killAt(
                JobProcess.start(log, JobProcess.local(1), Map.of(), input, run.toString(), adapting),
                run.resolve("adapters"),
                log);
        assertThat(JobProcess.files(run.resolve("adapters"))).isLessThan(2);

        assertThat(TinyRun.run(2, TinyRun.config(input, adapting), run)).isZero();
        TinyRun.assertSameTables(run, whole);
    }

    @Test
    void aDriverThatIsToldToEndGivesItsFolderUpAndTheNextBeginsAtOnce() throws IOException, InterruptedException {
        Map<String, String> settings = new HashMap<>(JobProcess.local(1));
        settings.put("spark.latentmix.lease", "10min");
        Path run = folder.resolve("told-to-end");
        Path log = folder.resolve("told-to-end.log");
        List<String> arguments = new ArrayList<>(List.of("run", "--run", run.toString(), "--config"));
        arguments.add(
                Files.writeString(folder.resolve("tiny.yaml"), TinyRun.YAML).toString());
        TinyRun.overrides(input, overrides).forEach(override -> arguments.addAll(List.of("--set", override)));
        Process told = JobProcess.start(Main.class, log, settings, Map.of(), arguments);
        JobProcess.endAt(told, run.resolve("inverted"), log, Process::destroy);
        assertThat(told.exitValue()).isEqualTo(128 + 15); // SIGTERM
        assertThat(Files.readString(log))
                .as("a stack trace of ours; Spark logs its own where it stops as it begins a task")
                .doesNotContain("\tat latentmix.");
        assertThat(JobProcess.files(run.resolve("inverted")))
                .isLessThan(JobProcess.files(undisturbed.resolve("inverted")));
        assertThat(run.resolve("lease.json")).doesNotExist();

        assertThat(JobProcess.start(log, settings, Map.of(), input, run.toString(), overrides)
                        .waitFor())
                .isZero();
        assertThat(Files.readString(log)).doesNotContain("without a sign of life");
        TinyRun.assertSameTables(run, undisturbed);
    }

    @Test
    void aModelCacheThatIsDamagedBetweenRunsIsMadeAnew() throws IOException, InterruptedException {
        Path cache = folder.resolve("cache");
        Map<String, String> environment = Map.of("LATENTMIX_CACHE_DIR", cache.toString());
        Map<String, String> settings = new HashMap<>(StandaloneCluster.shared().settings());
        settings.put("spark.executorEnv.LATENTMIX_CACHE_DIR", cache.toString());
        for (String name : List.of("filling", "damaged")) {
            Path run = folder.resolve(name);
            Path log = folder.resolve(name + ".log");
            assertThat(JobProcess.start(log, settings, environment, input, run.toString(), overrides)
                            .waitFor())
                    .isZero();
            TinyRun.assertSameTables(run, undisturbed);
            if (name.equals("damaged")) {
                assertThat(Files.readString(log)).contains("is damaged and is compiled anew");
            }
            damage(cache);
        }
    }

    /** Flips a bit of every file. */
    private static void damage(Path cache) throws IOException {
        try (Stream<Path> files = Files.walk(cache)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                byte[] bytes = Files.readAllBytes(file);
                if (bytes.length > 0) {
                    bytes[bytes.length / 2] ^= 1;
                    Files.write(file, bytes);
                }
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }
}
