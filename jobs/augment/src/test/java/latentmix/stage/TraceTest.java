package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.table.GeneratedRow;
import latentmix.table.MixedRow;
import latentmix.table.RowFile;
import latentmix.table.StageName;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the images of a tiny run come from. */
class TraceTest {
    @TempDir
    static Path folder;

    private static JavaSparkContext spark;
    private static RunConfig config;
    private static Path run;

    @BeforeAll
    static void aRunThatGrew() throws IOException {
        spark = TinyRun.spark(2);
        Path input = TinyRun.input(folder.resolve("in"), 8);
        run = folder.resolve("run");
        List<StageName> stages = List.of(StageName.INVERT, StageName.MIX, StageName.GENERATE);
        assertThat(Pipeline.run(spark, TinyRun.config(input), run.toString(), stages))
                .isZero();
        TinyRun.copy(input, "5-sandal", 8, 10); // a chunk of two: the batches are not those of a run at once
        config = TinyRun.config(input, "mixing.0.count=7");
        assertThat(Pipeline.run(spark, config, run.toString(), stages)).isZero();
    }

    @AfterAll
    static void noSpark() {
        spark.close();
    }

    /** The last mixture of a method in a class that is generated. */
    private static MixedRow mixture(String classId, String method) throws IOException {
        return TinyRun.rows(run, "mixed", MixedRow.class).stream()
                .filter(row -> row.classId().equals(classId) && row.method().equals(method))
                .filter(row -> isCurrent(row.mixId()))
                .reduce((first, second) -> second)
                .orElseThrow();
    }

    private static boolean isCurrent(String mixId) {
        try {
            Pipeline.trace(spark, config, run.toString(), mixId);
            return true;
        } catch (ConfigException e) {
            return false; // of the smaller pool
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void itSaysWhatAnImageWasMadeOfAndHow() throws IOException {
        MixedRow mixture = mixture("9-ankle-boot", "nin/chm");
        Trace trace = Pipeline.trace(spark, config, run.toString(), mixture.mixId());
        String text = String.join("\n", trace.lines());
        assertThat(text)
                .contains(
                        "9-ankle-boot/" + mixture.mixId() + ".png",
                        "method     nin/chm",
                        "prompt     a photo of a 9-ankle-boot",
                        "mixture " + mixture.k() + " of the class",
                        "\"steps\" : 4",
                        "entropy")
                .doesNotContain("?");
        for (int i = 0; i < 3; i++) {
            assertThat(text)
                    .containsPattern(String.format(
                            "%.4f × 9-ankle-boot/\\S+\\.png  %s",
                            mixture.weights().get(i), mixture.sourceIds().get(i)));
        }
    }

    @Test
    void thePictureShowsTheInputsAndTheImage() throws Exception {
        MixedRow mixture = mixture("5-sandal", "nin/chm");
        Pixels picture = ImageDecoder.decode(
                Pipeline.trace(spark, config, run.toString(), mixture.mixId()).picture(), 100_000);
        assertThat(List.of(picture.width(), picture.height())).containsExactly(4 * 32 + 3 * 4, 32);
        GeneratedRow made = TinyRun.rows(run, "generated", GeneratedRow.class).stream()
                .filter(row -> row.mixId().equals(mixture.mixId()))
                .findFirst()
                .orElseThrow();
        Pixels image = ImageDecoder.decode(made.image().bytes(), 100_000);
        int[] shown = picture.toImage().getRGB(3 * 36, 0, 32, 32, null, 0, 32);
        assertThat(shown).isEqualTo(image.toImage().getRGB(0, 0, 32, 32, null, 0, 32));
        assertThat(picture.toImage().getRGB(32, 5) & 0xffffff).as("the gap").isEqualTo(0xffffff);
    }

    @Test
    void anImageIsMadeAgainFromTheSourceImagesAloneAndAnotherIsNoticed() throws IOException {
        for (MixedRow mixture : List.of(mixture("5-sandal", "nin/chm"), mixture("5-sandal", "fix/cmm"))) {
            Map<String, String> before = TinyRun.tables(run);
            assertThat(Pipeline.trace(spark, config, run.toString(), mixture.mixId())
                            .replay(Console.SILENT))
                    .isTrue();
            assertThat(TinyRun.tables(run)).isEqualTo(before);
            assertThat(run.resolve("_replay")).doesNotExist();
        }
        MixedRow tampered = mixture("9-ankle-boot", "lin/0");
        tamper(tampered.mixId());
        assertThat(Pipeline.trace(spark, config, run.toString(), tampered.mixId())
                        .replay(Console.SILENT))
                .isFalse();
    }

    /** Changes the last bytes of an image's file in the generated table. */
    private static void tamper(String mixId) throws IOException {
        try (Stream<Path> files = Files.walk(run.resolve("generated"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                List<GeneratedRow> rows = new ArrayList<>(RowFile.read(
                        new org.apache.hadoop.fs.Path(file.toString()), new Configuration(), GeneratedRow.class));
                for (GeneratedRow row : rows) {
                    if (row.mixId().equals(mixId)) {
                        row.image().bytes()[row.image().bytes().length - 1] ^= 1;
                        Files.write(file, RowFile.bytes(GeneratedRow.class, rows));
                    }
                }
            }
        }
    }

    @Test
    void anIdThatIsNoMixtureIsRefusedWithWhatToDo() {
        assertThatThrownBy(() -> Pipeline.trace(spark, config, run.toString(), "0123"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("MIX_ID: expected a mixture that this configuration has")
                .hasMessageContaining("got 0123")
                .hasMessageContaining("mix_id of the dataset");
    }
}
