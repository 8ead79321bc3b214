package latentmix.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import latentmix.plan.Catalog;
import latentmix.plan.ClassLabel;
import latentmix.source.FolderSource;
import latentmix.table.ContentId;
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
        assertThat(rows()).hasSize(1);
        file("a", "b");
        Files.setLastModifiedTime(file, FileTime.fromMillis(2_000));
        Catalog changed = images.scan(CAT);
        assertThat(changed.images()).isEqualTo(1);
        assertThat(changed.leftOut()).isEqualTo(Map.of("images withdrawn", 1L));
        assertThat(rows()).hasSize(2);
    }

    @Test
    void aRemovedImageIsLeftOutOfItsChunkAndCountsAgainWhenItIsBack() throws IOException {
        for (String name : List.of("a", "b", "c")) {
            file(name, name);
        }
        Catalog before = images.scan(CAT);
        String gone = ContentId.of(CAT.classId(), "b".getBytes(StandardCharsets.UTF_8));
        Files.delete(folder.resolve("in/cat 100%/b"));
        for (ImagesWork.Look look : ImagesWork.Look.values()) {
            Catalog without = images.look(CAT, look, Conflicts.NONE);
            assertThat(without.images()).isEqualTo(2);
            assertThat(without.leftOut()).isEqualTo(Map.of("images withdrawn", 1L));
            assertThat(without.chunks().stream().flatMap(chunk -> chunk.leftOut().stream()))
                    .as("a chunk without any image is not named")
                    .isSubsetOf(gone);
        }
        assertThat(rows()).hasSize(3);
        file("b", "b");
        assertThat(images.scan(CAT)).isEqualTo(before);
    }

    @Test
    void anImageIsTheSameUnderAnotherNameAndOfTwoFilesTheOneThatStandsCounts() throws IOException {
        Path file = file("b", "bytes");
        file("c", "others");
        Catalog before = images.scan(CAT);
        Files.move(file, file.resolveSibling("z"));
        for (ImagesWork.Look look : ImagesWork.Look.values()) {
            assertThat(images.look(CAT, look, Conflicts.NONE)).isEqualTo(before);
        }
        file("b", "bytes");
        file("a", "bytes");
        assertThat(images.scan(CAT).refused()).isEqualTo(Map.of("duplicate", 2L));
        assertThat(rejected()).extracting(RejectedRow::path).containsExactly("cat 100%/a", "cat 100%/z");
        assertThat(rows()).hasSize(2);
    }

    @Test
    void aLimitThatIsLoweredOrFilledAnewTakesTheLeastIdsOfWhatIsThere() throws IOException {
        for (String name : List.of("a", "b", "c", "d", "e", "f")) {
            file(name, name);
        }
        FolderSource input = new FolderSource(folder.resolve("in").toString());
        images.scan(CAT);
        List<ImageRow> sorted =
                rows().stream().sorted(Comparator.comparing(ImageRow::imageId)).toList();
        ImagesWork three = new ImagesWork(run, input, 2, 3);
        assertThat(three.scan(CAT).leftOut()).isEqualTo(Map.of("images beyond input.limit", 3L));
        Files.delete(folder.resolve("in").resolve(sorted.get(0).path()));
        Catalog catalog = three.scan(CAT);
        assertThat(catalog.images()).isEqualTo(3);
        assertThat(catalog.leftOut()).isEqualTo(Map.of("images beyond input.limit", 2L, "images withdrawn", 1L));
        assertThat(catalog.chunks().stream().flatMap(chunk -> chunk.leftOut().stream()))
                .containsExactly(sorted.get(0).imageId());
    }

    private static final ClassLabel DOG = new ClassLabel("dog", 1, "dog", "a photo of a dog");

    private Catalog look(ClassLabel label, ImagesWork.Look look) throws IOException {
        Set<Long> suspects = Conflicts.suspects(List.of(images.prefixes(CAT, look), images.prefixes(DOG, look)));
        List<Conflicts.File> files = new ArrayList<>(images.files(CAT, suspects));
        files.addAll(images.files(DOG, suspects));
        return images.look(label, look, Conflicts.among(files));
    }

    private Path dog(String name, String content) throws IOException {
        Files.createDirectories(folder.resolve("in/dog"));
        return Files.writeString(folder.resolve("in/dog").resolve(name), content);
    }

    @Test
    void bytesInTwoClassesAreRefusedInBothAndNameEachOther() throws IOException {
        file("a.png", "same");
        file("b.png", "cat");
        dog("c.png", "same");
        dog("d.png", "dog");
        assertThat(look(CAT, ImagesWork.Look.FORESEE).unread())
                .as("a plan reads nothing")
                .isEqualTo(2);
        assertThat(run.chunks(Table.DIGESTS)).isEmpty();
        for (ClassLabel label : List.of(CAT, DOG)) {
            Catalog catalog = look(label, ImagesWork.Look.SCAN);
            assertThat(catalog.images()).isEqualTo(1);
            assertThat(catalog.refused()).isEqualTo(Map.of("conflict", 1L));
        }
        assertThat(rejected())
                .extracting(RejectedRow::path, row -> row.detail().replaceAll(".*but (.*) has the same.*", "$1"))
                .containsExactlyInAnyOrder(tuple("cat 100%/a.png", "dog/c.png"), tuple("dog/c.png", "cat 100%/a.png"));
        assertThat(look(CAT, ImagesWork.Look.FORESEE).refused()).isEqualTo(Map.of("conflict", 1L));

        Files.delete(folder.resolve("in/dog/c.png"));
        assertThat(look(CAT, ImagesWork.Look.SCAN).images())
                .as("no conflict any more")
                .isEqualTo(2);
        look(DOG, ImagesWork.Look.SCAN);
        assertThat(rejected()).isEmpty();
    }

    @Test
    void theSameBytesInTwoClassesAreImagesOfBothWhereTheyAreKept() throws IOException {
        file("a.png", "same");
        dog("c.png", "same");
        assertThat(images.scan(CAT).images()).isEqualTo(1);
        assertThat(images.scan(DOG).images()).isEqualTo(1);
        assertThat(rejected()).isEmpty();
    }

    @Test
    void anOlderRunFolderLearnsItsDigestsAndAnImageThatIsNowInAnotherClassTooIsLeftOut() throws IOException {
        file("a.png", "same");
        images.scan(CAT);
        run.delete("digests"); // as older versions left it
        dog("c.png", "same");
        Catalog dogs = look(DOG, ImagesWork.Look.SCAN);
        assertThat(dogs.images()).isZero();
        assertThat(dogs.refused()).isEqualTo(Map.of("conflict", 1L));
        Catalog cats = look(CAT, ImagesWork.Look.SCAN);
        assertThat(cats.images()).isZero();
        assertThat(cats.leftOut()).isEqualTo(Map.of("images that lie in another class, too", 1L));
        assertThat(run.chunks(Table.DIGESTS, CAT.classId())).hasSize(1);
        assertThat(look(CAT, ImagesWork.Look.STANDING).images()).isZero();
        assertThat(rows()).as("its row stays").hasSize(1);
    }

    @Test
    void aFileWhoseDigestIsKnownIsNotReadAgain() throws IOException {
        Path file = file("a.png", "aaaa");
        FileTime time = Files.getLastModifiedTime(file);
        images.prefixes(CAT, ImagesWork.Look.SCAN);
        String id = ContentId.of(CAT.classId(), Files.readAllBytes(file));
        file("a.png", "bbbb");
        Files.setLastModifiedTime(file, time);
        images.scan(CAT);
        assertThat(rows()).extracting(ImageRow::imageId).containsExactly(id);
    }

    @Test
    void digestsThatShareTheirFirstBitsAreToldApart() {
        Conflicts.File one = new Conflicts.File("00000000000000010000000000000000", "id", "cat", "cat/a");
        Conflicts.File other = new Conflicts.File("00000000000000010000000000000001", "id", "dog", "dog/a");
        assertThat(Conflicts.prefix(one.digest())).isEqualTo(Conflicts.prefix(other.digest()));
        assertThat(Conflicts.suspects(List.of(new long[] {1, 2}, new long[] {1, 3})))
                .containsExactly(1L);
        assertThat(Conflicts.among(List.of(one, other)).files()).isEmpty();
    }

    @Test
    void anEmptyClassHasNoImages() throws IOException {
        assertThat(images.scan(CAT).images()).isZero();
        assertThat(run.chunks(Table.IMAGES)).isEmpty();
    }
}
