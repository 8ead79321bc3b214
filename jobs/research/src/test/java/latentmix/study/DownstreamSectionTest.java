package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class DownstreamSectionTest {
    private static final StudyConfig.Downstream CONFIG = (StudyConfig.Downstream) StudyFile.parse(
                    """
                    title: few
                    run:
                      input: {root: images}
                      model: {checkpoint: "builtin:fashion"}
                    experiments:
                      - {kind: downstream, name: few, shots: [4, 8], seeds: 3, shares: [0.1, 0.5], multiples: 2,
                         arms: [{name: mixed, methods: fix/0}, {name: told, methods: prompt}]}
                    """,
                    "test",
                    List.of())
            .experiments()
            .get(0);

    /**
     * Seeds differ by much. Mixed images gain 0.02, 0.03 and 0.04 at a share of 0.1, and lose at 0.5, which the
     * validation images know. Prompts lose at either.
     */
    private static List<AccuracyRow> accuracies() {
        List<AccuracyRow> rows = new ArrayList<>();
        for (int shots : CONFIG.shots()) {
            for (int seed = 0; seed < 3; seed++) {
                rows.add(row(shots, "", "", 0, "none", seed, -0.1));
                rows.add(row(shots, "", "", 0, "standard", seed, 0));
                rows.add(row(shots, "mixed", "fix/0", 0.1, "standard", seed, 0.02 + 0.01 * seed));
                rows.add(row(shots, "mixed", "fix/0", 0.5, "standard", seed, -0.02));
                rows.add(row(shots, "told", "prompt", 0.1, "standard", seed, -0.03));
                rows.add(row(shots, "told", "prompt", 0.5, "standard", seed, -0.04));
            }
        }
        return rows;
    }

    private static AccuracyRow row(
            int shots, String arm, String method, double share, String augmentation, int seed, double gain) {
        int multiple = arm.isEmpty() ? 0 : 2;
        double accuracy = 0.5 + 0.1 * seed + gain;
        return new AccuracyRow(
                "id",
                shots,
                arm,
                method,
                share,
                multiple,
                augmentation,
                seed,
                10 * shots,
                10 * shots * multiple,
                50,
                100,
                accuracy - 0.2,
                accuracy,
                accuracy - 0.1,
                accuracy - 0.3);
    }

    private static DownstreamRow row(StudySection section, String arm) {
        return (DownstreamRow) section.tables().get(0).rows().stream()
                .filter(row -> ((DownstreamRow) row).arm().equals(arm))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void gainsAreSeedBySeedSoThatWhatSeedsHaveInCommonFallsOut() {
        StudySection section = DownstreamSection.of(CONFIG, accuracies());
        DownstreamRow mixed = row(section, "+ mixed");
        // t₀.₉₇₅(2) = 4.302653; deviations 0.11 of the accuracies and 0.01 of the gains
        assertThat(mixed.accuracy()).isEqualTo(0.63, within(1e-9));
        assertThat(mixed.high() - mixed.accuracy()).isEqualTo(4.302653 * 0.11 / Math.sqrt(3), within(1e-6));
        assertThat(mixed.gain()).isEqualTo(0.03, within(1e-9));
        assertThat(mixed.gainHigh() - mixed.gain()).isEqualTo(4.302653 * 0.01 / Math.sqrt(3), within(1e-6));
        assertThat(section.notes())
                .contains("+ mixed: better than standard augmentation at k = 4, 8.", "+ told: worse at k = 4, 8.");
    }

    @Test
    void theWayThatDoesBestOnTheValidationImagesIsTaken() {
        StudySection section = DownstreamSection.of(CONFIG, accuracies());
        assertThat(row(section, "+ mixed").chosen()).isEqualTo("fix/0 p 0.1: 3");
        assertThat(row(section, "best of validation").chosen()).isEqualTo("fix/0 p 0.1: 3");
        List<AccuracyRow> misled = accuracies().stream()
                .map(row -> row.share() == 0.5
                        ? new AccuracyRow(
                                row.trainingId(),
                                row.shots(),
                                row.arm(),
                                row.method(),
                                row.share(),
                                row.multiple(),
                                row.augmentation(),
                                row.seed(),
                                row.realImages(),
                                row.madeImages(),
                                row.validationImages(),
                                row.testImages(),
                                1,
                                row.accuracy(),
                                row.tail(),
                                row.corrupted())
                        : row)
                .toList();
        assertThat(row(DownstreamSection.of(CONFIG, misled), "+ mixed").gain()).isEqualTo(-0.02, within(1e-9));
    }

    /** Chosen by the validation images of all seeds, and told by the test images' interval. */
    @Test
    void theAdviceIsTheBestWayOfValidationWhereItsGainIsCertain() {
        assertThat(DownstreamSection.of(CONFIG, accuracies()).notes())
                .contains("Advice for k = 4: make mixed (fix/0), 2 made for each real image, 10 % of a batch. Over all"
                        + " seeds it is the best on the validation images. On the test images it gains +0.030 ± 0.025"
                        + " over standard augmentation.");
        List<AccuracyRow> losing = accuracies().stream()
                .filter(row -> !row.arm().equals("mixed"))
                .flatMap(row -> row.arm().isEmpty()
                        ? Stream.of(row)
                        : Stream.of(
                                row, row(row.shots(), "mixed", "fix/0", row.share(), "standard", row.seed(), -0.03)))
                .toList();
        assertThat(DownstreamSection.of(CONFIG, losing).notes())
                .anySatisfy(note -> assertThat(note).startsWith("Advice for k = 8: make no images. The best was told"));
        List<AccuracyRow> uncertain = losing.stream()
                .map(row -> row.arm().isEmpty()
                        ? row
                        : row(
                                row.shots(),
                                row.arm(),
                                row.method(),
                                row.share(),
                                "standard",
                                row.seed(),
                                0.02 * (row.seed() - 1)))
                .toList();
        assertThat(DownstreamSection.of(CONFIG, uncertain).notes()).anySatisfy(note -> assertThat(note)
                .startsWith("Advice for k = 8: make no images, or test with more seeds. The best was "));
    }

    @Test
    void whatElseIsJudgedByHasTablesOfItsOwn() {
        StudyConfig.Downstream config = (StudyConfig.Downstream) StudyFile.parse(
                        """
                        title: few
                        run:
                          input: {root: images}
                          model: {checkpoint: "builtin:fashion"}
                        experiments:
                          - {kind: downstream, name: few, shots: [4, 8], seeds: 3, shares: [0.1, 0.5], multiples: 2,
                             tail: 2, corruptions: [contrast, pixelate], severity: 4,
                             arms: [{name: mixed, methods: fix/0}, {name: told, methods: prompt}]}
                        """,
                        "test",
                        List.of())
                .experiments()
                .get(0);
        List<Pivot> pivots = DownstreamSection.of(config, accuracies()).pivots();
        assertThat(pivots).hasSize(2 + 4 + 2 * 2);
        assertThat(pivots.get(2).caption()).contains("third of the classes that have the fewest");
        assertThat(pivots.get(2).rows().get(1).cells().get(0).text()).startsWith("0.500 ± ");
        assertThat(pivots.get(4).caption()).contains("contrast, pixelate, severity 4");
        assertThat(pivots.get(4).rows().get(1).cells().get(0).text()).startsWith("0.300 ± ");
        assertThat(pivots.get(5).rows().get(1).cells().get(0).text()).startsWith("+0.030 ± ");
    }

    @Test
    void tablesToReadHaveAColumnForEachNumberOfRealImagesEachArmAndEachShare() {
        List<Pivot> pivots = DownstreamSection.of(CONFIG, accuracies()).pivots();
        assertThat(pivots).hasSize(2 + 2 * 2);
        assertThat(pivots.get(0).columns()).containsExactly("k = 4", "k = 8");
        assertThat(pivots.get(0).rows())
                .extracting(Pivot.Row::label)
                .containsExactly("real", "real + augmentation", "+ mixed", "+ told", "best of validation");
        assertThat(pivots.get(1).rows())
                .extracting(Pivot.Row::label)
                .containsExactly("real", "+ mixed", "+ told", "best of validation");
        assertThat(pivots.get(2).columns()).containsExactly("+ mixed", "+ told");
        assertThat(pivots.get(2).rows().get(0).cells().get(1).text()).startsWith("+0.060 ± ");
        assertThat(pivots.get(3).columns()).containsExactly("p = 0.1", "p = 0.5");
        assertThat(pivots.get(3).rows().get(1).cells().get(1).text()).startsWith("0.560");
    }
}
