package latentmix.stage;

import static latentmix.stage.S3Server.BUCKET;
import static latentmix.stage.S3Server.location;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.Fingerprint;
import latentmix.checkpoint.LdmLayout;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import latentmix.model.InceptionStandIn;
import latentmix.source.FolderSource;
import latentmix.source.ImageFile;
import latentmix.stage.FaultyStore.Request;
import latentmix.table.Lease;
import latentmix.table.MetricRow;
import latentmix.table.RunFolder;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole job with its input, class list, checkpoint, run folder and dataset on s3a. */
class S3RunTest {
    @TempDir
    static Path folder;

    private static S3Server server;

    @BeforeAll
    static void anS3Server() throws IOException, InterruptedException {
        server = new S3Server(folder);
    }

    @AfterAll
    static void noServer() throws IOException {
        FileSystem.closeAll(); // they know this server alone
        server.close();
    }

    /** A configuration's values where all that a run reads lies in one folder, local or in the bucket. */
    private static String[] readingFrom(String root, String... more) {
        return Stream.concat(
                        Stream.of(
                                "input.root=" + root + "/in",
                                "input.classes=" + root + "/in/classes.tsv",
                                "model.checkpoint=" + root + "/model",
                                "evaluation.classifier=" + root + "/model/classifier"),
                        Stream.of(more))
                .toArray(String[]::new);
    }

    /**
     * Runs a configuration where a local folder has all that it reads, then twice on the same folder in the bucket,
     * each time with the run folder in it. Asserts that the bucket's run is the local one, that the one after it
     * computes nothing, and that neither asks the store for more than it needs.
     *
     * @param config the configuration that reads from this folder
     * @return the bucket's run folder, fetched after the first run
     */
    private static Path assertSameOnS3(Path local, Function<String, RunConfig> config) throws IOException {
        String name = local.getFileName().toString();
        String remote = server.put(local, name);
        assertThat(S3Run.run(config.apply(local.toString()), local + "/run", Map.of()))
                .isZero();

        List<Request> requests = runOnS3(config.apply(remote), remote + "/run");
        Path first = server.fetch(name + "/run", folder.resolve(name + " first"));
        S3Run.assertSameTables(first, local.resolve("run"));
        assertThat(report(first).replace(remote, local.toString())).isEqualTo(report(local.resolve("run")));
        JsonNode counts = TinyRun.summary(first).get("counts");
        assertThat(counts).isEqualTo(TinyRun.summary(local.resolve("run")).get("counts"));
        assertThat(counts.get("files").asLong() - counts.get("inverted").asLong())
                .as("files that are neither inverted nor rejected, of %s", counts)
                .isEqualTo(rejected(counts, "images") + rejected(counts, "invert"));
        long exported = TinyRun.exported(first, 2);
        try (Stream<Path> images = Files.walk(first.resolve("dataset/images"))) {
            assertThat(images.filter(file -> file.toString().endsWith(".png"))).hasSize(Math.toIntExact(exported));
        }

        List<Request> more = runOnS3(config.apply(remote), remote + "/run");
        Path second = server.fetch(name + "/run", folder.resolve(name + " second"));
        assertThat(TinyRun.tables(second)).isEqualTo(TinyRun.tables(first));
        assertThat(TinyRun.summary(second).get("stages"))
                .hasSize(5)
                .allMatch(stage -> stage.get("networkEvaluations").asLong() == 0
                        && stage.get("chunks").asLong() == 0
                        && stage.get("chunksDoneBefore").asLong() > 0);

        long shown = requests(more, "HEAD", "/in/.*png"); // by the report, which knows no lengths
        assertThat(requests(more, "GET", "/in/.*png")).isEqualTo(shown);
        assertThat(requests(more, "PUT", "/run/\\w+/.*")).isZero();
        assertThat(requests(requests, "HEAD", "/in/.*png")).isEqualTo(shown);
        int networks = config.apply(remote).evaluation().inception() == null ? 1 : 2;
        assertThat(requests(requests, "GET", "/in/.*png"))
                .as("each image is listed, inverted and seen by each network")
                .isEqualTo((2 + networks) * counts.get("files").asLong() + shown);
        assertThat(requests(requests, "PUT", "/run/dataset/.*png")).isEqualTo(exported);
        assertThat(requests(requests, "GET|HEAD", ".*/run/dataset/.*png.*")).isZero();
        return first;
    }

    /** Runs a configuration to the end; returns what was asked of the server. */
    private static List<Request> runOnS3(RunConfig config, String run) throws IOException {
        List<Request> requests = new CopyOnWriteArrayList<>();
        try (FaultyStore store = new FaultyStore(server.port())) {
            store.rule(request -> {
                requests.add(request);
                return FaultyStore.Answer.PASS;
            });
            assertThat(S3Run.run(config, run, S3Server.settings(store.port()))).isZero();
        }
        return requests;
    }

    /** How many requests there are of a method, of keys below a run's folder of parts; or with a query, of any. */
    private static long requests(List<Request> all, String method, String key) {
        return all.stream()
                .filter(request ->
                        request.method().matches(method) && request.path().matches("/" + BUCKET + "(/[^/?]+)?" + key))
                .count();
    }

