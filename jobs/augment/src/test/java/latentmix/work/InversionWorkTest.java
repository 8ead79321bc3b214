package latentmix.work;

import static latentmix.work.TinyWork.SANDAL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointException;
import latentmix.plan.Catalog;
import latentmix.plan.InversionChunk;
import latentmix.plan.InversionSettings;
import latentmix.plan.RunSettings;
import latentmix.source.FolderSource;
import latentmix.table.CaptionsTable;
import latentmix.table.InvertedRow;
import latentmix.table.RejectedRow;
import latentmix.table.StageName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Chunks of the built-in sample, inverted in 2 steps by the built-in model. */
class InversionWorkTest {
    @TempDir
    Path folder;

    private TinyWork work;
    private Path input;
    private Path images;

    @BeforeEach
    void threeImages() throws IOException {
        work = new TinyWork(folder.resolve("run"));
        work.encodePrompts(SANDAL);
        input = folder.resolve("in");
        images = Files.createDirectories(input.resolve(SANDAL.classId()));
        Path sample = Path.of(BuiltIn.located("builtin:fashion-mnist-sample")).resolve(SANDAL.classId());
        try (Stream<Path> files = Files.list(sample)) {
            for (Path file : files.sorted().limit(3).toList()) {
                Files.copy(file, images.resolve(file.getFileName()));
            }
        }
    }

    @AfterEach
    void aDeviceThatWorks() {
        FailingDevice.isMended();
    }

    /** The one chunk of what is in the folder now. */
    private InversionChunk scan(RunSettings settings) throws IOException {
        Catalog catalog = new ImagesWork(work.run(), new FolderSource(input.toString()), 8).scan(SANDAL);
        return InversionChunk.of(settings.inversionId(), catalog, Set.of()).get(0);
    }

    private InversionWork inversion(RunSettings settings, AtomicLong progress) {
        return new InversionWork(
                work.run(),
                TinyWork.model(),
                new FolderSource(input.toString()),
                1 << 20,
                settings.inversion(),
                settings.inversionId(),
                progress::addAndGet);
    }

    private List<InvertedRow> inverted() throws IOException {
        return work.rows("inverted", InvertedRow.class);
    }

    @Test
    void everyImageIsARowInTheOrderOfIdsWithItsNoiseAndWhereThatBegan() throws IOException {
        RunSettings settings = work.settings();
        InversionChunk chunk = scan(settings);
        AtomicLong progress = new AtomicLong();

        ChunkResult result = inversion(settings, progress).invert(chunk);

        assertThat(result.rows()).isEqualTo(3);
        assertThat(result.networkEvaluations()).as("rows × steps, unguided").isEqualTo(3 * 2);
        assertThat(progress).hasValue(3);
        assertThat(inverted()).extracting(InvertedRow::imageId).isSorted();
        assertThat(inverted()).hasSize(3).allSatisfy(row -> {
            assertThat(row.latent().shape()).hasToString(row.encoded().shape().toString());
            assertThat(row.latent().latent().values())
                    .isNotEqualTo(row.encoded().latent().values());
            assertThat(row.norm()).isCloseTo(row.latent().latent().norm(), within(1e-9));
            assertThat(row.prompt()).isEqualTo(SANDAL.prompt());
            assertThat(row.halvings()).isZero();
            assertThat(row.settingsId()).isEqualTo(settings.inversionId());
        });
        assertThat(work.rejected(StageName.INVERT)).isEmpty();
        assertThat(work.files("companions")).isEmpty();
    }

    @Test
    void eachImageIsInvertedWithItsOwnCaptionAndNoOther() throws IOException {
        work.encode("a dress", "a boot");
        RunSettings settings = work.settings("inversion.guidance=2");
        InversionChunk byClass = scan(settings);
        inversion(settings, new AtomicLong()).invert(byClass);
        List<InvertedRow> plain = inverted();
        List<String> ids = plain.stream().map(InvertedRow::imageId).toList();
        TreeMap<String, String> captions = new TreeMap<>(Map.of(ids.get(1), "a dress", ids.get(2), "a boot"));
        new CaptionsTable(work.run(), SANDAL.classId()).publish(captions);
        String hash = InversionChunk.captions(SANDAL.prompt(), ids, captions);
        InversionChunk captioned = new InversionChunk(
                byClass.id(), SANDAL, byClass.file(), byClass.images(), hash, byClass.rows(), List.of());
        inversion(settings, new AtomicLong()).invert(captioned);
        List<InvertedRow> rows = inverted();
        assertThat(rows).extracting(InvertedRow::prompt).containsExactly(SANDAL.prompt(), "a dress", "a boot");
        for (int i = 0; i < 3; i++) {
            double[] before = plain.get(i).latent().latent().values();
            double[] now = rows.get(i).latent().latent().values();
            assertThat(Arrays.equals(before, now)).as("image " + i).isEqualTo(i == 0);
        }
        captions.remove(ids.get(1));
        new CaptionsTable(work.run(), SANDAL.classId()).publish(captions);
        assertThatThrownBy(() -> inversion(settings, new AtomicLong()).invert(captioned))
                .hasMessageContaining("must be those that were planned for");
    }

