package latentmix.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import latentmix.plan.Catalog;
import latentmix.plan.ClassLabel;
import latentmix.source.FolderSource;
import latentmix.table.ImageRow;
import latentmix.table.RejectedRow;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.table.StageName;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImagesWorkTest {
    private static final ClassLabel CAT = new ClassLabel("cat 100%", 0, "cat", "a photo of a cat");

    @TempDir
    Path folder;

    private RunFolder run;
    private ImagesWork images;

    @BeforeEach
    void anInputFolder() throws IOException {
        Files.createDirectories(folder.resolve("in/cat 100%"));
        run = new RunFolder(folder.resolve("run").toString(), new Configuration());
        images = new ImagesWork(run, new FolderSource(folder.resolve("in").toString()), 2, Long.MAX_VALUE);
    }

    private Path file(String name, String content) throws IOException {
        return Files.writeString(folder.resolve("in/cat 100%").resolve(name), content);
    }

    private List<ImageRow> rows() throws IOException {
        List<ImageRow> rows = new ArrayList<>();
        for (String chunk : run.chunks(Table.IMAGES, CAT.classId())) {
            rows.addAll(RowFile.read(run.chunk(Table.IMAGES, CAT.classId(), chunk), run.conf(), ImageRow.class));
        }
        return rows;
    }

    private List<RejectedRow> rejected() throws IOException {
        List<RejectedRow> rows = new ArrayList<>();
        for (String chunk : run.rejectedChunks(StageName.IMAGES)) {
            rows.addAll(RowFile.read(run.rejected(StageName.IMAGES, chunk), run.conf(), RejectedRow.class));
        }
        return rows;
    }

    @Test
    void imagesAreSortedByIdAndCutIntoChunks() throws IOException {
        for (String name : List.of("a", "b", "c", "d", "e")) {
            file(name + ".png", name);
        }
        file(".hidden", "x");
        Catalog catalog = images.scan(CAT);
        assertThat(catalog.images()).isEqualTo(5);
        assertThat(catalog.chunks()).extracting(Catalog.Chunk::rows).containsExactly(2, 2, 1);
        assertThat(rows()).extracting(ImageRow::imageId).isSorted();
        assertThat(rows()).extracting(ImageRow::position).containsExactly(0, 1, 0, 1, 0);
        assertThat(rows()).extracting(ImageRow::path).contains("cat 100%/a.png").doesNotContain("cat 100%/.hidden");
    }

    @Test
    void aLimitTakesTheLeastIdsAndALargerOneOnlyAdds() throws IOException {
        for (String name : List.of("a", "b", "c", "d", "e", "f")) {
            file(name, name);
        }
        String input = folder.resolve("in").toString();
        assertThat(new ImagesWork(run, new FolderSource(input), 2, 2).scan(CAT).images())
                .isEqualTo(2);
        List<String> two = rows().stream().map(ImageRow::imageId).toList();
        assertThat(new ImagesWork(run, new FolderSource(input), 2, 5).scan(CAT).images())
                .isEqualTo(5);
        List<String> five = rows().stream().map(ImageRow::imageId).sorted().toList();
        assertThat(images.scan(CAT).images()).isEqualTo(6);
        List<String> all = rows().stream().map(ImageRow::imageId).sorted().toList();

        assertThat(two).isEqualTo(all.subList(0, 2));
        assertThat(five).isEqualTo(all.subList(0, 5));
        assertThat(rejected()).isEmpty();
    }

    @Test
    void anAddedImageIsAppendedInAChunkOfItsOwnAndChangesNone() throws IOException {
        file("a", "a");
        file("b", "b");
        file("c", "c");
        List<Catalog.Chunk> before = images.scan(CAT).chunks();
        file("0-first-by-name", "d");
        List<Catalog.Chunk> after = images.scan(CAT).chunks();
        assertThat(after).containsAll(before).hasSize(before.size() + 1);
        assertThat(images.scan(CAT).chunks()).isEqualTo(after);
    }

    @Test
    void theSameBytesTwiceAreOneRowAndOneDuplicateHoweverOftenTheyAreFound() throws IOException {
        file("b", "same");
        file("a", "same");
        images.scan(CAT);
        images.scan(CAT);
        assertThat(rows()).extracting(ImageRow::path).containsExactly("cat 100%/a");
        assertThat(rejected())
                .extracting(RejectedRow::path, RejectedRow::reason)
                .containsExactly(tuple("cat 100%/b", "duplicate"));
        file("c", "same");
        assertThat(images.scan(CAT).rejected()).isEqualTo(2);
        assertThat(rejected()).hasSize(2);
    }

    @Test
    void aTouchedFileIsTheSameImageAndAChangedOneIsAnother() throws IOException {
        Path file = file("a", "a");
        images.scan(CAT);
        Files.setLastModifiedTime(file, FileTime.fromMillis(1_000));
        assertThat(images.scan(CAT).images()).isEqualTo(1);
        file("a", "b");
        Files.setLastModifiedTime(file, FileTime.fromMillis(2_000));
        assertThat(images.scan(CAT).images()).isEqualTo(2);
    }

    @Test
    void anEmptyClassHasNoImages() throws IOException {
        assertThat(images.scan(CAT).images()).isZero();
        assertThat(run.chunks(Table.IMAGES)).isEmpty();
    }
}
