package latentmix.stage;

import static latentmix.stage.S3Server.location;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import latentmix.cli.Main;
import latentmix.stage.FaultyStore.Answer;
import latentmix.stage.FaultyStore.Request;
import latentmix.table.RunFolder;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs on S3 while the store or the job fails: the tables end as those of an undisturbed local run. */
@Tag("faults")
class S3FaultsTest {
    private static final String REJECTED = "/rejected/stage=invert/";
    private static final String INVERTED = "/inverted/class_id=";

    @TempDir
    static Path folder;

    private static S3Server server;
    private static FaultyStore store;
    private static Path input;
    private static Path undisturbed;
    private static String[] overrides;

    @BeforeAll
    static void aServerAProxyAndAnUndisturbedLocalRun() throws IOException, InterruptedException {
        server = new S3Server(folder);
        store = new FaultyStore(server.port());
        input = TinyRun.input(folder.resolve("in"), 8);
        for (String classId : TinyRun.CLASSES) { // each chunk that has one has a file of rejected rows
            Files.writeString(input.resolve(classId).resolve("broken.png"), "no image of " + classId);
        }
        overrides = TinyRun.measured(folder, "run.max_rejected=0.5");
        undisturbed = folder.resolve("undisturbed");
        assertThat(TinyRun.run(2, TinyRun.config(input, overrides), undisturbed))
                .isZero();
        server.put(input, "in");
    }

    @AfterAll
    static void noServer() throws IOException {
        store.close();
        server.close();
    }

    private static String[] onS3() {
        return Stream.concat(Stream.of(overrides), Stream.of("input.root=" + location("in")))
                .toArray(String[]::new);
    }

    private static void runToTheEnd(String run) throws IOException {
        assertThat(S3Run.run(TinyRun.config(input, onS3()), location(run), S3Server.settings(store.port())))
                .isZero();
    }

    @Test
    void slowDownsAndDroppedConnectionsAreRiddenOut() throws IOException {
        List<Answer> faults =
                List.of(Answer.SLOW_DOWN, Answer.CUT_UPLOAD, Answer.CUT_DOWNLOAD, Answer.NO_ANSWER, Answer.SLOW_DOWN);
        AtomicInteger requests = new AtomicInteger();
        Map<Answer, AtomicInteger> answers = new EnumMap<>(Answer.class);
        faults.forEach(fault -> answers.put(fault, new AtomicInteger()));
        store.rule(request -> {
            int n = requests.incrementAndGet();
            if (n % 7 != 0) {
                return Answer.PASS;
            }
            Answer fault = faults.get(n / 7 % faults.size());
            answers.get(fault).incrementAndGet();
            return fault;
        });
        runToTheEnd("bad-day");
        assertThat(answers.values()).as("%s of %s", answers, requests).allMatch(times -> times.get() > 2);
        S3Run.assertSameTables(server.fetch("bad-day", folder.resolve("bad-day")), undisturbed);
    }

    /** When the job is killed. */
    private static boolean isTheEnd(String moment, Request request, boolean rejectedIsThere) {
        return request.method().equals("PUT")
                && request.path().contains(INVERTED)
                && (moment.equals("in the middle of a file") || rejectedIsThere);
    }

    @ParameterizedTest
    @ValueSource(strings = {"in the middle of a file", "between a chunk's rejected and its table's file"})
    void aTaskThatIsKilledLeavesNoPartOfAFileAndNoRowTwice(String moment) throws IOException, InterruptedException {
        String run = moment.replaceAll("\\W", "-");
        AtomicReference<String> cut = new AtomicReference<>();
        AtomicBoolean rejected = new AtomicBoolean();
        store.rule(request -> {
            if (cut.get() != null) {
                return Answer.FORBIDDEN; // it is dead
            }
            if (isTheEnd(moment, request, rejected.get())) {
                cut.set(request.path());
                return Answer.CUT_UPLOAD; // half of the bytes have been sent
            }
            if (request.path().contains(REJECTED) && request.method().equals("PUT")) {
                rejected.set(true);
            }
            return Answer.PASS;
        });
        Map<String, String> spark = new HashMap<>(JobProcess.local(1));
        S3Server.settings(store.port()).forEach((key, value) -> spark.put("spark.hadoop." + key, value));
        Process job = JobProcess.start(folder.resolve(run + ".log"), spark, Map.of(), input, location(run), onS3());
        while (cut.get() == null) {
            assertThat(job.isAlive())
                    .as("the job must not end before it is killed: %s", run)
                    .isTrue();
            TimeUnit.MILLISECONDS.sleep(5);
        }
        job.destroyForcibly().waitFor();

        Set<String> left = keys(run);
        assertThat(left).noneMatch(key -> cut.get().endsWith(key));
        if (rejected.get()) {
            assertThat(left).anyMatch(key -> key.contains(REJECTED));
        }
        assertThat(left).as("files that an undisturbed run has not").isSubsetOf(expected());

        store.rule(request -> Answer.PASS);
        runToTheEnd(run);
        S3Run.assertSameTables(server.fetch(run, folder.resolve(run)), undisturbed);
    }