    @Test
    void filesThatCannotBeTakenAreRowsOfRejectedWithTheirReason() throws IOException {
        Files.writeString(images.resolve("words.png"), "no image");
        RunSettings settings = work.settings();
        InversionChunk chunk = scan(settings);
        List<Path> files;
        try (Stream<Path> found = Files.list(images)) {
            files = found.sorted().toList();
        }
        FileTime listed = Files.getLastModifiedTime(files.get(0));
        byte[] bytes = Files.readAllBytes(files.get(0));
        bytes[bytes.length - 1] ^= 1;
        Files.write(files.get(0), bytes);
        Files.setLastModifiedTime(files.get(0), listed);
        Files.delete(files.get(1));

        ChunkResult result = inversion(settings, new AtomicLong()).invert(chunk);

        assertThat(result.rows()).isEqualTo(1);
        assertThat(inverted())
                .extracting(InvertedRow::path)
                .containsExactly(SANDAL.classId() + "/" + files.get(2).getFileName());
        assertThat(work.rejected(StageName.INVERT))
                .extracting(RejectedRow::path, RejectedRow::reason)
                .containsExactlyInAnyOrder(
                        tuple(SANDAL.classId() + "/" + files.get(0).getFileName(), "changed"),
                        tuple(SANDAL.classId() + "/" + files.get(1).getFileName(), "unreadable"),
                        tuple(SANDAL.classId() + "/words.png", "not an image"));
    }

    @Test
    void whereMemoryIsShortTheSameNoiseComesInHalvesThatSaySo() throws IOException {
        RunSettings settings = work.settings();
        InversionChunk chunk = scan(settings);
        inversion(settings, new AtomicLong()).invert(chunk);
        List<InvertedRow> whole = inverted();

        FailingDevice.hasMemoryFor(1);
        ChunkResult result = inversion(settings, new AtomicLong()).invert(chunk);

        assertThat(result.networkEvaluations()).isEqualTo(3 * 2);
        List<InvertedRow> halved = inverted();
        assertThat(halved).extracting(InvertedRow::halvings).containsExactly(1, 1, 0); // of a pair, and alone
        for (int i = 0; i < 3; i++) {
            assertThat(halved.get(i).imageId()).isEqualTo(whole.get(i).imageId());
            assertThat(halved.get(i).latent().latent().values())
                    .containsExactly(whole.get(i).latent().latent().values(), within(1e-4));
        }
    }

    @Test
    void whatAnInversionKeepsBesideTheNoiseIsPublishedByMicroBatch() throws IOException {
        RunSettings settings = work.settings("inversion.method=bdia");
        inversion(settings, new AtomicLong()).invert(scan(settings));
        assertThat(inverted()).hasSize(3);
        assertThat(work.files("companions"))
                .extracting(file -> file.getFileName().toString())
                .allMatch(name -> name.matches("[0-9a-f]+-[01]\\.parquet"))
                .hasSize(2);
    }

    @Test
    void anotherCheckpointThanTheDriversIsAnErrorThatSaysWhatToDo() throws IOException {
        RunSettings settings = work.settings();
        InversionSettings own = settings.inversion();
        assertThatThrownBy(() -> TinyWork.model().expecting("f".repeat(32)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("f".repeat(32))
                .hasMessageContaining(own.checkpointFingerprint())
                .hasMessageContaining("put the same files onto every machine");
    }

    @Test
    void theSameChunkGivesTheSameBytesAgain() throws IOException {
        RunSettings settings = work.settings();
        InversionChunk chunk = scan(settings);
        List<byte[]> bytes = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            inversion(settings, new AtomicLong()).invert(chunk);
            bytes.addAll(work.bytes("inverted"));
        }
        assertThat(bytes).hasSize(2);
        assertThat(bytes.get(1)).isEqualTo(bytes.get(0));
    }
}
