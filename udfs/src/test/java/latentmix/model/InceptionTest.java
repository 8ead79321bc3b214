package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.Fingerprint;
import latentmix.image.Pixels;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The way to the standard Inception, with a small program of the same signature. The file itself is not in the
 * repository and was not run.
 */
class InceptionTest {
    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void write() throws IOException {
        file = InceptionStandIn.write(folder.resolve("inception-2015-12-05.pt"), 2048);
    }

    @Test
    void bytesGoInAsTheyAreAndFeaturesComeOut() {
        Pixels image = new Pixels(2, 1, new byte[] {10, 20, (byte) 255, 30, 0, (byte) 250}); // means 20, 10, 252.5
        Pixels black = new Pixels(2, 1, new byte[6]);
        try (ImageEncoder inception = Models.inception(file, Fingerprint.ofFile(file), Device.cpu())) {
            List<float[]> features = inception.encode(List.of(image, black));
            assertThat(inception.width()).isEqualTo(2048);
            assertThat(features).hasSize(2).allMatch(each -> each.length == 2048);
            assertThat(features.get(0)[0]).isCloseTo(-3 * 20 - 2 * 10 - 252.5f, within(1e-3f));
            assertThat(features.get(0)[1]).isCloseTo(10 + 2 * 252.5f, within(1e-3f));
            assertThat(features.get(1)).containsOnly(0);
            assertThatThrownBy(() -> inception.encode(List.of(image, new Pixels(1, 1, new byte[3]))))
                    .hasMessageContaining("one size, cannot be: 2 × 1 and 1 × 1");
        }
    }

    @Test
    void aFileOfAnotherHashIsNotOpened() throws IOException {
        String named = Fingerprint.ofFile(file);
        Files.write(file, new byte[] {0}, java.nio.file.StandardOpenOption.APPEND);
        assertThatThrownBy(() -> Models.inception(file, named, Device.cpu()))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("should have the SHA-256 " + named + ", but has " + Fingerprint.ofFile(file));
        assertThatThrownBy(() -> Models.inception(folder.resolve("none.pt"), named, Device.cpu()))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("there is none");
        assertThatThrownBy(() -> Models.inception(folder, named, Device.cpu()))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("there is none");
    }

    @Test
    void aProgramWithOtherFeaturesIsRefused() throws IOException {
        Path small = InceptionStandIn.write(folder.resolve("small.pt"), 64);
        try (ImageEncoder other = Models.inception(small, Fingerprint.ofFile(small), Device.cpu())) {
            assertThatThrownBy(() -> other.encode(List.of(new Pixels(1, 1, new byte[3]))))
                    .hasMessageContaining("2048 features of an image, cannot return: 64");
        }
    }
}
