package latentmix.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import latentmix.config.ConfigException;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import latentmix.table.ContentId;
import latentmix.table.DigestRow;
import latentmix.table.IndexRow;
import latentmix.table.IndexTable;
import latentmix.table.RejectedTable;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that hold or name many images, most as the libraries of Python wrote them: see shapes/make.py. */
class IndexedSourceTest {
    private static final Path SHAPES = Path.of("src/test/resources/shapes");

    @TempDir
    Path folder;

    private Path in;
    private RunFolder run;

    @BeforeEach
    void anEmptyFolder() throws IOException {
        in = Files.createDirectories(folder.resolve("in"));
        run = new RunFolder(folder.resolve("run").toString(), new Configuration());
    }

    private static byte[] png(int i) throws IOException {
        return Files.readAllBytes(SHAPES.resolve(i + ".png"));
    }

    private static RunConfig.Input input(Path root, String... overrides) {
        List<String> all = new ArrayList<>(List.of("input.root=" + root));
        all.addAll(List.of(overrides));
        return ConfigFile.parse("{model: {checkpoint: 'builtin:fashion'}, mixing: [{name: a}]}", "a test", all)
                .input();
    }

    private static ImageSource detected(Path root, Map<Integer, String> folders, String... overrides)
            throws IOException {
        return ImageSource.of(input(root, overrides), folders, new Configuration());
    }

    /** The source, indexed into the run folder. */
    private IndexedSource indexed(Path root, Map<Integer, String> folders, String... overrides) throws IOException {
        IndexedSource source = (IndexedSource) detected(root, folders, overrides);
        List<IndexedSource.Survey> surveys = new ArrayList<>();
        for (Shard shard : source.unread(run)) {
            AtomicLong megabytes = new AtomicLong();
            source.index(shard, run, megabytes::addAndGet);
            assertThat(megabytes).hasValue(shard.megabytes());
        }
        assertThat(source.unread(run)).isEmpty();
        for (Shard shard : source.shards()) {
            surveys.add(source.survey(shard, run));
        }
        return source.known(run, surveys);
    }

    /** The bytes of the images by class, read one by one by their places. */
    private Map<String, List<String>> images(ImageSource source) throws IOException {
        Map<String, List<String>> images = new TreeMap<>();
        for (String classId : source.classIds(run.conf())) {
            List<String> digests = new ArrayList<>();
            for (ImageFile image : source.list(classId, run.conf()).images()) {
                digests.add(ContentId.of("", source.read(image.path(), run)));
            }
            digests.sort(null);
            images.put(classId, digests);
        }
        return images;
    }

