package latentmix.work;

import static latentmix.work.TinyWork.SANDAL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.image.ImageDecoder;
import latentmix.image.UnreadableImage;
import latentmix.model.ImageClassifier;
import latentmix.plan.Catalog;
import latentmix.plan.FeatureChunk;
import latentmix.plan.FeatureSettings;
import latentmix.source.FolderSource;
import latentmix.source.ImageSource;
import latentmix.table.FeatureRow;
import latentmix.table.FeaturesTable;
import latentmix.table.GeneratedRow;
import latentmix.table.RejectedRow;
import latentmix.table.StageName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the built-in classifier says of the built-in sample. */
class FeatureWorkTest {
    private static final String CLASSIFIER = BuiltIn.located("builtin:fashion/classifier");

    @TempDir
    Path folder;

    private TinyWork work;
    private List<Path> sample;

    @BeforeEach
    void threeImagesOfTheSample() throws IOException {
        work = new TinyWork(folder.resolve("run"));
        Path images = Path.of(BuiltIn.located("builtin:fashion-mnist-sample")).resolve(SANDAL.classId());
        try (Stream<Path> files = Files.list(images)) {
            sample = files.sorted().limit(3).toList();
        }
    }

    @AfterEach
    void aDeviceThatWorks() {
        FailingDevice.isMended();
    }

    private ChunkResult extract(FeatureChunk chunk) throws IOException {
        FeatureSettings settings = new FeatureSettings("classifier", "", "cpu", 2, 1, 32);
        FeatureWork.Network network = new FeatureWork.Network(FeatureKind.CLASSIFIER, CLASSIFIER, settings, "features");
        ImageSource source = new FolderSource(folder.resolve("in").toString());
        FeatureWork.Places places = new FeatureWork.Places(source, source, "", 1 << 20);
        return new FeatureWork(work.run(), network, places, TinyWork.model(), rows -> {}).extract(chunk);
    }

    private FeatureChunk generatedSample() throws IOException {
        work.put(
                "generated",
                SANDAL.classId(),
                "made",
                GeneratedRow.class,
                sample.stream().map(FeatureWorkTest::generated).toList());
        return FeatureChunk.of("features", SANDAL.classId(), FeatureChunk.Source.GENERATED, "made", "made", 3);
    }

    private static GeneratedRow generated(Path file) {
        String name = file.getFileName().toString();
        return new GeneratedRow(
                name,
                SANDAL.classId(),
                SANDAL.label(),
                SANDAL.className(),
                new GeneratedRow.EncodedImage(bytes(file), SANDAL.classId() + "/" + name),
                32,
                32,
                0,
                0,
                0,
                0,
                0,
                0,
                "generation");
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<FeatureVector> features() throws IOException {
        return work.rows("features", FeaturesTable.Answer.class).stream()
                .map(FeatureVector::of)
                .toList();
    }

    @Test
    void aRowIsWhatTheNetworkSaysOfTheImageAlone() throws IOException, UnreadableImage {
        extract(generatedSample());
        List<FeatureVector> rows = features();
        assertThat(rows)
                .extracting(FeatureVector::id)
                .isEqualTo(sample.stream()
                        .map(file -> file.getFileName().toString())
                        .toList());
        try (ImageClassifier classifier = (ImageClassifier) FeatureKind.CLASSIFIER.open(
                CLASSIFIER, "", TinyWork.model().device(), work.run().conf())) {
            for (int i = 0; i < rows.size(); i++) {
                ImageClassifier.Classification alone = classifier
                        .classify(List.of(ImageDecoder.decode(bytes(sample.get(i)), 1 << 20)))
                        .get(0);
                assertThat(rows.get(i).features()).containsExactly(alone.features(), within(1e-4f));
                assertThat(rows.get(i).logits()).containsExactly(alone.logits(), within(1e-4f));
            }
        }
    }

    @Test
    void whereMemoryIsShortTheRowsSayHowOftenTheirMicroBatchWasHalved() throws IOException {
        FailingDevice.hasMemoryFor(1);
        extract(generatedSample());
        assertThat(work.rows("features", FeatureRow.class))
                .extracting(FeatureRow::halvings)
                .containsExactly(1, 1, 0); // of a pair, and alone
    }

    @Test
    void filesOfTheInputThatChangedOrWentAwayAreRowsOfRejected() throws IOException {
        Path images = Files.createDirectories(folder.resolve("in").resolve(SANDAL.classId()));
        for (Path file : sample) {
            Files.copy(file, images.resolve(file.getFileName()));
        }
        Catalog.Chunk listed = new ImagesWork(
                        work.run(), new FolderSource(folder.resolve("in").toString()), 8)
                .scan(SANDAL)
                .chunks()
                .get(0);
        Path changed = images.resolve(sample.get(0).getFileName());
        Path gone = images.resolve(sample.get(1).getFileName());
        Files.write(changed, new byte[Math.toIntExact(Files.size(changed))]);
        Files.delete(gone);

        ChunkResult result = extract(FeatureChunk.of(
                "features", SANDAL.classId(), FeatureChunk.Source.INPUT, listed.file(), listed.id(), listed.rows()));

        assertThat(result.rows()).isEqualTo(1);
        assertThat(result.rejected()).isEqualTo(2);
        assertThat(features()).hasSize(1);
        assertThat(work.rejected(StageName.EVALUATE))
                .extracting(RejectedRow::path, RejectedRow::reason)
                .containsExactlyInAnyOrder(
                        tuple(SANDAL.classId() + "/" + changed.getFileName(), "changed"),
                        tuple(SANDAL.classId() + "/" + gone.getFileName(), "unreadable"));
    }
}
