package latentmix.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import latentmix.OtherJvm;
import latentmix.checkpoint.StandInFileSystem;
import latentmix.config.ConfigException;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FolderSourceTest {
    @TempDir
    private Path folder;

    private static final Configuration CONF = new Configuration();

    /** The local disk as if it were a store, where there are no links and a listing is one. */
    public static final class Store extends StandInFileSystem {
        static final String SCHEME = "store";

        @Override
        public java.net.URI getUri() {
            return java.net.URI.create(SCHEME + ":///");
        }

        @Override
        public String getScheme() {
            return SCHEME;
        }
    }

    private Path file(String path) throws IOException {
        Path file = folder.resolve(path);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, path);
    }

    private void link(String path, String target) throws IOException {
        Path link = folder.resolve(path);
        Files.createDirectories(link.getParent());
        Files.createSymbolicLink(link, Path.of(target));
    }

    private FolderSource source() {
        return new FolderSource(folder.toString());
    }

    private List<String> images(String classId) throws IOException {
        return paths(source().list(classId, CONF));
    }

    private static List<String> paths(Listing listing) {
        return listing.images().stream().map(ImageFile::path).toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"file", Store.SCHEME})
    void everyNameIsAnImageOrIsIgnoredAndCounted(String scheme) throws IOException {
        for (String name : List.of(
                "_DSC0001.JPG",
                "_MG_77.JPG",
                "sub/_a/b.png",
                "no suffix",
                "a.heic",
                "Thumbs.db",
                "desktop.ini",
                "notes.txt",
                "more/NOTES.TXT",
                "a.json",
                ".DS_Store",
                "._DSC0001.JPG",
                ".ipynb_checkpoints/a.png",
                ".ipynb_checkpoints/b.png",
                "sub/@eaDir/a.png",
                "sub/@eaDir/deeper/a.png",
                "__MACOSX/cat/a.png",
                "$RECYCLE.BIN/a.png",
                "System Volume Information/a.png",
                "lost+found/a.png")) {
            file("cat/" + name);
        }
        Configuration conf = new Configuration();
        conf.setClass("fs.store.impl", Store.class, org.apache.hadoop.fs.FileSystem.class);
        Listing listing = new FolderSource(scheme + "://" + folder).list("cat", conf);
        assertThat(paths(listing))
                .containsExactly(
                        "cat/_DSC0001.JPG", "cat/_MG_77.JPG", "cat/a.heic", "cat/no suffix", "cat/sub/_a/b.png");
        assertThat(listing.refused()).isEmpty();
        assertThat(listing.ignored())
                .isEqualTo(Map.ofEntries(
                        Map.entry(".db", 1L),
                        Map.entry(".ini", 1L),
                        Map.entry(".txt", 2L),
                        Map.entry(".json", 1L),
                        Map.entry("hidden", 2L),
                        Map.entry(".ipynb_checkpoints/", 1L),
                        Map.entry("@eaDir/", 1L),
                        Map.entry("__MACOSX/", 1L),
                        Map.entry("$RECYCLE.BIN/", 1L),
                        Map.entry("System Volume Information/", 1L),
                        Map.entry("lost+found/", 1L)));
    }

    @Test
    void aFileIsWhatTheDiskSays() throws IOException {
        Path file = file("cat/a.png");
        assertThat(source().list("cat", CONF).images())
                .containsExactly(new ImageFile(
                        "cat/a.png",
                        Files.size(file),
                        Files.getLastModifiedTime(file).toMillis()));
    }

    @Test
    void linksAreFollowedOnceAndNeverUp() throws IOException {
        file("in/cat/own/a.png");
        file("in/dog/d.png");
        file("pool/cats/p.png");
        file("pool/dogs/q.png");
        file("single.png");
        link("in/cat/0-own", "own"); // before it by name, and seen all the same
        link("in/cat/loop", "loop");
        link("in/cat/self", ".");
        link("in/cat/own/up", "..");
        link("in/cat/root", "../../in");
        link("in/cat/everything", "../..");
        link("in/cat/pool", "../../pool/cats");
        link("pool/cats/siblings", "..");
        link("pool/cats/back", "../../in/cat");
        link("in/cat/again", "pool");
        link("in/cat/single.png", "../../single.png");
        link("in/cat/gone.png", "nowhere.png");
        link("in/cat/gone.txt", "nowhere.txt");
        Listing listing = new FolderSource(folder.resolve("in").toString()).list("cat", CONF);
        assertThat(paths(listing)).containsExactly("cat/again/p.png", "cat/own/a.png", "cat/single.png");
        assertThat(listing.refused())
                .extracting(Listing.Refused::path, Listing.Refused::reason)
                .containsExactly(tuple("cat/gone.png", "dangling link"), tuple("cat/loop", "dangling link"));
        assertThat(listing.ignored()).isEqualTo(Map.of(LocalWalk.LINK_BACK, 8L, ".txt", 1L));
    }

    @Test
    void aClassFolderMayBeALinkButNotToWhatHoldsIt() throws IOException {
        file("in/cat/a.png");
        file("elsewhere/b.png");
        link("in/dog", "../elsewhere");
        link("in/all", ".");
        link("in/above", "..");
        FolderSource source = new FolderSource(folder.resolve("in").toString());
        assertThat(source.classIds(CONF)).containsExactly("cat", "dog");
        assertThat(paths(source.list("dog", CONF))).containsExactly("dog/b.png");
        assertThat(source.beside(CONF).ignored()).isEqualTo(Map.of(LocalWalk.LINK_BACK, 2L));
        assertThat(source.read("dog/b.png", new RunFolder(folder.toString(), CONF)))
                .asString(StandardCharsets.UTF_8)
                .isEqualTo("elsewhere/b.png");
    }

    @Test
    void whatLiesBesideClassFoldersIsCounted() throws IOException {
        file("cat/a.png");
        file("stray.png");
        file("stray.txt");
        link("gone.png", "nowhere.png");
        Listing beside = source().beside(CONF);
        assertThat(paths(beside)).containsExactly("stray.png");
        assertThat(beside.refused()).extracting(Listing.Refused::path).containsExactly("gone.png");
        assertThat(beside.ignored()).isEqualTo(Map.of(".txt", 1L));
    }

    @Test
    void aPipeIsRefusedAndNotWaitedFor() throws Exception {
        file("cat/a.png");
        Process made =
                new ProcessBuilder("mkfifo", folder.resolve("cat/pipe.png").toString()).start();
        assertThat(made.waitFor()).isZero();
        assertThat(source().list("cat", CONF).refused())
                .extracting(Listing.Refused::reason)
                .containsExactly("not a file");
    }

    @Test
    void aFolderThatIsNotThereIsSaid() {
        assertThatThrownBy(() -> images("cat")).isInstanceOf(FileNotFoundException.class);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "train/cat/a.png val/cat/b.png; train",
                "Training/cat/a.png Testing/cat/b.png README; Training",
                "valid/cat/a.png test/dog/b.png test/labels.csv; test",
                "dev/cat/a.png; dev"
            })
    void aDatasetOfSplitsIsNoticedWithWhatToWrite(String files, String part) throws IOException {
        for (String file : files.split(" ", -1)) {
            file(file);
        }
        assertThatThrownBy(() -> source().classIds(CONF))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("input.root: expected <root>/<class>/<image>")
                .hasMessageEndingWith("write input.root=" + folder + "/" + part);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "train/a.png val/cat/b.png", // a class of trains
                "train/cat/a.png bus/b.png",
                "test/a.png",
                "Cat/a.png cat/b.png"
            })
    void classesMayBeCalledSoAndHoldFolders(String files) throws IOException {
        for (String file : files.split(" ", -1)) {
            file(file);
        }
        assertThat(source().classIds(CONF)).isNotEmpty();
    }

    @Test
    void twoSpellingsOfOneNameAreRefusedWithTheRemedy() throws IOException {
        file("caf\u00e9/a.png");
        file("cafe\u0301/b.png");
        assertThatThrownBy(() -> source().classIds(CONF))
                .isInstanceOf(ConfigException.class)
                .hasMessage("input.root: expected one folder called caf\u00e9, got cafe\\u0301 and caf\\u00e9, the same"
                        + " name in two spellings of Unicode; move all its images into one of them");
    }

    /** Says what a process of another locale finds: the root, then the run folder. */
    public static final class InAnotherLocale {
        private InAnotherLocale() {}

        public static void main(String[] args) {
            FolderSource source = new FolderSource(args[0]);
            say(() -> source.classIds(CONF));
            say(() -> paths(source.list("tea", CONF)));
            say(() -> source.read(new String(Character.toChars(0xe9)) + ".png", new RunFolder(args[1], CONF)).length);
            RunFolder run = new RunFolder(args[1], CONF);
            say(() -> {
                run.publish(run.chunk(RunFolder.Table.IMAGES, "\u00e9", "a"), new byte[1]);
                return "published";
            });
        }

        private static void say(java.util.concurrent.Callable<Object> what) {
            try {
                System.out.println(what.call());
            } catch (Exception e) {
                System.out.println(e.getMessage());
            }
        }
    }

    private List<String> inLocale(String locale) throws Exception {
        Path out = folder.resolve("out-" + locale);
        ProcessBuilder builder = new ProcessBuilder(OtherJvm.command(
                InAnotherLocale.class,
                List.of("-XX:TieredStopAtLevel=1"),
                folder.resolve("in").toString(),
                folder.resolve("run-" + locale).toString()));
        builder.environment().put("LC_ALL", locale);
        Process process = builder.redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        return Files.readAllLines(out);
    }

    @Test
    void aProcessThatCannotNameAFileSaysWhatToDo() throws Exception {
        file("in/tea/caf\u00e9.png");
        file("in/\u00e9.png");
        assertThat(inLocale("C.UTF-8")).containsExactly("[tea]", "[tea/caf\u00e9.png]", "9", "published");
        List<String> posix = inLocale("POSIX");
        assertThat(posix.get(0)).as("a file beside the classes").contains("start it with LC_ALL=C.UTF-8");
        assertThat(posix.subList(1, 4)).allSatisfy(line -> assertThat(line)
                .contains("expected a process that can name this file, but its sun.jnu.encoding is")
                .contains("spark.executorEnv.LC_ALL=C.UTF-8"));
    }

    @Test
    void aNameOfOtherBytesThanUtf8IsRefused() throws Exception {
        file("in/cat/a.png");
        Process made =
                new ProcessBuilder("bash", "-c", "printf x > " + folder.resolve("in/cat") + "/$'caf\\xe9.png'").start();
        assertThat(made.waitFor()).isZero();
        Listing listing = new FolderSource(folder.resolve("in").toString()).list("cat", CONF);
        assertThat(paths(listing)).containsExactly("cat/a.png");
        assertThat(listing.refused()).extracting(Listing.Refused::reason).containsExactly("bad name");
    }
}