    /** What the folder of shapes has, as a class's images: those of these numbers. */
    private static List<String> pngs(int... numbers) {
        return Arrays.stream(numbers)
                .mapToObj(i -> {
                    try {
                        return ContentId.of("", png(i));
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                })
                .sorted()
                .toList();
    }

    private List<IndexRow> rows(IndexedSource source) throws IOException {
        List<IndexRow> rows = new ArrayList<>();
        for (Shard shard : source.shards()) {
            try (RowFile.Cursor<IndexRow> cursor = new IndexTable(run).rows(source.index(shard))) {
                for (IndexRow row = cursor.next(); row != null; row = cursor.next()) {
                    rows.add(row);
                }
            }
        }
        return rows;
    }

    private List<String> refused(IndexedSource source) throws IOException {
        return rows(source).stream()
                .filter(IndexRow::isRefused)
                .map(row -> row.path() + ": " + row.reason())
                .sorted()
                .toList();
    }

    @ParameterizedTest
    @CsvSource({"datasets.parquet", "pyarrow.parquet", "pyarrow-plain.parquet"})
    void parquetOfPythonHasTheImagesThatWereWritten(String file) throws IOException {
        Files.createDirectories(in.resolve("data"));
        Files.copy(SHAPES.resolve(file), in.resolve("data/train-00000-of-00001.parquet"));
        IndexedSource source = indexed(in, Map.of());

        assertThat(source.classes(run.conf()))
                .containsExactlyInAnyOrder(
                        new SourceClass("T - shirt _ top", "T - shirt / top"), new SourceClass("été", "été"));
        assertThat(images(source)).isEqualTo(Map.of("T - shirt _ top", pngs(0, 2, 4), "été", pngs(1, 3, 5)));
        Listing listing = source.list("été", run.conf());
        assertThat(listing.images())
                .extracting(ImageFile::path)
                .containsExactly(
                        "data/train-00000-of-00001.parquet#1",
                        "data/train-00000-of-00001.parquet#3",
                        "data/train-00000-of-00001.parquet#5");
        assertThat(listing.digests())
                .extracting(DigestRow::imageId)
                .containsExactly(ContentId.of("été", png(1)), ContentId.of("été", png(3)), ContentId.of("été", png(5)));
        assertThat(rows(source)).extracting(IndexRow::caption).contains("picture 0", "picture 5");
    }

    @Test
    void namesOfAClassLabelKeepTheirOrderAndClassesWithoutImagesTheirNumber() throws IOException {
        byte[] good = png(0);
        ParquetFiles.write(
                in.resolve("a.parquet"),
                List.of("zebra", "ant", "cat"),
                List.of(
                        new ParquetFiles.Row(good, 2, "x"),
                        new ParquetFiles.Row(png(1), 0, ""),
                        new ParquetFiles.Row(png(2), -1, ""),
                        new ParquetFiles.Row(null, 0, ""),
                        new ParquetFiles.Row(png(3), 3, "")));
        IndexedSource source = indexed(in, Map.of());
        assertThat(source.classes(run.conf())).extracting(SourceClass::id).containsExactly("zebra", "ant", "cat");
        assertThat(source.classIds(run.conf())).containsExactly("cat", "zebra");
        assertThat(refused(source))
                .containsExactly("a.parquet#2: no label", "a.parquet#3: external file", "a.parquet#4: unknown label");
        assertThat(new RejectedTable(run, StageName.IMAGES)
                        .files(source.indices().get(0)))
                .hasSize(3);
        assertThat(images(source)).isEqualTo(Map.of("cat", pngs(0), "zebra", pngs(1)));
    }

    @Test
    void anIndexOfTheClassListStandsForItsFolderAndNumbersWithoutNamesAreSortedAsNumbers() throws IOException {
        ParquetFiles.write(
                in.resolve("a.parquet"),
                List.of(),
                List.of(
                        new ParquetFiles.Row(png(0), 10, ""),
                        new ParquetFiles.Row(png(1), 2, ""),
                        new ParquetFiles.Row(png(2), 2, "")));
        assertThat(indexed(in, Map.of()).classes(run.conf()))
                .extracting(SourceClass::id)
                .containsExactly("2", "10");
        assertThat(images(indexed(in, Map.of(2, "two", 10, "ten"))))
                .isEqualTo(Map.of("ten", pngs(0), "two", pngs(1, 2)));
    }

    @Test
    void everyRowOfManyPagesAndRowGroupsIsFoundAlone() throws IOException {
        List<ParquetFiles.Row> rows = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            rows.add(new ParquetFiles.Row(
                    ("image " + i % 250 + " " + "x".repeat(i % 97)).getBytes(StandardCharsets.UTF_8), 0, ""));
        }
        ParquetFiles.write(in.resolve("a.parquet"), List.of("all"), rows);
        IndexedSource source = indexed(in, Map.of());
        for (int i = 0; i < rows.size(); i++) {
            assertThat(source.read("a.parquet#" + i, run)).isEqualTo(rows.get(i).image());
        }
        assertThatThrownBy(() -> source.read("a.parquet#300", run))
                .isInstanceOf(FileNotFoundException.class)
                .hasMessageContaining("has no row 300");
    }

    @Test
    void aTarOfWebdatasetHasTheImagesThatWereWritten() throws IOException {
        Files.copy(SHAPES.resolve("webdataset.tar"), in.resolve("train-0.tar"));
        IndexedSource source = indexed(in, Map.of());
        assertThat(images(source)).isEqualTo(Map.of("0", pngs(0, 2, 4), "1", pngs(1, 3, 5)));
        assertThat(rows(source)).extracting(IndexRow::caption).contains("picture 3");
        String first = source.list("0", run.conf()).images().get(0).path();
        assertThat(first).matches("train-0\\.tar#\\d+\\+84/sample0\\.png");
        assertThat(images(indexed(in, Map.of(0, "zero", 1, "one"))))
                .isEqualTo(Map.of("zero", pngs(0, 2, 4), "one", pngs(1, 3, 5)));
    }

