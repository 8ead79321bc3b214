package latentmix.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import latentmix.config.ConfigException;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import latentmix.source.FolderSource;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClassListTest {
    @TempDir
    private Path root;

    private ClassList read(String... overrides) throws IOException {
        RunConfig config = ConfigFile.parse(
                "input: {root: '" + root + "'}\nmodel: {checkpoint: 'builtin:fashion'}", "test", List.of(overrides));
        return ClassList.read(config.input(), config.prompt(), new FolderSource(root.toString()), new Configuration());
    }

    private String tsv(String... lines) throws IOException {
        Path file = root.resolve("classes.tsv");
        Files.writeString(file, "index\tfolder\tname\n" + String.join("\n", lines) + "\n");
        return "input.classes=" + file;
    }

    private void folders(String... names) throws IOException {
        for (String name : names) {
            Files.createDirectory(root.resolve(name));
        }
    }

    @Test
    void withoutATsvALabelIsTheRankOfItsFolderAndTheFolderIsTheName() throws IOException {
        folders("b", "a", ".hidden", "@eaDir", "_background_noise_");
        Files.createFile(root.resolve("a-file"));

        assertThat(read().classes())
                .containsExactly(
                        new ClassLabel(
                                "_background_noise_", 0, "_background_noise_", "a photo of a _background_noise_"),
                        new ClassLabel("a", 1, "a", "a photo of a a"),
                        new ClassLabel("b", 2, "b", "a photo of a b"));
    }

    @Test
    void aTsvGivesLabelsAndNamesAndAPromptMayBeAClassesOwn() throws IOException {
        folders("n02", "n01");

        ClassList list = read(
                tsv("0\tn01\ttench", "1\tn09\tcock", "2\tn02\tgoldfish"),
                "prompt.template=one {class}",
                "prompt.classes.n02=a carp");

        assertThat(list.classes())
                .containsExactly(
                        new ClassLabel("n01", 0, "tench", "one tench"), new ClassLabel("n02", 2, "goldfish", "a carp"));
        assertThat(list.names()).containsExactly("tench", "cock", "goldfish");
    }

    @Test
    void aPromptMayHaveTheClassesNumber() throws IOException {
        folders("n02", "n01");

        assertThat(read(
                                tsv("0\tn01\tten {index}", "1\tn09\tcock", "2\tn02\tgoldfish"),
                                "prompt.template='{index}: {class}'")
                        .classes())
                .extracting(ClassLabel::prompt)
                .containsExactly("0: ten {index}", "2: goldfish");
        assertThat(read("prompt.template='{index}'").classes())
                .extracting(ClassLabel::prompt)
                .containsExactly("0", "1");
    }

    @Test
    void aRootWithoutClassFoldersIsRefusedWithTheLayoutThatIsExpected() throws IOException {
        Files.createFile(root.resolve("image.png"));
        assertThatThrownBy(this::read)
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("expected <root>/<class>/<image>");
    }

    @Test
    void aRootThatIsNotThereIsRefused() throws IOException {
        Files.delete(root);
        assertThatThrownBy(this::read).isInstanceOf(ConfigException.class).hasMessageContaining("there is nothing at");
        Files.createDirectory(root);
    }

    @Test
    void everyFolderThatTheTsvDoesNotNameIsReported() throws IOException {
        folders("n01", "n02", "n03");
        assertThatThrownBy(() -> read(tsv("0\tn02\tgoldfish")))
                .hasMessageContaining("has none for n01")
                .hasMessageContaining("has none for n03");
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            value = {
                "0 n01 tench, 0 n02 cock, repeats one",
                "0 n01 tench, 1 n01 cock, repeats one",
                "0 n01 tench, 2 n02 cock, 1 is missing",
                "0 n01 tench, x n02 cock, expected index folder and name",
                "0 n01 tench, 1 n02, expected index folder and name",
                "0 n01 tench, 1 n02 ,expected index folder and name between tabs in line 3",
                "0 n01 tench, 1  cock, expected index folder and name between tabs in line 3"
            })
    void aTsvThatIsNoListOfClassesIsRefused(String first, String second, String problem) throws IOException {
        folders("n01");
        assertThatThrownBy(() -> read(tsv(first.replace(' ', '\t'), second.replace(' ', '\t'))))
                .isInstanceOf(ConfigException.class)
                .satisfies(e -> assertThat(e.getMessage().replace(",", "")).contains(problem));
    }

    /** Bytes of a list, one char each, and what is said of them. */
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "0|n01|tench; expected the header index folder name between tabs in line 1",
                "index|folder|name~0|n01|caf\u00e9; expected UTF-8, but line 2",
                "\u00ff\u00fei\u0000n\u0000; expected UTF-8, but line 1",
                "index|folder|name; has no class",
                "index,folder,name~0,n01,tench; expected index, folder and name between tabs in line 2"
            })
    void aFileThatIsNoListIsRefusedInALine(String latin1, String problem) throws IOException {
        folders("n01");
        Path file = root.resolve("list.tsv");
        Files.writeString(file, latin1.replace('|', '\t').replace('~', '\n'), StandardCharsets.ISO_8859_1);
        assertThatThrownBy(() -> read("input.classes=" + file))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("input.classes: ")
                .hasMessageContaining(problem)
                .hasMessageNotContaining("\n");
    }

    @Test
    void aListOfAnotherSystemIsRead() throws IOException {
        folders("n01", "n02");
        Path file = root.resolve("list.tsv");
        Files.writeString(file, "\uFEFFindex\tfolder\tname\r\n0\tn01\tcaf\u00e9\r\n1\tn02\tcock\r\n");
        assertThat(read("input.classes=" + file).names()).containsExactly("caf\u00e9", "cock");
    }

    @Test
    void classesOfOneNameAreNumberedInTheDatasetAndSaid() throws IOException {
        folders("n01", "n02", "n03", "n04");
        ClassList list = read(tsv("0\tn01\tcrane", "1\tn02\tcrane", "2\tn03\tcrane (2)", "3\tn04\tcrane"));
        assertThat(list.names()).containsExactly("crane", "crane (3)", "crane (2)", "crane (4)");
        assertThat(list.classes())
                .extracting(ClassLabel::className)
                .containsExactly("crane", "crane (3)", "crane (2)", "crane (4)");
        assertThat(list.classes().get(1).prompt()).isEqualTo("a photo of a crane");
        assertThat(list.warnings())
                .containsExactly(
                        "input.classes: more than one class is called crane; that of index 1 is crane (3) in the dataset,"
                                + " and crane in its prompt",
                        "input.classes: more than one class is called crane; that of index 3 is crane (4) in the dataset,"
                                + " and crane in its prompt");
    }

    @Test
    void imageNetsNamesStandOnceEach() throws IOException {
        folders("n02012849", "n03126707");
        ClassList list = read(
                "input.classes=" + Path.of("../../conf/imagenet-1k-classes.tsv").toRealPath());
        assertThat(list.names()).hasSize(1000);
        assertThat(Set.copyOf(list.names())).hasSize(1000);
        assertThat(list.warnings()).isEmpty();
    }

    @Test
    void aFolderIsFoundHoweverItsAccentsAreSpelt() throws IOException {
        String composed = "caf\u00e9";
        String decomposed = "cafe\u0301";
        folders(decomposed, "tea");
        ClassList list = read(
                tsv("0\t" + composed + "\tcoffee", "1\ttea\ttea"),
                "input.folders=[" + composed + "]",
                "prompt.classes={" + composed + ": a cup}");
        assertThat(list.classes()).containsExactly(new ClassLabel(decomposed, 0, "coffee", "a cup"));
    }

    @Test
    void aTsvThatIsNotThereIsRefused() throws IOException {
        folders("n01");
        assertThatThrownBy(() -> read("input.classes=" + root.resolve("none.tsv")))
                .hasMessageContaining("expected a TSV of classes");
    }
}
