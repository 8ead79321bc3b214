package latentmix.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;
import org.junit.jupiter.api.Test;

class MixingSettingsTest {
    private static final ClassLabel CAT = new ClassLabel("cat", 0, "cat", "a photo of a cat");

    @Test
    void everyPointOfAPathHasTheSameInputs() {
        assertThat(drawId("path(0)")).isEqualTo(drawId("path(0.5)")).isEqualTo(drawId("path(1)"));
    }

    @Test
    void otherWeightsHaveTheirOwn() {
        assertThat(List.of(drawId("path(0.5)"), drawId("equal"), drawId("dirichlet(1)"), drawId("dirichlet(1.0)")))
                .doesNotHaveDuplicates(); // the spelling as it came: rows of earlier runs stay what they were
    }

    private static MixingSettings drawing(List<String> contexts, double share, List<Double> guidance) {
        return new MixingSettings(
                "inversion",
                List.of("nin/chm", "fix/0"),
                List.of("8"),
                "equal",
                "all",
                "off",
                0,
                "",
                0,
                contexts,
                share,
                guidance);
    }

    /** What earlier runs wrote: their ids must stay. */
    @Test
    void settingsThatDrawNothingAreWrittenAsBeforeThereWereLists() {
        String before =
                """
                {
                  "gate" : "off",
                  "inputs" : [ "8" ],
                  "inversion" : "inversion",
                  "methods" : [ "nin/chm", "fix/0" ],
                  "pool" : "all",
                  "seed" : 0,
                  "weights" : "equal"
                }""";
        assertThat(RunFolder.json(drawing(List.of(), 1, List.of()))).isEqualTo(before);
        assertThat(RunFolder.json(drawing(List.of("at night"), 0.3, List.of(2.0))))
                .contains("\"contextShare\" : 0.3", "\"contexts\" : [ \"at night\" ]", "\"guidance\" : [ 2.0 ]")
                .doesNotContain("neighbours");
    }

    @Test
    void everyMixtureDrawsOneOfEachListEachAsOftenAndMethodsDrawAlike() {
        MixingSettings settings = drawing(List.of("at night", "in snow"), 0.3, List.of(2.0, 4.0, 7.5));
        Map<String, Integer> contexts = new TreeMap<>();
        Map<Double, Integer> scales = new TreeMap<>();
        for (int k = 0; k < 6000; k += 2) {
            List<String> told = settings.prompts(CAT, "pool", k);
            assertThat(told).hasSize(2).endsWith("a photo of a cat").isEqualTo(settings.prompts(CAT, "pool", k + 1));
            List<Double> scale = settings.guidance("cat", "pool", k);
            assertThat(settings.guidance("cat", "pool", k + 1)).isEqualTo(scale);
            contexts.merge(told.get(0), 1, Integer::sum);
            scales.merge(scale.get(0), 1, Integer::sum);
        }
        assertThat(contexts.keySet()).containsExactly("a photo of a cat at night", "a photo of a cat in snow");
        assertThat(contexts.values()).allMatch(count -> count > 1350 && count < 1650);
        assertThat(scales.keySet()).containsExactly(2.0, 4.0, 7.5);
        assertThat(scales.values()).allMatch(count -> count > 850 && count < 1150);
        assertThat(settings.promptShares()).containsExactly(0.3, 0.7);
        assertThat(drawing(List.of("at night"), 1, List.of()).prompts(CAT, "pool", 0))
                .containsExactly("a photo of a cat at night");
        assertThat(settings.efforts())
                .hasSize(6)
                .contains(settings.effort("cat", "pool", 0))
                .contains(new MixedTable.Effort(1, List.of(7.5)));
    }

    @Test
    void aContextStandsAfterThePromptOrAroundItAndALorasTagStaysLast() {
        assertThat(CAT.prompt("in a forest")).isEqualTo("a photo of a cat in a forest");
        assertThat(CAT.prompt(", at night")).isEqualTo("a photo of a cat, at night");
        assertThat(CAT.prompt("a print of {prompt} in ink")).isEqualTo("a print of a photo of a cat in ink");
        assertThat(CAT.prompt("")).isEqualTo(CAT.prompt());
        String tag = " <lora:0123456789abcdef0123456789abcdef>";
        ClassLabel learnt = new ClassLabel("cat", 0, "cat", "a <cat-1>" + tag);
        assertThat(learnt.prompt("at night")).isEqualTo("a <cat-1> at night" + tag);
        assertThat(learnt.prompt("{prompt}, big")).isEqualTo("a <cat-1>, big" + tag);
    }

    private static String drawId(String weights) {
        return new MixingSettings(
                        "inversion",
                        List.of("nin/chm"),
                        List.of("8"),
                        weights,
                        "all",
                        "off",
                        0,
                        "",
                        0,
                        List.of(),
                        0,
                        List.of())
                .drawId("5-sandal", "pool", 3, 0);
    }
}
