package latentmix.work;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import latentmix.config.RunConfig;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.image.SyntheticMark;
import latentmix.latent.Degeneracy;
import latentmix.plan.ClassLabel;
import latentmix.plan.ExportChunk;
import latentmix.plan.ExportShard;
import latentmix.source.ImageSource;
import latentmix.table.ContentId;
import latentmix.table.DatasetRow;
import latentmix.table.GeneratedRow;
import latentmix.table.InvertedRow;
import latentmix.table.LatentColumn;
import latentmix.table.MixedRow;
import latentmix.table.StageName;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The dataset of a class whose images are made up. */
class ExportWorkTest {
    /** Its label and name are those of the class list now, not those of the rows. */
    private static final ClassLabel CAT = new ClassLabel("cat 100%", 3, "a \"big\" cat", "a photo of a cat");

    @TempDir
    Path folder;

    private TinyWork work;

    @BeforeEach
    void fourMixturesOfWhichTheSecondWasRefused() throws IOException {
        work = new TinyWork(folder);
        put("one", "m3", "m0", "m2", "m1");
    }

    /** Mixtures whose number is their k, and the images of all but the first that is an odd number. */
    private void put(String chunk, String... mixtures) throws IOException {
        List<MixedRow> mixed = new ArrayList<>();
        List<GeneratedRow> generated = new ArrayList<>();
        for (String mixture : mixtures) {
            int k = Integer.parseInt(mixture.substring(1));
            mixed.add(mixed(mixture, k));
            if (k != 1) {
                generated.add(generated(mixture));
            }
        }
        work.put("mixed", "cat 100%25", chunk, MixedRow.class, mixed);
        work.put("generated", "cat 100%25", "generated-" + chunk, GeneratedRow.class, generated);
    }

    private static MixedRow mixed(String mixId, int k) {
        return new MixedRow(
                mixId,
                CAT.classId(),
                0,
                "cat",
                CAT.prompt(),
                k,
                "pool",
                "nin/chm",
                List.of("source-" + k, "source"),
                List.of(0.25, 0.75),
                1.6,
                LatentColumn.NONE,
                1,
                List.of(),
                1,
                1,
                LatentColumn.NONE,
                0,
                0,
                0,
                new Degeneracy(0, 0, 0, 0, 0, 0, 0),
                "mixing",
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of());
    }

    private static GeneratedRow generated(String mixId) {
        return new GeneratedRow(
                mixId,
                CAT.classId(),
                0,
                "cat",
                new GeneratedRow.EncodedImage(file(mixId), CAT.classId() + "/" + mixId + ".png"),
                8,
                8,
                0,
                0,
                0,
                0,
                0,
                0,
                "generation");
    }

    private ExportWork export() throws IOException {
        return export(false);
    }

    private ExportWork export(boolean mark) throws IOException {
        Files.createDirectories(folder.resolve("in"));
        ImageSource source = ImageSource.of(
                new RunConfig.Input(
                        folder.resolve("in").toString(), null, 10_000, List.of(), null, RunConfig.Conflicts.KEEP),
                Map.of(),
                work.run().conf());
        return new ExportWork(work.run(), new ExportWork.Terms("{}", Map.of(), mark, source, 10_000, 8));
    }

    /** A picture that differs from the others'. */
    private static byte[] file(String mixId) {
        byte[] rgb = new byte[3 * 8 * 8];
        new Random(mixId.hashCode()).nextBytes(rgb);
        return PngEncoder.encode(new Pixels(8, 8, rgb));
    }

    private static ExportChunk chunk(String mixed, int asked) {
        String generated = "generated-" + mixed;
        String id = ContentId.of("{}", generated, Integer.toString(asked));
        return new ExportChunk.Made(id, CAT, generated, mixed, asked, 1);
    }

    private static ExportShard shard(ExportChunk... chunks) {
        return new ExportShard("shard", List.of(chunks));
    }

