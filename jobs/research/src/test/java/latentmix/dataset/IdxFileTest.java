package latentmix.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import latentmix.image.Pixels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxFileTest {
    /** Two items of 1×2. */
    private static final byte[] BYTES = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, (byte) 200};

    @TempDir
    private Path folder;

    private Path file(String name, byte... bytes) throws IOException {
        return Files.write(folder.resolve(name), bytes);
    }

    @Test
    void readsItemsPlainOrGzipped() throws IOException {
        ByteArrayOutputStream zipped = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(zipped)) {
            out.write(BYTES);
        }
        for (Path file : new Path[] {file("plain", BYTES), file("zipped.gz", zipped.toByteArray())}) {
            IdxFile idx = IdxFile.read(file);
            assertThat(idx.shape()).containsExactly(2, 1, 2);
            Pixels pixels = idx.grey(1, 1);
            assertThat(pixels.width()).isEqualTo(4);
            assertThat(pixels.height()).isEqualTo(3);
            assertThat(pixels.rgb()[3 * (4 + 1)]).isEqualTo((byte) 30);
            assertThat(pixels.rgb()[3 * (4 + 2) + 2]).isEqualTo((byte) 200);
            assertThat(pixels.rgb()[0]).isZero();
        }
    }

    @Test
    void refusesWhatIsCutOrOfAnotherFormat() throws IOException {
        byte[] cut = Arrays.copyOf(BYTES, BYTES.length - 1);
        assertThatThrownBy(() -> IdxFile.read(file("cut", cut))).hasMessageContaining("expected 4 values");
        assertThatThrownBy(() -> IdxFile.read(file("head", (byte) 0, (byte) 0)))
                .hasMessageContaining("ends in its header");
        byte[] floats = BYTES.clone();
        floats[2] = 13;
        assertThatThrownBy(() -> IdxFile.read(file("floats", floats))).hasMessageContaining("unsigned bytes");
    }
}
