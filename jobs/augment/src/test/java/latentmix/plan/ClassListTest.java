package latentmix.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
        folders("b", "a", ".hidden", "_SUCCESS");
        Files.createFile(root.resolve("a-file"));

        assertThat(read().classes())
                .containsExactly(
                        new ClassLabel("a", 0, "a", "a photo of a a"), new ClassLabel("b", 1, "b", "a photo of a b"));
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
                "0 n01 tench, 1 n02, expected index folder and name"
            })
    void aTsvThatIsNoListOfClassesIsRefused(String first, String second, String problem) throws IOException {
        folders("n01");
        assertThatThrownBy(() -> read(tsv(first.replace(' ', '\t'), second.replace(' ', '\t'))))
                .isInstanceOf(ConfigException.class)
                .satisfies(e -> assertThat(e.getMessage().replace(",", "")).contains(problem));
    }

    @Test
    void aTsvThatIsNotThereIsRefused() throws IOException {
        folders("n01");
        assertThatThrownBy(() -> read("input.classes=" + root.resolve("none.tsv")))
                .hasMessageContaining("expected a TSV of classes");
    }
}
