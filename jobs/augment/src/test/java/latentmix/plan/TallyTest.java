package latentmix.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class TallyTest {
    /** A class whose mixtures have these verdicts so far: k for kept, b and c for judges, r for refused. */
    private static Tally tally(long quota, int tries, String verdicts) {
        return Tally.of("cat", "dataset", quota, tries, k -> {
            if (k >= verdicts.length()) {
                return Tally.OPEN;
            }
            return switch (verdicts.charAt(k)) {
                case 'k' -> Tally.KEPT;
                case 'b' -> "blank";
                case 'c' -> "copy";
                default -> Tally.REFUSED;
            };
        });
    }

    @Test
    void aClassBeginsWithAsManyMixturesAsAreAskedFor() {
        assertThat(tally(4, 3, "")).isEqualTo(new Tally("cat", "dataset", 4, 4, 0, 0, 0, Map.of(), true));
    }

    @Test
    void aFullClassNeedsNoMore() {
        assertThat(tally(4, 3, "kkkk")).isEqualTo(new Tally("cat", "dataset", 4, 4, 4, 4, 0, Map.of(), false));
    }

    @Test
    void whatLacksIsMadeAtTheRateSoFarRoundedUp() {
        Tally tally = tally(4, 3, "kbkk"); // 3 of 4 are kept, one lacks: 1 / 0.75
        assertThat(tally.reach()).isEqualTo(6);
        assertThat(tally.open()).isTrue();
        assertThat(tally.kept()).isEqualTo(3);
        assertThat(tally.unfilled()).isZero();
    }

    @Test
    void theFirstOnesThatAreKeptFillTheClass() {
        Tally tally = tally(4, 3, "kbkkkk");
        assertThat(tally)
                .isEqualTo(new Tally("cat", "dataset", 4, 6, 5, 4, 1, new TreeMap<>(Map.of("blank", 1L)), false));
    }

    @Test
    void whereNothingIsKeptAsManyAgainAreMadeUpToTheTries() {
        assertThat(tally(2, 3, "bb").reach()).isEqualTo(4);
        assertThat(tally(2, 3, "bbcc").reach()).isEqualTo(6);
        Tally tally = tally(2, 3, "bbccrk");
        assertThat(tally.open()).isFalse();
        assertThat(tally.kept()).isEqualTo(1);
        assertThat(tally.unfilled()).isEqualTo(1);
        assertThat(tally.dropped()).isEqualTo(Map.of("blank", 2L, "copy", 2L, Tally.REFUSED, 1L));
    }

    @Test
    void atOneTryNothingIsReplaced() {
        assertThat(tally(4, 1, "kbbk"))
                .isEqualTo(new Tally("cat", "dataset", 4, 4, 4, 2, 0, Map.of("blank", 2L), false));
    }

    @Test
    void laterVerdictsChangeNoEarlierRound() {
        String verdicts = "bkbbkkbkbkkbkk";
        for (int known = 0; known < verdicts.length(); known++) {
            long before = tally(6, 3, verdicts.substring(0, known)).reach();
            long after = tally(6, 3, verdicts.substring(0, known + 1)).reach();
            assertThat(after).isGreaterThanOrEqualTo(before);
        }
    }

    @Test
    void aClassOfWhichNothingIsAskedHasNothing() {
        assertThat(tally(0, 3, "")).isEqualTo(new Tally("cat", "dataset", 0, 0, 0, 0, 0, Map.of(), false));
    }
}
