package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import latentmix.config.RunConfig;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A job that dies by SIGKILL in the middle of a stage and is started again. */
@Tag("faults")
class KillTest {
    @TempDir
    static Path folder;

    private static Path input;
    private static Path undisturbed;

    /** The job in a process of its own. */
    static final class Job {
        public static void main(String[] args) throws IOException {
            TinyRun.run(1, TinyRun.config(Path.of(args[0]), "inversion.method=" + args[2]), Path.of(args[1]));
        }
    }

    @BeforeAll
    static void anUndisturbedRun() throws IOException {
        input = TinyRun.input(folder.resolve("in"), 8);
        undisturbed = folder.resolve("undisturbed");
        assertThat(TinyRun.run(2, TinyRun.config(input), undisturbed)).isZero();
    }

    @ParameterizedTest
    @CsvSource({"inverted, invert, 64", "mixed, generate, 160", "generated, generate, 160", "dataset/parquet, export, 0"
    })
    void aKilledJobIsResumedAndEndsWithTheBytesOfAnUndisturbedOne(String table, String stage, long evaluations)
            throws IOException, InterruptedException {
        Path run = folder.resolve("killed-in-" + table.replace('/', '-'));
        kill(run, table, "ddim");
        assertThat(files(run.resolve(table))).isLessThan(files(undisturbed.resolve(table)));

        assertThat(TinyRun.run(2, TinyRun.config(input), run)).isZero();
        assertSameTables(run, undisturbed);
        if (evaluations > 0 && !table.equals("mixed")) {
            assertThat(PipelineTest.evaluations(run, stage)).isPositive().isLessThan(evaluations);
        }
    }

    @Test
    void aJobKilledBetweenAnInversionsCompanionsAndItsNoiseEndsWithTheBytesOfAnUndisturbedOne()
            throws IOException, InterruptedException {
        RunConfig config = TinyRun.config(input, "inversion.method=bdia");
        Path whole = folder.resolve("undisturbed-bdia");
        assertThat(TinyRun.run(2, config, whole)).isZero();
        Path run = folder.resolve("killed-in-companions");
        kill(run, "companions", "bdia");
        assertThat(files(run.resolve("inverted"))).isLessThan(files(whole.resolve("inverted")));

        assertThat(TinyRun.run(2, config, run)).isZero();
        assertSameTables(run, whole);
    }

    /** Starts the job and kills it when the table's first file is there. */
    private static void kill(Path run, String table, String method) throws IOException, InterruptedException {
        Process job = start(run, method);
        try {
            while (files(run.resolve(table)) == 0) {
                assertThat(job.isAlive())
                        .as("the job must not end before it is killed")
                        .isTrue();
                TimeUnit.MILLISECONDS.sleep(5);
            }
        } finally {
            job.destroyForcibly().waitFor();
        }
    }

    private static void assertSameTables(Path run, Path undisturbed) throws IOException {
        Map<String, String> expected = TinyRun.tables(undisturbed);
        Map<String, String> found = TinyRun.tables(run);
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        assertThat(found.keySet()).as("files with other bytes").noneMatch(file -> !found.get(file)
                .equals(expected.get(file)));
    }

    private static Process start(Path run, String method) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> !option.startsWith("-javaagent"))
                .toList());
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                Job.class.getName(),
                input.toString(),
                run.toString(),
                method));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(run.getFileName() + ".log").toFile())
                .start();
    }

    private static long files(Path table) throws IOException {
        if (!Files.exists(table)) {
            return 0;
        }
        try (Stream<Path> files = Files.walk(table)) {
            return files.filter(file -> file.toString().endsWith(".parquet")).count();
        }
    }
}
