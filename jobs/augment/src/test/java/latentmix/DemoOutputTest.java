package latentmix;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import latentmix.checkpoint.BuiltIn;
import latentmix.table.DatasetRow;
import latentmix.table.GeneratedRow;
import latentmix.table.ImageRow;
import latentmix.table.InvertedRow;
import latentmix.table.MixedRow;
import latentmix.table.RowFile;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** What {@code ./latentmix demo} wrote, once it has run: {@code -Dlatentmix.demo=<run folder>}. */
@EnabledIfSystemProperty(
        named = "latentmix.demo",
        matches = ".+",
        disabledReason = "reads the run folder of a demo, which .ci/run makes and names by -Dlatentmix.demo")
class DemoOutputTest {
    private final Path run = Path.of(System.getProperty("latentmix.demo", "."));

    private <T extends Record> List<T> rows(String table, Class<T> type) throws IOException {
        List<T> rows = new ArrayList<>();
        for (Path file : files(table, ".parquet")) {
            rows.addAll(RowFile.read(new org.apache.hadoop.fs.Path(file.toUri()), new Configuration(), type));
        }
        return rows;
    }

    private List<Path> files(String folder, String ending) throws IOException {
        try (Stream<Path> files = Files.walk(run.resolve(folder))) {
            return files.filter(file -> file.toString().endsWith(ending))
                    .sorted()
                    .toList();
        }
    }

    /** Label by class folder, from the sample's own list. */
    private static Map<String, Integer> labels() throws IOException {
        Map<String, Integer> labels = new HashMap<>();
        List<String> lines = Files.readAllLines(Path.of(BuiltIn.located("builtin:emoji-sample"), "classes.tsv"));
        for (String line : lines.subList(1, lines.size())) {
            labels.put(line.split("\t", -1)[1], Integer.parseInt(line.split("\t", -1)[0]));
        }
        return labels;
    }

    @Test
    void theTablesAddUpAndNothingIsRejected() throws IOException {
        assertThat(rows("images", ImageRow.class)).hasSize(256);
        assertThat(rows("inverted", InvertedRow.class)).hasSize(256);
        assertThat(rows("mixed", MixedRow.class)).hasSize(128);
        assertThat(rows("generated", GeneratedRow.class)).hasSize(128);
        assertThat(rows("dataset/parquet", DatasetRow.class)).hasSize(64);
        assertThat(files("dataset/images", ".png")).hasSize(64);
        assertThat(run.resolve("rejected")).doesNotExist();
        JsonNode counts = new ObjectMapper()
                .readTree(Files.readString(run.resolve("run_summary.json")))
                .get("counts");
        assertThat(counts.get("files").asLong())
                .isEqualTo(counts.get("inverted").asLong())
                .isEqualTo(256);
        assertThat(counts.get("asked").asLong())
                .isEqualTo(counts.get("generated").asLong())
                .isEqualTo(128);
    }

    @Test
    void everyImageDecodesAndIsAPicture() throws IOException {
        for (GeneratedRow row : rows("generated", GeneratedRow.class)) {
            BufferedImage image =
                    ImageIO.read(new ByteArrayInputStream(row.image().bytes()));
            assertThat(image.getWidth()).isEqualTo(row.width()).isEqualTo(64);
            assertThat(image.getHeight()).isEqualTo(row.height()).isEqualTo(64);
            assertThat(image.getRGB(0, 0, 64, 64, null, 0, 64)).as(row.mixId()).satisfies(pixels -> assertThat(
                            Arrays.stream(pixels).distinct().count())
                    .isGreaterThan(10));
        }
        for (Path file : files("dataset/images", ".png")) {
            assertThat(ImageIO.read(file.toFile())).isNotNull();
        }
    }

    @Test
    void labelsMatchFolders() throws IOException {
        Map<String, Integer> labels = labels();
        for (MixedRow row : rows("mixed", MixedRow.class)) {
            assertThat(row.label()).isEqualTo(labels.get(row.classId()));
        }
        Map<String, Long> labelOfFile = new HashMap<>();
        for (DatasetRow row : rows("dataset/parquet", DatasetRow.class)) {
            assertThat(row.image().path()).endsWith(row.mixId() + ".png");
            labelOfFile.put(row.mixId() + ".png", row.label());
        }
        for (Path file : files("dataset/images", ".png")) {
            String folder = file.getParent().getFileName().toString();
            assertThat(labelOfFile.get(file.getFileName().toString()))
                    .as(file.toString())
                    .isEqualTo(labels.get(folder).longValue());
        }
    }
}
