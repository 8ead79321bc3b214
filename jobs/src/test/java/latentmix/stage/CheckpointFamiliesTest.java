package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import latentmix.GoldenCheckpoint;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.UnreadableImage;
import latentmix.latent.Shape;
import latentmix.table.InvertedRow;
import latentmix.table.RowFile;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole job on a small checkpoint of each family that is supported. */
class CheckpointFamiliesTest {
    private static final Map<String, UnaryOperator<Path>> FAMILIES = Map.of(
            "Stable Diffusion 1.5", GoldenCheckpoint::sd15,
            "Stable Diffusion 2.1", GoldenCheckpoint::sd21,
            "zero terminal SNR", GoldenCheckpoint::zeroTerminalSnr);

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"Stable Diffusion 1.5", "Stable Diffusion 2.1", "zero terminal SNR"})
    void imagesBecomeADataset(String family) throws IOException, UnreadableImage {
        Path checkpoint = FAMILIES.get(family).apply(Files.createDirectory(folder.resolve("checkpoint")));
        Path input = TinyRun.input(folder.resolve("in"), 8);
        Path run = folder.resolve("run");

        int exitCode = TinyRun.run(2, TinyRun.config(input, "model.checkpoint=" + checkpoint), run);

        assertThat(exitCode).isZero();
        assertThat(run.resolve("rejected")).doesNotExist();
        List<Path> images = files(run.resolve("dataset/images"), ".png");
        assertThat(images).hasSize(2 * 6);
        for (Path image : images) {
            Pixels pixels = ImageDecoder.decode(Files.readAllBytes(image), 1 << 20);
            assertThat(List.of(pixels.width(), pixels.height())).containsExactly(128, 128);
        }
        for (Path file : files(run.resolve("inverted"), ".parquet")) {
            for (InvertedRow row :
                    RowFile.read(new org.apache.hadoop.fs.Path(file.toUri()), new Configuration(), InvertedRow.class)) {
                assertThat(row.latent().latent().shape()).isEqualTo(new Shape(4, 16, 16));
            }
        }
    }

    private static List<Path> files(Path folder, String ending) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(ending))
                    .sorted()
                    .toList();
        }
    }
}