    /** A report but for the seconds in it: the tile of their sum, and the decimals of the stages' lines. */
    private static String report(Path run) throws IOException {
        String html = Files.readString(run.resolve("report.html"));
        int stages = html.indexOf("<h2>Where the time went");
        int settings = html.indexOf("<h2>Settings");
        return html.substring(0, stages).replaceFirst("<b>[\\d.]+</b>(?=<span class=\"soft\">seconds in stages)", "")
                + html.substring(stages, settings).replaceAll("\\d+\\.\\d", "")
                + html.substring(settings);
    }

    private static long rejected(JsonNode counts, String stage) {
        long rows = 0;
        for (JsonNode reason : counts.get("rejected").path(stage)) {
            rows += reason.asLong();
        }
        return rows;
    }

    @Test
    void aRunWithEverythingOnS3MakesTheBytesOfALocalOneAndASecondRunComputesNothing() throws IOException {
        Path parts = folder.resolve("tiny");
        Path input = TinyRun.input(parts.resolve("in"), 8);
        TinyRun.classes(input.resolve("classes.tsv"));
        TinyRun.copy(BuiltIn.FASHION.folder(), parts.resolve("model"));
        String inception = Fingerprint.ofFile(InceptionStandIn.write(parts.resolve("inception.pt"), 2048));
        Path run = assertSameOnS3(
                parts,
                root -> TinyRun.config(
                        input,
                        readingFrom(
                                root,
                                "evaluation.sample=100",
                                "evaluation.inception={file: " + root + "/inception.pt, sha256: " + inception + "}")));
        assertThat(run.resolve("dataset/images/5-sandal")).isNotEmptyDirectory();
        assertThat(TinyRun.rows(run, "metrics", MetricRow.class))
                .extracting(MetricRow::metric)
                .contains("fid", "accuracy");
    }

    @Test
    @Tag("heavy")
    void aCheckpointInOneFileMayLieOnS3() throws IOException {
        Path parts = folder.resolve("single");
        Path input = TinyRun.input(parts.resolve("in"), 3);
        LdmLayout.ofRandomNumbers().write(parts.resolve("model.safetensors"));
        String remote = server.put(parts, "single");
        for (String root : List.of(parts.toString(), remote)) {
            RunConfig config = TinyRun.config(
                    input,
                    "model.checkpoint=" + root + "/model.safetensors",
                    "model.size=64",
                    "mixing=[{methods: nin/chm, inputs: 2, count: 2}]");
            assertThat(S3Run.run(config, root + "/run", S3Server.settings(server.port())))
                    .isZero();
        }
        S3Run.assertSameTables(server.fetch("single/run", folder.resolve("single run")), parts.resolve("run"));
    }

    @Test
    void aFileIsMadeByOneOfTwoAndALeaseIsHeldByOne() throws IOException {
        RunFolder run = new RunFolder("s3a://" + BUCKET + "/leased", S3Server.hadoop(server.settings()));
        org.apache.hadoop.fs.Path file = run.path("once");
        assertThat(run.create(file, new byte[] {1})).isTrue();
        assertThat(run.create(file, new byte[] {2})).isFalse();
        assertThat(run.read(file)).containsExactly(1);
        try (Lease lease = Lease.take(run, Duration.ofSeconds(3), () -> {})) {
            assertThatThrownBy(() -> Lease.take(run, Duration.ofSeconds(30), () -> {}))
                    .isInstanceOf(Lease.HeldException.class);
            lease.check();
        }
        Lease.take(run, Duration.ofSeconds(30), () -> {}).close();
    }

    @Test
    void aLeaseThatItsHolderRenewsWhileItIsReadIsHeld() throws IOException {
        RunFolder holder = new RunFolder(location("renewed"), S3Server.hadoop(server.settings()));
        org.apache.hadoop.fs.Path file = holder.path("lease.json");
        holder.publish(file, new byte[] {0});
        AtomicInteger reads = new AtomicInteger();
        try (FaultyStore store = new FaultyStore(server.port());
                FileSystem renewing = server.fileSystem()) {
            store.rule(request -> {
                if (request.method().equals("GET") && request.path().endsWith("renewed/lease.json")) {
                    int beat = reads.getAndIncrement();
                    if (beat % 2 == 0) { // its length and version are asked before
                        renew(renewing, file, beat + 1);
                    }
                }
                return FaultyStore.Answer.PASS;
            });
            var conf = S3Server.hadoop(S3Server.settings(store.port()));
            conf.setBoolean("fs.s3a.impl.disable.cache", true);
            assertThatThrownBy(() ->
                            Lease.take(new RunFolder(location("renewed"), conf), Duration.ofSeconds(30), () -> {}))
                    .isInstanceOf(Lease.HeldException.class);
        }
        assertThat(reads).hasValueGreaterThan(2);
    }

