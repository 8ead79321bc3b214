package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.Map;
import java.util.TreeMap;
import latentmix.report.Counts;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;

class EndingTest {
    private static final RunFolder RUN = new RunFolder("runs/a", new Configuration());
    private static final Counts COUNTS = new Counts(
            100,
            90,
            80,
            60,
            58,
            50,
            Map.of("images", Map.of("truncated", 10L), "mix", Map.of("degenerate", 2L)),
            Map.of(),
            Map.of(),
            0);

    @Test
    void aRunSaysWhatItMadeAndWhatToOpen() {
        assertThat(Ending.done(RUN, EnumSet.allOf(StageName.class), COUNTS, 40, false, 0.5))
                .containsExactly("40 images in runs/a/dataset; open runs/a/report.html");
        assertThat(Ending.done(RUN, EnumSet.allOf(StageName.class), COUNTS, 40, true, 0.5))
                .containsExactly("Nothing was left to do: 40 images in runs/a/dataset; open runs/a/report.html");
    }

    @Test
    void aRunSaysWhatItIgnoredAndLeftOut() {
        Map<String, Long> ignored = new TreeMap<>(Map.of(".txt", 12L, ".db", 1L));
        Map<String, Long> leftOut = new TreeMap<>(Map.of("mixtures of other pools", 12L, "images withdrawn", 3L));
        Counts counts = new Counts(100, 90, 80, 60, 58, 50, Map.of(), ignored, leftOut, 0);
        assertThat(Ending.done(RUN, EnumSet.of(StageName.MIX), counts, 0, false, 0))
                .containsExactly(
                        "58 mixtures in runs/a/mixed",
                        "Ignored in the input: 1 .db, 12 .txt",
                        "Left out, though their rows stay in the tables: 3 images withdrawn, 12 mixtures of other"
                                + " pools");
    }

    @Test
    void aStageSaysWhatStandsInItsTable() {
        assertThat(Ending.done(RUN, EnumSet.of(StageName.INVERT), COUNTS, 0, false, 1))
                .containsExactly("80 inverted images in runs/a/inverted");
        assertThat(Ending.done(RUN, EnumSet.of(StageName.MIX), COUNTS, 0, false, 1))
                .containsExactly("58 mixtures in runs/a/mixed");
        assertThat(Ending.done(RUN, EnumSet.of(StageName.GENERATE), COUNTS, 0, false, 1))
                .containsExactly("50 images in runs/a/generated");
        assertThat(Ending.done(RUN, EnumSet.of(StageName.EVALUATE), COUNTS, 0, false, 1))
                .containsExactly("metrics of 50 images in runs/a/metrics");
    }

    @Test
    void aRunThatRefusedTooMuchSaysHowManyWhyOfWhatLimitAndWhereToLook() {
        String refused = Ending.done(RUN, EnumSet.of(StageName.MIX), COUNTS, 0, false, 0.05)
                .get(1);
        assertThat(refused)
                .startsWith("Refused: 12 of 160 files and mixtures, 7.50 % where run.max_rejected allows 5.00 % (")
                .contains("images truncated 10", "mix degenerate 2")
                .endsWith("; look at runs/a/rejected");
    }
}
