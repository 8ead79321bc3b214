package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import latentmix.image.DifferenceHash;
import latentmix.image.ImageDecoder;
import latentmix.image.PixelScores;
import latentmix.image.UnreadableImage;
import latentmix.latent.Degeneracy;
import latentmix.table.GeneratedRow;
import latentmix.table.MixedRow;
import latentmix.table.RejectedRow;
import latentmix.table.StageName;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Gates through the whole job, on mixtures of which some are no longer noise. */
class GateTest {
    /**
     * No one of 12 numbers is further from their mean than 11/√12 = 3.18 of their standard deviations: their own images
     * pass.
     */
    private static final String REFUSE = "refuse(3.2)";

    @TempDir
    static Path folder;

    private static Path input;
    private static Path refusing;
    private static int exitCode;
    private static long evaluations; // of the first run: a second one replaces the summary

    @BeforeAll
    static void aRunThatRefuses() throws IOException {
        input = TinyRun.input(folder.resolve("in"), 12);
        refusing = folder.resolve("refusing");
        exitCode = TinyRun.run(2, config(REFUSE, "[1, 8]"), refusing);
        evaluations = TinyRun.evaluations(refusing, "generate");
    }

    /** 2 classes × 12 images: an image by itself, which no gate has anything against, and faded sums of eight. */
    private static RunConfig config(String gate, String inputs) {
        return ConfigFile.parse(
                """
                model: {checkpoint: "builtin:fashion", batch: 4}
                inversion: {steps: 4}
                mixing: [{name: sums, methods: lin/0, weights: equal, count: 4}]
                generation: {steps: 4, guidance: 2}
                run: {chunk: 4}
                """,
                "gates",
                List.of("input.root=" + input, "mixing.inputs=" + inputs, "mixing.gate=" + gate));
    }

    /** Inverts and mixes. */
    private static void mix(int cores, RunConfig config, Path run) throws IOException {
        try (JavaSparkContext spark = TinyRun.spark(cores)) {
            Pipeline.run(spark, config, run.toString(), List.of(StageName.INVERT, StageName.MIX));
        }
    }

    @Test
    void fadedMixturesAreRefusedWithTheirNumbersAndNoNetworkIsSpentOnThem() throws IOException {
        List<RejectedRow> rejected = TinyRun.rows(refusing, "rejected", RejectedRow.class);
        assertThat(rejected).hasSize(2 * 4).allSatisfy(row -> {
            assertThat(row.stage()).isEqualTo("mix");
            assertThat(row.reason()).startsWith("degenerate ");
            assertThat(row.detail())
                    .matches("method lin/0 of 8 inputs: .* is .*, by .* deviations beyond .*; mixing.gate"
                            + " allows refuse\\(3.2\\)");
        });
        JsonNode summary = TinyRun.summary(refusing);
        assertThat(summary.at("/counts/asked").asLong()).isEqualTo(16);
        assertThat(summary.at("/counts/mixed").asLong()).isEqualTo(8);
        assertThat(summary.at("/counts/generated").asLong()).isEqualTo(8);
        assertThat(evaluations).isEqualTo(8 * 4 * 2);
        assertThat(exitCode).isEqualTo(3); // half refused is more than max_rejected
    }

    @Test
    void aSecondRunJudgesNothingAgain() throws IOException {
        var before = TinyRun.tables(refusing);
        assertThat(TinyRun.run(1, config(REFUSE, "[1, 8]"), refusing)).isEqualTo(3);
        assertThat(TinyRun.tables(refusing)).isEqualTo(before);
        assertThat(TinyRun.evaluations(refusing, "generate")).isZero();
    }

    @Test
    void redrawnMixturesHaveInputsOfTheirOwnAndTheSameBytesOnAnyMachine() throws IOException {
        Path off = folder.resolve("off");
        Path redrawn = folder.resolve("redrawn");
        Path again = folder.resolve("again");
        String some = "redraw(1.2, tries=20)"; // so low that many first draws are refused
        mix(2, config("off", "1"), off);
        mix(2, config(some, "1"), redrawn);
        mix(1, config(some, "1"), again);
        assertThat(TinyRun.tables(again)).isEqualTo(TinyRun.tables(redrawn));

        List<MixedRow> first = TinyRun.rows(off, "mixed", MixedRow.class);
        List<MixedRow> judged = TinyRun.rows(redrawn, "mixed", MixedRow.class);
        assertThat(first).hasSize(8).allMatch(row -> row.attempt() == 0);
        assertThat(judged).anyMatch(row -> row.attempt() == 0).anyMatch(row -> row.attempt() > 0);
        for (MixedRow row : judged) {
            List<String> drawnFirst = first.stream()
                    .filter(other -> other.classId().equals(row.classId()) && other.k() == row.k())
                    .findFirst()
                    .orElseThrow()
                    .sourceIds();
            assertThat(row.sourceIds().equals(drawnFirst)).isEqualTo(row.attempt() == 0);
        }
        JsonNode cells = TinyRun.summary(redrawn).get("mixtures");
        long counted = 0;
        for (JsonNode cell : cells) {
            counted += cell.get("redrawn").asLong();
        }
        assertThat(counted)
                .isEqualTo(judged.stream().filter(row -> row.attempt() > 0).count());
    }

    @Test
    void scoresAreThoseOfTheRowsOwnLatentsAndImages() throws IOException, UnreadableImage {
        for (MixedRow row : TinyRun.rows(refusing, "mixed", MixedRow.class)) {
            Degeneracy expected = Degeneracy.of(row.latent().latent());
            assertThat(row.degeneracy().norm()).isCloseTo(expected.norm(), within(1e-6));
            assertThat(row.degeneracy().horizontal()).isCloseTo(expected.horizontal(), within(1e-6));
            assertThat(row.predictedClassMeanGain()).isEqualTo(1); // a plain sum amplifies nothing
        }
        List<GeneratedRow> images = TinyRun.rows(refusing, "generated", GeneratedRow.class);
        for (GeneratedRow row : images) {
            var pixels = ImageDecoder.decode(row.image().bytes(), 1 << 20);
            assertThat(new PixelScores(row.entropy(), row.clipped(), row.saturation(), row.sharpness()))
                    .isEqualTo(PixelScores.of(pixels));
            assertThat(row.differenceHash()).isEqualTo(DifferenceHash.of(pixels));
        }
        double entropy = 0;
        double generated = 0;
        for (JsonNode cell : TinyRun.summary(refusing).get("mixtures")) {
            if (cell.get("generated").asLong() > 0) {
                entropy += cell.get("generated").asLong()
                        * cell.at("/image/entropy").asDouble();
                generated += cell.get("generated").asLong();
            }
        }
        assertThat(entropy / generated)
                .isCloseTo(
                        images.stream()
                                .mapToDouble(GeneratedRow::entropy)
                                .average()
                                .orElseThrow(),
                        within(1e-9));
        assertThat(Files.readString(refusing.resolve("report.html")))
                .contains("How degenerate the mixtures are", "0 of 8");
    }
}
