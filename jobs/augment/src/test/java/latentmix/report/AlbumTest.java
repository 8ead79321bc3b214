package latentmix.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassPool;
import latentmix.plan.Kept;
import latentmix.source.FolderSource;
import latentmix.table.ContentId;
import latentmix.table.InvertedRow;
import latentmix.table.InvertedTable;
import latentmix.table.LatentColumn;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AlbumTest {
    private static final ClassLabel CAT = new ClassLabel("cat", 0, "a cat", "a photo of a cat");

    @TempDir
    Path folder;

    private RunFolder run;

    /** A run folder in which the files a.png, b.png and c.png of one class were inverted. */
    @BeforeEach
    void threeInvertedImages() throws IOException {
        run = new RunFolder(folder.resolve("run").toString(), new Configuration());
        Files.createDirectories(folder.resolve("in/cat"));
        List<InvertedRow> rows = new ArrayList<>();
        for (String name : List.of("a", "b", "c")) {
            byte[] file = png(name.charAt(0));
            Files.write(file(name), file);
            LatentColumn latent = new LatentColumn(1, 1, 1, new byte[4]);
            rows.add(new InvertedRow(
                    ContentId.of("cat", file),
                    "cat",
                    0,
                    "a cat",
                    "cat/" + name + ".png",
                    CAT.prompt(),
                    latent,
                    0,
                    List.of(0.0),
                    latent,
                    0,
                    "s",
                    "f"));
        }
        new InvertedTable(run, "cat").commit("chunk", rows, List.of());
    }

    private Path file(String name) {
        return folder.resolve("in/cat/" + name + ".png");
    }

    /** A square of one grey level. */
    private static byte[] png(int level) {
        float[] values = new float[3 * 4 * 4];
        java.util.Arrays.fill(values, level / 255f);
        return PngEncoder.encode(Pixels.ofChw(values, 0, 4, 4));
    }

    private List<String> shown() throws IOException {
        Album album =
                new Album(new FolderSource(folder.resolve("in").toString()), 1 << 20, Kept.all(List.of()), "g", 4);
        return album.open(run, new ClassPool(CAT, List.of("chunk"), List.of())).sources().stream()
                .map(Gallery.Picture::title)
                .toList();
    }

    @Test
    void theSourcesAreTheFilesThatWereInverted() throws IOException {
        assertThat(shown()).containsExactly("cat/a.png", "cat/b.png", "cat/c.png");
    }

    @Test
    void aFileThatHasOtherBytesNowIsNotShownAsTheSource() throws IOException {
        Files.write(file("b"), png(200));
        assertThat(shown()).containsExactly("cat/a.png", "cat/c.png");
    }

    @Test
    void aFileThatIsGoneIsNotShown() throws IOException {
        Files.delete(file("a"));
        assertThat(shown()).containsExactly("cat/b.png", "cat/c.png");
    }
}
