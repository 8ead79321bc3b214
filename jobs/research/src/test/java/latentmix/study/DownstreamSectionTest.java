package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class DownstreamSectionTest {
    private static final StudyConfig.Downstream CONFIG = (StudyConfig.Downstream) StudyFile.parse(
                    """
                    title: few
                    run:
                      input: {root: images}
                      model: {checkpoint: "builtin:fashion"}
                    experiments:
                      - {kind: downstream, name: few, test: test, shots: [4, 8], seeds: 3, methods: fix/0, multiple: 2,
                         closer: {shots: 8, multiples: 1}}
                    """,
                    "test",
                    List.of())
            .experiments()
            .get(0);

    /** Seeds differ by much, and images made by the method gain 0.02, 0.03 and 0.04 whatever the seed. */
    private static List<AccuracyRow> accuracies() {
        List<AccuracyRow> rows = new ArrayList<>();
        for (int shots : CONFIG.shots()) {
            for (Downstream.Arm arm : Downstream.arms(CONFIG, shots)) {
                for (int seed = 0; seed < 3; seed++) {
                    double gain = arm.method().isPresent() ? 0.02 + 0.01 * seed : 0;
                    rows.add(new AccuracyRow(
                            "id",
                            shots,
                            arm.method().orElse(""),
                            arm.multiple(),
                            arm.augmented().name().toLowerCase(Locale.ROOT),
                            seed,
                            10 * shots,
                            10 * shots * arm.multiple(),
                            100,
                            0.5 + 0.1 * seed + gain));
                }
            }
        }
        return rows;
    }

    @Test
    void gainsAreSeedBySeedSoThatWhatSeedsHaveInCommonFallsOut() {
        StudySection section = DownstreamSection.of(CONFIG, accuracies());
        DownstreamRow mixed = (DownstreamRow) section.tables().get(0).rows().stream()
                .filter(row -> ((DownstreamRow) row).training().equals("real + fix/0"))
                .findFirst()
                .orElseThrow();
        // t₀.₉₇₅(2) = 4.302653; deviations 0.11 of the accuracies and 0.01 of the gains
        assertThat(mixed.accuracy()).isEqualTo(0.63, within(1e-9));
        assertThat(mixed.high() - mixed.accuracy()).isEqualTo(4.302653 * 0.11 / Math.sqrt(3), within(1e-6));
        assertThat(mixed.gain()).isEqualTo(0.03, within(1e-9));
        assertThat(mixed.gainHigh() - mixed.gain()).isEqualTo(4.302653 * 0.01 / Math.sqrt(3), within(1e-6));
        assertThat(section.notes()).anySatisfy(note -> assertThat(note)
                .isEqualTo("real + fix/0: better than real images alone at k = 4, 8."));
    }

    @Test
    void tablesToReadHaveAColumnForEachNumberOfRealImagesAndOneForEachMultiple() {
        List<Pivot> pivots = DownstreamSection.of(CONFIG, accuracies()).pivots();
        assertThat(pivots).hasSize(3);
        assertThat(pivots.get(0).columns()).containsExactly("k = 4", "k = 8");
        assertThat(pivots.get(0).rows())
                .extracting(Pivot.Row::label)
                .containsExactly("real", "real + augmentation", "real + fix/0");
        assertThat(pivots.get(1).rows())
                .extracting(Pivot.Row::label)
                .containsExactly("real + augmentation", "real + fix/0");
        assertThat(pivots.get(2).columns()).containsExactly("1×", "2×", "2× + augmentation");
        assertThat(pivots.get(2).rows()).hasSize(1);
    }
}
