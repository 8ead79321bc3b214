package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import latentmix.config.RunConfig;
import latentmix.table.ContentId;
import latentmix.table.FullDisk;
import latentmix.table.StageName;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes wrong on a standalone cluster while a driver lives: the tables end as an undisturbed run's. */
@Tag("faults")
class FaultsTest {
    @TempDir
    static Path folder;

    private static Path input;
    private static RunConfig config;
    private static Path undisturbed;
    private static StandaloneCluster cluster;
    private static JavaSparkContext spark;

    @BeforeAll
    static void anUndisturbedRun() throws IOException, InterruptedException {
        input = TinyRun.input(folder.resolve("in"), 8);
        config = config(input);
        undisturbed = folder.resolve("undisturbed");
        assertThat(TinyRun.run(2, config, undisturbed)).isZero();
        cluster = StandaloneCluster.shared();
        spark = cluster.spark();
    }

    @BeforeEach
    void twoWorkers() throws IOException, InterruptedException {
        cluster = StandaloneCluster.shared();
    }

    @AfterAll
    static void noDriver() {
        spark.close();
    }

    private static RunConfig config(Path images) throws IOException {
        return TinyRun.config(images, TinyRun.measured(folder, "run.max_rejected=0.5"));
    }

    private static int run(RunConfig config, Object run) throws IOException {
        return Pipeline.run(spark, config, run.toString(), List.of(StageName.values()));
    }

    /** Does something, once, when a table has its first file. */
    private static Thread when(Path table, Runnable fault) {
        Thread watch = new Thread(
                () -> {
                    try {
                        while (JobProcess.files(table) == 0) {
                            TimeUnit.MILLISECONDS.sleep(5);
                        }
                        fault.run();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    } catch (InterruptedException over) {
                        Thread.currentThread().interrupt();
                    }
                },
                "fault at " + table);
        watch.start();
        return watch;
    }

    @Test
    void executorsKilledInEachStageAreReplaced() throws IOException, InterruptedException {
        AtomicInteger removed = new AtomicInteger();
        SparkListener listener = new SparkListener() {
            @Override
            public void onExecutorRemoved(SparkListenerExecutorRemoved event) {
                removed.incrementAndGet();
            }
        };
        spark.sc().addSparkListener(listener);
        Path run = folder.resolve("executors");
        AtomicInteger killed = new AtomicInteger();
        List<Thread> faults = Stream.of("inverted", "mixed", "generated", "features", "dataset/parquet")
                .map(table -> when(run.resolve(table), () -> killed.addAndGet(cluster.killExecutors())))
                .toList();
        assertThat(run(config, run)).isZero();
        for (Thread fault : faults) {
            fault.join();
        }
        spark.sc().removeSparkListener(listener);
        TinyRun.assertSameTables(run, undisturbed);
        assertThat(killed.get()).as("executors killed").isGreaterThanOrEqualTo(5);
        assertThat(removed.get()).as("executors lost").isGreaterThanOrEqualTo(5);
    }

    @Test
    void workersThatAreLostAreReplaced() throws IOException, InterruptedException {
        Path run = folder.resolve("workers");
        Thread fault = when(run.resolve("inverted"), () -> {
            try {
                cluster.killWorkers();
                StandaloneCluster.shared(); // new ones: no old one can do what is left
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        assertThat(run(config, run)).isZero();
        fault.join();
        TinyRun.assertSameTables(run, undisturbed);
    }

    @Test
    void aPoisonedImageAmongGoodOnesIsRejectedAndChangesNoOtherRow() throws IOException {
        Path poisoned = TinyRun.input(folder.resolve("poisoned-in"), 8);
        for (String sandalOrBoot : TinyRun.CLASSES) {
            Files.write(poisoned.resolve(sandalOrBoot).resolve("000.png"), poison(sandalOrBoot));
        }
        Path run = folder.resolve("poisoned");
        assertThat(run(config(poisoned), run)).isZero();
        assertThat(TinyRun.summary(run).at("/counts/rejected/invert/truncated").asLong())
                .isEqualTo(2);
        Map<String, String> found = TinyRun.tables(run);
        assertThat(TinyRun.tables(undisturbed))
                .as("rows of the good images, and all that is made of them")
                .allSatisfy((file, bytes) -> {
                    if (file.matches("(prompts|inverted|mixed|generated|dataset)/.*")) {
                        assertThat(found).containsEntry(file, bytes);
                    }
                });
    }

    /**
     * A truncated image whose id comes last in its class, so that it has a chunk of its own: micro-batches stay as they
     * were.
     */
    private static byte[] poison(String classId) throws IOException {
        Path good;
        try (Stream<Path> files = Files.list(input.resolve(classId))) {
            good = files.sorted().findFirst().orElseThrow();
        }
        byte[] start = Arrays.copyOf(Files.readAllBytes(good), 200);
        for (int i = 0; ; i++) {
            byte[] end = Integer.toString(i).getBytes(StandardCharsets.US_ASCII);
            byte[] bytes = Arrays.copyOf(start, start.length + end.length);
            System.arraycopy(end, 0, bytes, start.length, end.length);
            if (ContentId.of(classId, bytes).startsWith("ff")) {
                return bytes;
            }
        }
    }

    @Test
    void aDiskThatIsFullOnAnExecutorAndEmptiedIsATriedAgainTask() throws IOException {
        Path full = Files.createFile(folder.resolve("full"));
        var conf = spark.hadoopConfiguration();
        conf.set("fs.full.impl", FullDisk.class.getName());
        conf.set("fs.full.bytes", "8000"); // settings and lists fit, latents do not
        conf.set("fs.full.while", full.toString());
        Path run = folder.resolve("disk");
        assertThat(run(config, "full://" + run)).isZero();
        assertThat(full).as("the disk was full, until a task had failed").doesNotExist();
        TinyRun.assertSameTables(run, undisturbed);
    }

    @ParameterizedTest
    @ValueSource(strings = {"64", "1"})
    void manyMorePartitionsThanRowsAndOneForAllGiveTheSameTables(String parallelism) throws IOException {
        spark.sc().conf().set("spark.default.parallelism", parallelism); // read whenever work is cut
        Path run = folder.resolve("partitions" + parallelism);
        try {
            assertThat(run(config, run)).isZero();
        } finally {
            spark.sc().conf().remove("spark.default.parallelism");
        }
        TinyRun.assertSameTables(run, undisturbed);
    }

    @Test
    void leftoversOfAKilledWriterAreNotTakenForItsWork() throws IOException {
        Path run = folder.resolve("leftovers");
        Map<String, String> whole = TinyRun.tables(undisturbed);
        String chunk = whole.keySet().stream()
                .filter(file -> file.startsWith("inverted/"))
                .findFirst()
                .orElseThrow();
        byte[] bytes = Files.readAllBytes(undisturbed.resolve(chunk));
        for (String leftover : List.of(
                "_staging/5a7c", // cut short before its rename
                "dataset/images/5-sandal/0000.png")) { // exported, but not its Parquet file
            Files.createDirectories(run.resolve(leftover).getParent());
            Files.write(run.resolve(leftover), Arrays.copyOf(bytes, bytes.length / 2));
        }
        assertThat(run(config, run)).isZero();
        TinyRun.assertSameTables(run, undisturbed);
        assertThat(run.resolve("_staging/5a7c")).doesNotExist();
    }
}