    private static void renew(FileSystem s3, org.apache.hadoop.fs.Path file, int beat) {
        try (FSDataOutputStream out = s3.create(file, true)) {
            out.write(beat);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aListedFileIsReadAsItWasListedAndOnlyIfItStillIs() throws IOException {
        org.apache.hadoop.fs.Path root = new org.apache.hadoop.fs.Path(location("listed"));
        RunFolder run = new RunFolder(root.toString(), S3Server.hadoop(server.settings()));
        run.publish(run.path("a/x.png"), new byte[] {1, 2, 3});
        FileSystem s3 = run.path("a").getFileSystem(run.conf());
        FileStatus listed = RunFolder.filesBelow(s3, run.path("a")).get(0);
        assertThat(run.read(listed)).containsExactly(1, 2, 3);
        FolderSource source = new FolderSource(root.toString());
        ImageFile file = new ImageFile("a/x.png", 3, listed.getModificationTime());
        for (byte[] other : new byte[][] {{4, 5}, {4, 5, 6, 7}, {}}) {
            run.publish(run.path("a/x.png"), other);
            assertThatThrownBy(() -> run.read(listed)).isInstanceOf(IOException.class);
            assertThat(source.read(file, run)).isEqualTo(Arrays.copyOf(other, Math.min(3, other.length)));
        }
        run.delete("a");
        assertThatThrownBy(() -> source.read(file, run)).isInstanceOf(FileNotFoundException.class);
    }

    @Test
    void anAbortedWriteLeavesNothing() throws IOException {
        RunFolder run = new RunFolder("s3a://" + BUCKET + "/aborted", S3Server.hadoop(server.settings()));
        org.apache.hadoop.fs.Path file = run.chunk(RunFolder.Table.MIXED, "a", "c1");
        FSDataOutputStream out = file.getFileSystem(run.conf()).create(file, true);
        out.write(new byte[1 << 20]);
        out.abort();
        assertThatThrownBy(() -> run.read(file)).isInstanceOf(FileNotFoundException.class);
        run.publish(file, new byte[] {1, 2, 3});
        assertThat(run.read(file)).containsExactly(1, 2, 3);
        assertThat(run.chunks(RunFolder.Table.MIXED, "a")).containsExactly("c1");
    }

    @Test
    void theConnectorNeedsNoBundleOfAllOfTheSdk() {
        assertThat(Arrays.stream(System.getProperty("java.class.path").split(java.io.File.pathSeparator)))
                .noneMatch(jar -> Path.of(jar).getFileName().toString().matches("(aws-java-sdk-)?bundle-.*\\.jar"))
                .anyMatch(jar -> Path.of(jar).getFileName().toString().matches("s3-2\\..*\\.jar"));
    }

    @Test
    @Tag("heavy")
    void filesThatHoldOrNameManyImagesAreReadByRangesWhereTheyLie() throws IOException {
        Path local = folder.resolve("shapes");
        List<Picture> pictures = Picture.of(TinyRun.input(local.resolve("in"), 4)).stream()
                .map(picture -> picture.saying(name -> "shoe " + name.length()))
                .toList();
        Picture.manifest(local.resolve("labels.csv"), pictures);
        Picture.parquet(Files.createDirectories(local.resolve("parquet")).resolve("a.parquet"), pictures);
        Picture.tar(Files.createDirectories(local.resolve("tar")).resolve("a.tar"), pictures);
        Function<String, RunConfig> config = root -> ConfigFile.parse(
                TinyRun.YAML,
                "shapes",
                TinyRun.overrides(
                        local, "input.root=" + root, "mixing.1.inputs=2", "prompt.from=caption", "prompt.mixture=mix"));
        Path inFolder = folder.resolve("run of shapes");
        assertThat(S3Run.run(config.apply(local.resolve("labels.csv").toString()), inFolder.toString(), Map.of()))
                .isZero();
        String remote = server.put(local, "shapes");
        for (String root : List.of("labels.csv", "parquet", "tar")) {
            List<Request> requests = runOnS3(config.apply(remote + "/" + root), remote + "/run-" + root);
            Path fetched = server.fetch("shapes/run-" + root, folder.resolve("fetched " + root));
            Map<String, String> made = made(fetched);
            assertThat(made).isNotEmpty().isEqualTo(made(inFolder));
            int perImage = root.equals("parquet") ? 4 : 1; // the dictionary, the index of pages, a header and the page
            long gets = requests(requests, "GET", "/(in/.*png|parquet/.*|tar/.*|labels.csv)");
            assertThat(gets)
                    .as("%s: an image is indexed, inverted and shown by the report", root)
                    .isBetween(2L * pictures.size(), 3L * pictures.size() * perImage + 6);
            if (root.equals("labels.csv")) {
                assertThat(requests(requests, "HEAD", "/in/.*png"))
                        .as("by the report alone: a folder is listed")
                        .isLessThanOrEqualTo(pictures.size());
            }
            if (root.equals("tar")) {
                assertThat(gets).isLessThanOrEqualTo(1 + 2L * pictures.size());
            }
        }
    }

    private static Map<String, String> made(Path run) throws IOException {
        Map<String, String> made = TinyRun.tables(run);
        made.keySet().removeIf(file -> !file.matches("(prompts|mixed|generated|dataset)/.*"));
        return made;
    }
}