    private static byte[] tar(int longNames, String... namesAndTexts) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
            tar.setLongFileMode(longNames);
            for (int i = 0; i < namesAndTexts.length; i += 2) {
                String text = namesAndTexts[i + 1];
                byte[] content =
                        text.matches("png \\d") ? png(text.charAt(4) - '0') : text.getBytes(StandardCharsets.UTF_8);
                TarArchiveEntry entry = new TarArchiveEntry(namesAndTexts[i]);
                entry.setSize(content.length);
                tar.putArchiveEntry(entry);
                tar.write(content);
                tar.closeArchiveEntry();
            }
        }
        return bytes.toByteArray();
    }

    @ParameterizedTest
    @CsvSource({"2", "3"}) // GNU, POSIX
    void longNamesOfMembersAreRead(int mode) throws IOException {
        String name = "folder/" + "n".repeat(150);
        Files.write(in.resolve("a.tar"), tar(mode, name + ".cls", "cat", name + ".png", "png 1"));
        IndexedSource source = indexed(in, Map.of());
        assertThat(images(source)).isEqualTo(Map.of("cat", pngs(1)));
        assertThat(source.list("cat", run.conf()).images().get(0).path()).endsWith("/" + name + ".png");
    }

    @Test
    void samplesWithoutALabelOrAnImageAreRefusedWithTheReason() throws IOException {
        Files.write(
                in.resolve("a.tar"),
                tar(
                        TarArchiveOutputStream.LONGFILE_POSIX,
                        "a.png",
                        "png 0",
                        "a.cls",
                        "cat",
                        "a.seg.png",
                        "a mask that belongs to it",
                        "b.png",
                        "png 1",
                        "c.cls",
                        "cat",
                        "d.png",
                        "png 2",
                        "d.json",
                        "{oops",
                        "e.png",
                        "png 3",
                        "e.jpg",
                        "png 4",
                        "e.cls",
                        "cat",
                        "f.png",
                        "png 5",
                        "f.json",
                        "{\"class\": \"dog\", \"caption\": \"a dog\"}"));
        IndexedSource source = indexed(in, Map.of());
        assertThat(images(source)).isEqualTo(Map.of("cat", pngs(0), "dog", pngs(5)));
        assertThat(refused(source))
                .satisfiesExactly(
                        row -> assertThat(row).matches("a.tar#\\d+\\+\\d+/b.png: no label"),
                        row -> assertThat(row).matches("a.tar#\\d+\\+\\d+/d.png: unreadable label"),
                        row -> assertThat(row).isEqualTo("a.tar#c: no image"),
                        row -> assertThat(row).isEqualTo("a.tar#e: several images"));
    }

    @Test
    void aTruncatedTarIsOneRefusedRowBehindWhatWasWhole() throws IOException {
        byte[] whole = tar(
                TarArchiveOutputStream.LONGFILE_POSIX,
                "a.png",
                "png 0",
                "a.cls",
                "cat",
                "b.cls",
                "cat",
                "b.png",
                "png 1");
        Files.write(in.resolve("a.tar"), Arrays.copyOf(whole, 7 * 512 + 40)); // within the bytes of b.png
        IndexedSource source = indexed(in, Map.of());
        assertThat(images(source)).isEqualTo(Map.of("cat", pngs(0)));
        assertThat(refused(source)).containsExactly("a.tar: damaged tar");
        Files.write(in.resolve("a.tar"), Arrays.copyOf(whole, 6 * 512 + 40)); // within its header
        source = indexed(in, Map.of());
        assertThat(images(source)).isEqualTo(Map.of("cat", pngs(0)));
        assertThat(refused(source)).containsExactly("a.tar#b: no image", "a.tar: damaged tar");
    }

    @Test
    void aManifestNamesImagesByPathsOfEveryKind() throws IOException {
        Path elsewhere = Files.createDirectories(folder.resolve("elsewhere"));
        Files.write(elsewhere.resolve("1.png"), png(1));
        Files.createDirectories(in.resolve("sub folder"));
        Files.write(in.resolve("sub folder/0 0.png"), png(0));
        Files.write(in.resolve("2.png"), png(2));
        Files.writeString(
                in.resolve("labels.csv"),
                """
                \uFEFFcaption,width,path,label
                "a cat, ""asleep"" now",8,sub folder/0 0.png,cat
                ,8,%s,dog
                ,8,%s,dog

                ,8,gone.png,cat
                ,8,,cat
                ,8,2.png,
                ,8,sub folder/0 0.png,cat
                ,8,sub folder,cat
                """
                        .formatted(
                                elsewhere.resolve("1.png"), in.resolve("2.png").toUri()));
        IndexedSource source = indexed(in, Map.of());
        assertThat(images(source)).isEqualTo(Map.of("cat", pngs(0), "dog", pngs(1, 2)));
        assertThat(refused(source)).containsExactly("2.png: no label", "line 7: no path");
        assertThat(source.list("cat", run.conf()).refused())
                .extracting(row -> row.path() + ": " + row.reason())
                .containsExactly("gone.png: missing file", "sub folder: no file", "sub folder/0 0.png: duplicate");
        assertThat(rows(source)).extracting(IndexRow::caption).contains("a cat, \"asleep\" now");
        assertThat(source.remarks())
                .singleElement()
                .asString()
                .contains("are not used: width; name one by input.columns");
    }

    @Test
    void aManifestOfJsonMayBeLinesOrAList() throws IOException {
        Files.write(in.resolve("0.png"), png(0));
        Files.writeString(in.resolve("a.jsonl"), "{\"file_name\": \"0.png\", \"label\": 3, \"text\": \"t\"}\n");
        assertThat(images(indexed(in.resolve("a.jsonl"), Map.of()))).isEqualTo(Map.of("3", pngs(0)));
        Files.writeString(in.resolve("b.json"), "[{\"path\": \"0.png\", \"species\": \"wren\"}, {oops");
        IndexedSource source = indexed(in.resolve("b.json"), Map.of(), "input.columns={label: species}");
        assertThat(images(source)).isEqualTo(Map.of("wren", pngs(0)));
        assertThat(refused(source)).containsExactly("b.json: damaged manifest");
    }

    @Test
    void anUnchangedFileIsNotReadAgainAndAPlanCountsWithoutTheIndex() throws IOException {
        Path tar = in.resolve("a.tar");
        Files.copy(SHAPES.resolve("webdataset.tar"), tar);
        IndexedSource plan = (IndexedSource) detected(in, Map.of());
        plan = plan.known(run, List.of(plan.survey(plan.shards().get(0), run)));
        assertThat(folder.resolve("run")).doesNotExist();
        assertThat(plan.unread("0")).isEqualTo(new ImageSource.Tally(3, 3));
        assertThat(plan.captions()).isEqualTo(6);
        assertThat(plan.list("0", run.conf()).images()).isEmpty();

        IndexedSource source = indexed(in, Map.of());
        assertThat(source.unread("0")).isEqualTo(ImageSource.Tally.NONE);
        assertThat(source.captions()).isEqualTo(6);
        assertThat(source.list("0", run.conf()).captions().values())
                .containsExactlyInAnyOrder("picture 0", "picture 2", "picture 4");
        Path index = folder.resolve("run/index/" + source.indices().get(0) + ".parquet");
        Files.setLastModifiedTime(index, FileTime.fromMillis(1000));
        assertThat(indexed(in, Map.of()).indices()).isEqualTo(source.indices());
        assertThat(Files.getLastModifiedTime(index).toMillis()).isEqualTo(1000);

        Files.setLastModifiedTime(tar, FileTime.fromMillis(5000));
        assertThat(indexed(in, Map.of()).indices()).isNotEqualTo(source.indices());
    }

    @Test
    void aFolderOfAPartitionIsALabelWhereNoColumnIsOne() throws IOException {
        Path folder = Files.createDirectories(in.resolve("year=1999/species=a%3Ab %25"));
        ParquetFiles.write(folder.resolve("part-0.parquet"), List.of(), List.of(new ParquetFiles.Row(png(0), 7, "")));
        Path none = Files.createDirectories(in.resolve("year=1999/species=__HIVE_DEFAULT_PARTITION__"));
        ParquetFiles.write(none.resolve("part-0.parquet"), List.of(), List.of(new ParquetFiles.Row(png(1), 7, "")));
        assertThatThrownBy(() -> indexed(in, Map.of(), "input.format=parquet", "input.columns={label: species}"))
                .hasMessageContaining("expected an image column");
        Files.delete(none.resolve("part-0.parquet"));
        IndexedSource source = indexed(in, Map.of(), "input.format=parquet", "input.columns={label: species}");
        assertThat(source.classes(run.conf())).containsExactly(new SourceClass("a_b %", "a:b %"));
        assertThat(images(source)).isEqualTo(Map.of("a_b %", pngs(0)));
    }

    @Test
    void aDamagedParquetFileIsRefusedRowsBehindWhatWasWhole() throws IOException {
        List<ParquetFiles.Row> rows = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            rows.add(new ParquetFiles.Row(("image " + i).getBytes(StandardCharsets.UTF_8), 0, ""));
        }
        ParquetFiles.write(in.resolve("b.parquet"), List.of("all"), rows);
        byte[] whole = Files.readAllBytes(in.resolve("b.parquet"));
        Files.write(in.resolve("a.parquet"), Arrays.copyOf(whole, whole.length - 100)); // its footer is cut
        byte[] torn = whole.clone();
        Arrays.fill(torn, whole.length / 3, whole.length / 3 + 400, (byte) 0xee); // within a row group
        Files.write(in.resolve("c.parquet"), torn);
        IndexedSource source = indexed(in, Map.of());
        assertThat(refused(source)).hasSizeGreaterThan(1).allMatch(row -> row.endsWith(": damaged Parquet"));
        assertThat(refused(source)).first().isEqualTo("a.parquet: damaged Parquet");
        List<String> paths = source.list("all", run.conf()).images().stream()
                .map(ImageFile::path)
                .toList();
        assertThat(paths).filteredOn(path -> path.startsWith("b.parquet")).hasSize(300);
        assertThat(paths).filteredOn(path -> path.startsWith("a.parquet")).isEmpty();
        List<String> behind = rows(source).stream()
                .filter(IndexRow::isRefused)
                .filter(row -> row.path().startsWith("c.parquet"))
                .map(row -> row.detail().replaceAll(".*nor the (\\d+) behind.*", "$1"))
                .toList();
        long lost = behind.stream().mapToLong(Long::parseLong).sum() + behind.size();
        assertThat(paths)
                .filteredOn(path -> path.startsWith("c.parquet"))
                .as("each row is there or said to be lost")
                .hasSize((int) (300 - lost))
                .isNotEmpty();
    }

    @Test
    void anotherFileUnderTheSameNameIsReadAnewAndItsOldRowsAreGone() throws IOException {
        Path file = in.resolve("a.parquet");
        ParquetFiles.write(
                file,
                List.of("cat", "dog"),
                List.of(
                        new ParquetFiles.Row(png(0), 0, "zero"),
                        new ParquetFiles.Row(png(1), 1, "one"),
                        new ParquetFiles.Row(null, 1, "")));
        IndexedSource before = indexed(in, Map.of());
        assertThat(refused(before)).hasSize(1);
        ParquetFiles.write(
                file,
                List.of("cat", "dog"),
                List.of(new ParquetFiles.Row(png(2), 1, "two"), new ParquetFiles.Row(png(0), 0, "zero, now")));
        Files.setLastModifiedTime(file, FileTime.fromMillis(5000));
        IndexedSource source = indexed(in, Map.of());
        assertThat(images(source)).isEqualTo(Map.of("cat", pngs(0), "dog", pngs(2)));
        assertThat(source.list("cat", run.conf()).captions()).isEqualTo(Map.of("a.parquet#1", "zero, now"));
        assertThat(refused(source)).isEmpty();
        assertThat(source.indices()).doesNotContainAnyElementsOf(before.indices());
    }

    @Test
    void whatLiesAtTheRootSaysWhatItIs() throws IOException {
        Files.createDirectories(in.resolve("cat"));
        Files.writeString(in.resolve("classes.csv"), "index,folder,name\n0,cat,cat\n");
        assertThat(detected(in, Map.of())).isInstanceOf(FolderSource.class);
        Files.writeString(in.resolve("labels.csv"), "path,label\n");
        assertThat(detected(in, Map.of()))
                .isInstanceOfSatisfying(IndexedSource.class, source -> assertThat(source.format())
                        .isInstanceOf(Manifest.class));
        assertThat(detected(in, Map.of(), "input.format=folders")).isInstanceOf(FolderSource.class);
        Files.copy(SHAPES.resolve("webdataset.tar"), in.resolve("a.tar"));
        assertThat(((IndexedSource) detected(in, Map.of())).format()).isInstanceOf(TarShards.class);
        Files.copy(SHAPES.resolve("datasets.parquet"), in.resolve("a.parquet"));
        assertThat(((IndexedSource) detected(in, Map.of())).format()).isInstanceOf(ParquetShards.class);
    }

    /** Files of a root, what they are, and what is read of them. */
    @ParameterizedTest
    @CsvSource({
        "a=1/b=2/c=3/part-0.parquet a=1/_SUCCESS, ParquetShards, 1",
        "_a=1/b=2/part-0.parquet, ParquetShards, 1",
        "default/train/0000.parquet default/train/0001.parquet @eaDir/a.parquet __MACOSX/._0000.parquet,"
                + " ParquetShards, 2",
        "data/en/a.tar data/.cache/b.tar data/en/_tmp.tar, TarShards, 1",
        "cat/indoor/near/a.png cat/indoor/near/b.parquet, folders, 0",
        "cat/a.png dog/a.parquet, folders, 0",
        "cat/, folders, 0"
    })
    void shardsAreFoundBehindFoldersOfFoldersAndHiddenOnesAreNot(String files, String format, int shards)
            throws IOException {
        for (String file : files.split(" ", -1)) {
            Path path = in.resolve(file);
            Files.createDirectories(file.endsWith("/") ? path : path.getParent());
            if (file.endsWith(".parquet")) {
                Files.copy(SHAPES.resolve("datasets.parquet"), path);
            } else if (!file.endsWith("/")) {
                Files.write(path, new byte[1024]);
            }
        }
        ImageSource source = detected(in, Map.of());
        if (shards == 0) {
            assertThat(source).isInstanceOf(FolderSource.class);
        } else {
            assertThat(((IndexedSource) source).format().getClass().getSimpleName())
                    .isEqualTo(format);
            assertThat(((IndexedSource) source).shards()).hasSize(shards);
        }
    }

    @Test
    void whatIsNotThereIsRefusedInALine() throws IOException {
        assertThatThrownBy(() -> detected(in, Map.of(), "input.format=webdataset"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("input.root: expected .tar files for input.format: webdataset, but there is none")
                .hasMessageContaining("compressed tar files must be unpacked");
        assertThatThrownBy(() -> detected(in, Map.of(), "input.format=manifest"))
                .hasMessageContaining("expected one .csv, .jsonl or .json file")
                .hasMessageContaining("got none");
        Files.copy(SHAPES.resolve("datasets.parquet"), in.resolve("a.parquet"));
        assertThatThrownBy(() -> detected(in, Map.of(), "input.columns={image: photo}"))
                .hasMessageContaining("expected an image column (one of photo;")
                .hasMessageContaining("has image, label, text;");
        assertThatThrownBy(() -> detected(in, Map.of()).classIds(run.conf()))
                .hasMessageContaining("input.root: expected folders, <root>/<class>/<image>, which alone are read here,"
                        + " got parquet");
        assertThatThrownBy(() -> ImageSource.folders("report.held_out", in.toString(), run.conf()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("report.held_out: expected folders")
                .hasMessageContaining("got parquet at")
                .hasMessageContaining("write its images as files in folders");
        String other =
                Files.createDirectories(folder.resolve("other/cat")).getParent().toString();
        assertThat(ImageSource.folders("input.root", other, run.conf())).isEqualTo(new FolderSource(other));
        assertThatThrownBy(() -> input(in, "input.columns={photo: x}"))
                .hasMessageContaining("input.columns: expected names for image, label and caption, got photo");
    }
}