    /** The Parquet files below a run folder in the bucket, by path below it, without the digests. */
    private static Set<String> keys(String run) throws IOException {
        Set<String> keys = new TreeSet<>();
        try (FileSystem s3 = server.fileSystem()) {
            for (FileStatus file : RunFolder.filesBelow(s3, new org.apache.hadoop.fs.Path(location(run)))) {
                String path = file.getPath().toUri().getPath();
                String key = path.substring(run.length() + 1);
                if (path.endsWith(".parquet") && !key.startsWith("/digests/")) { // those are of a place and its times
                    keys.add(key);
                }
            }
        }
        return keys;
    }

    private static Set<String> expected() throws IOException {
        Set<String> keys = new TreeSet<>();
        for (String file : TinyRun.tables(undisturbed).keySet()) {
            keys.add("/" + file);
        }
        return keys;
    }

    @Test
    void credentialsAreInNothingThatARunWritesOrPrints() throws IOException, InterruptedException {
        store.rule(request -> Answer.PASS);
        Path config = Files.writeString(
                folder.resolve("run.yaml"),
                """
                input: {root: "%s"}
                model: {checkpoint: "builtin:fashion", batch: 4}
                inversion: {steps: 2}
                mixing: [{name: dataset, inputs: 3, count: 2}]
                generation: {steps: 2}
                run: {chunk: 4, max_rejected: 0.5}
                """
                        .formatted(location("in")));
        Path events = Files.createDirectories(folder.resolve("events"));
        Path log = folder.resolve("credentials.log");
        Map<String, String> spark = new HashMap<>(JobProcess.local(1));
        S3Server.settings(store.port()).forEach((key, value) -> spark.put("spark.hadoop." + key, value));
        spark.put("spark.eventLog.enabled", "true");
        spark.put("spark.eventLog.dir", events.toUri().toString());
        spark.put("spark.eventLog.compress", "false");
        spark.put("spark.logConf", "true");
        spark.put(
                "log4j2.configurationFile", "org/apache/spark/log4j2-defaults.properties"); // as talkative as Spark is
        List<String> arguments = List.of("run", "--config", config.toString(), "--run", location("quiet"));
        assertThat(JobProcess.start(Main.class, log, spark, Map.of(), arguments).waitFor())
                .as("see %s", log)
                .isZero();
        spark.put(
                "spark.hadoop.fs.s3a.secret.key",
                S3Server.SECRET_KEY.substring(1)); // a failure, with all that it prints
        assertThat(JobProcess.start(Main.class, log, spark, Map.of(), arguments).waitFor())
                .isEqualTo(2);

        Path run = server.fetch("quiet", folder.resolve("quiet"));
        assertThat(Files.readString(log)).contains("spark.hadoop.fs.s3a.secret.key=", "403");
        assertThat(run.resolve("rejected")).isNotEmptyDirectory();
        assertThat(run.resolve("report.html")).isRegularFile();
        assertThat(showing(log)).isEmpty();
        assertThat(showing(events)).isEmpty();
        assertThat(showing(run)).isEmpty();
        assertThat(rows(run).filter(S3FaultsTest::shows)).isEmpty();
    }

    private static boolean shows(String text) {
        return text.contains(S3Server.SECRET_KEY.substring(1)) || text.contains(S3Server.ACCESS_KEY);
    }

    /** The files at or below a path that show a credential. */
    private static List<Path> showing(Path path) throws IOException {
        try (Stream<Path> files = Files.walk(path)) {
            List<Path> found = files.filter(Files::isRegularFile).toList();
            assertThat(found).isNotEmpty();
            List<Path> showing = new ArrayList<>();
            for (Path file : found) {
                if (shows(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))) {
                    showing.add(file);
                }
            }
            return showing;
        }
    }

    /** Every row of every table as text: their files are compressed. */
    private static Stream<String> rows(Path run) {
        try (JavaSparkContext context = TinyRun.spark(1)) {
            SparkSession spark =
                    SparkSession.builder().sparkContext(context.sc()).getOrCreate();
            List<String> rows = Stream.of("images", "inverted", "mixed", "generated", "rejected", "prompts")
                    .flatMap(table -> spark
                            .read()
                            .option("recursiveFileLookup", "true") // class_id is a column of the files too
                            .parquet(run.resolve(table).toString())
                            .toJSON()
                            .collectAsList()
                            .stream())
                    .toList();
            assertThat(rows).hasSizeGreaterThan(16);
            return rows.stream();
        }
    }
}