    private List<String> images() throws IOException {
        try (var files = Files.list(folder.resolve("dataset/images/cat 100%"))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void rowsComeByTheirNumberWithTheLabelOfTheClassListAndWithoutRefusedOnes() throws IOException {
        AtomicLong progress = new AtomicLong();
        ChunkResult result = export().parquet(shard(chunk("one", 4)), progress::addAndGet);
        assertThat(result.rows()).isEqualTo(3);
        assertThat(progress).as("refused ones are done, too").hasValue(4);
        assertThat(export().images(chunk("one", 4), rows -> {}).rows()).isEqualTo(3);

        assertThat(work.rows("dataset/parquet", DatasetRow.class))
                .hasSize(3)
                .allSatisfy(row -> {
                    assertThat(row.label()).isEqualTo(3);
                    assertThat(row.className()).isEqualTo("a \"big\" cat");
                    assertThat(row.method()).isEqualTo("nin/chm");
                    assertThat(row.weights()).containsExactly(0.25, 0.75);
                    assertThat(row.image().bytes()).isEqualTo(file(row.mixId()));
                    assertThat(row.image().path()).isEqualTo("cat 100%/" + row.mixId() + ".png");
                })
                .extracting(DatasetRow::mixId)
                .containsExactly("m0", "m2", "m3");
        assertThat(images()).containsExactly("m0.png", "m2.png", "m3.png");
        assertThat(Files.readAllBytes(folder.resolve("dataset/images/cat 100%/m2.png")))
                .isEqualTo(file("m2"));
    }

    @Test
    void ofAChunkOfWhichFewerAreAskedForTheFirstOnesAreTaken() throws IOException {
        export().parquet(shard(chunk("one", 3)), rows -> {});
        assertThat(work.rows("dataset/parquet", DatasetRow.class))
                .extracting(DatasetRow::mixId)
                .containsExactly("m0", "m2");
    }

    @Test
    void theFolderHasALineForEachImageAndNoOtherImage() throws IOException {
        put("two", "m4", "m5");
        List<ExportChunk> chunks = List.of(chunk("two", 2), chunk("one", 4));
        for (ExportChunk chunk : chunks) {
            export().images(chunk, rows -> {});
        }
        Files.writeString(folder.resolve("dataset/images/cat 100%/of-an-earlier-run.png"), "old");

        assertThat(export().finish(CAT, chunks))
                .isEqualTo(new ExportWork.ClassCount(CAT, 5, 0))
                .isEqualTo(export().count(CAT, chunks));

        assertThat(images()).containsExactly("m0.png", "m2.png", "m3.png", "m4.png", "m5.png", "metadata.jsonl");
        Path metadata = folder.resolve("dataset/images/cat 100%/metadata.jsonl");
        List<String> lines = Files.readAllLines(metadata);
        assertThat(lines).hasSize(5);
        JsonNode second = new ObjectMapper().readTree(lines.get(1));
        assertThat(second.properties().stream().map(property -> property.getKey()))
                .containsExactly(
                        "file_name", "label", "class_name", "split", "mix_id", "method", "source_ids", "weights");
        assertThat(second.get("file_name").asText()).isEqualTo("m2.png");
        assertThat(second.get("label").asInt()).isEqualTo(3);
        assertThat(second.get("class_name").asText()).isEqualTo("a \"big\" cat");
        assertThat(second.get("source_ids").get(0).asText()).isEqualTo("source-2");
    }

    @Test
    void aTarHasEachImageWithItsClassAndWhereItComesFromAndNothingOfThisMachine() throws IOException {
        put("two", "m4", "m5");
        export().webdataset(shard(chunk("two", 2), chunk("one", 4)), rows -> {});
        Path file = folder.resolve("dataset/webdataset/made-shard.tar");
        Map<String, byte[]> members = new LinkedHashMap<>();
        try (TarArchiveInputStream tar = new TarArchiveInputStream(Files.newInputStream(file))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                assertThat(entry.getLastModifiedTime().toMillis()).isZero();
                assertThat(entry.getUserName() + entry.getGroupName()).isEmpty();
                assertThat(entry.getLongUserId() + entry.getLongGroupId()).isZero();
                members.put(entry.getName(), tar.readAllBytes());
            }
        }
        assertThat(members).hasSize(3 * 5);
        assertThat(List.copyOf(members.keySet()).subList(0, 7))
                .containsExactly("m4.png", "m4.cls", "m4.json", "m5.png", "m5.cls", "m5.json", "m0.png");
        assertThat(members.get("m2.png")).isEqualTo(file("m2"));
        assertThat(members.get("m2.cls")).asString().isEqualTo("3");
        JsonNode json = new ObjectMapper().readTree(members.get("m2.json"));
        assertThat(json.get("class_name").asText()).isEqualTo("a \"big\" cat");
        assertThat(json.get("source_ids").get(0).asText()).isEqualTo("source-2");
    }

    @Test
    void aMarkedImageSaysThatAModelMadeItAndWhichItIsInEveryFormat() throws Exception {
        export(true).parquet(shard(chunk("one", 4)), rows -> {});
        export(true).images(chunk("one", 4), rows -> {});
        for (DatasetRow row : work.rows("dataset/parquet", DatasetRow.class)) {
            assertThat(row.image().bytes())
                    .isEqualTo(SyntheticMark.on(file(row.mixId()), row.mixId()))
                    .isEqualTo(Files.readAllBytes(
                            folder.resolve("dataset/images").resolve(row.image().path())));
        }
    }

    @Test
    void realImagesAreSquaredSayThatTheyAreRealAndHaveNoMarkAndOneThatChangedIsRefused() throws Exception {
        List<InvertedRow> inverted = new ArrayList<>();
        for (String name : List.of("a", "b", "c", "withdrawn")) {
            byte[] rgb = new byte[3 * 20 * 10];
            new Random(name.hashCode()).nextBytes(rgb);
            byte[] png = PngEncoder.encode(new Pixels(20, 10, rgb));
            Path file = folder.resolve("in/cat 100%/" + name + ".png");
            Files.createDirectories(file.getParent());
            Files.write(file, name.equals("b") ? file("another") : png);
            inverted.add(inverted(ContentId.of(CAT.classId(), png), CAT.classId() + "/" + name + ".png"));
        }
        work.put("inverted", "cat 100%25", "sources", InvertedRow.class, inverted);
        List<String> leftOut = List.of(inverted.get(3).imageId());
        ExportChunk real = new ExportChunk.Real("real", CAT, "sources", 3, leftOut);
        ChunkResult result = export(true).parquet(shard(real), rows -> {});
        assertThat(List.of(result.rows(), result.rejected())).containsExactly(2L, 1L);
        export(true).images(real, rows -> {});
        export(true).webdataset(shard(real), rows -> {});
        assertThat(export(true).finish(CAT, List.of(real, chunk("one", 4))))
                .isEqualTo(new ExportWork.ClassCount(CAT, 3, 2));

        List<DatasetRow> rows = work.rows("dataset/parquet", DatasetRow.class);
        assertThat(rows).hasSize(2).allSatisfy(row -> {
            assertThat(row.split()).isEqualTo("real");
            assertThat(row.mixId() + row.method()).isEmpty();
            assertThat(row.weights()).containsExactly(1.0);
            assertThat(row.image().path())
                    .isEqualTo("cat 100%/real-" + row.sourceIds().get(0) + ".png");
            Pixels pixels = ImageDecoder.decode(row.image().bytes(), 100);
            assertThat(List.of(pixels.width(), pixels.height())).containsExactly(8, 8);
            assertThat(new String(row.image().bytes(), StandardCharsets.ISO_8859_1))
                    .doesNotContain("xmp");
            assertThat(row.image().bytes())
                    .isEqualTo(Files.readAllBytes(
                            folder.resolve("dataset/images").resolve(row.image().path())));
        });
        assertThat(work.rejected(StageName.EXPORT)).singleElement().satisfies(row -> {
            assertThat(row.path()).isEqualTo("cat 100%/b.png");
            assertThat(row.reason()).isEqualTo("changed");
        });
        assertThat(images()).filteredOn(file -> file.startsWith("real-")).hasSize(2);
    }

    private static InvertedRow inverted(String id, String path) {
        return new InvertedRow(
                id,
                CAT.classId(),
                3,
                "cat",
                path,
                CAT.prompt(),
                LatentColumn.NONE,
                1,
                List.of(),
                LatentColumn.NONE,
                0,
                "inversion",
                "fingerprint");
    }

    @Test
    void aFolderHasNoDollarSignsAndEachClassOneOfItsOwn() {
        assertThat(Stream.of("$HOME", "50%", "%24HOME", "%2524HOME", "$", "%24", "a")
                        .map(ExportWork::folder))
                .containsExactly("%24HOME", "50%", "%2524HOME", "%252524HOME", "%24", "%2524", "a");
    }

    @Test
    void aFolderThatIsAsItShouldBeIsLeftAlone() throws IOException {
        List<ExportChunk> chunks = List.of(chunk("one", 4));
        export().images(chunks.get(0), rows -> {});
        export().finish(CAT, chunks);
        Path metadata = folder.resolve("dataset/images/cat 100%/metadata.jsonl");
        FileTime longAgo = FileTime.fromMillis(1_000);
        Files.setLastModifiedTime(metadata, longAgo);
        export().finish(CAT, chunks);
        assertThat(Files.getLastModifiedTime(metadata)).isEqualTo(longAgo);

        assertThat(export().finish(CAT, List.of()).made()).isZero();
        assertThat(images()).containsExactly("metadata.jsonl");
        assertThat(metadata).isEmptyFile();
    }
}
