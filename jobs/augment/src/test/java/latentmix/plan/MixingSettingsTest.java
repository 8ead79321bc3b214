package latentmix.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class MixingSettingsTest {
    @Test
    void everyPointOfAPathHasTheSameInputs() {
        assertThat(drawId("path(0)")).isEqualTo(drawId("path(0.5)")).isEqualTo(drawId("path(1)"));
    }

    @Test
    void otherWeightsHaveTheirOwn() {
        assertThat(List.of(drawId("path(0.5)"), drawId("equal"), drawId("dirichlet(1)"), drawId("dirichlet(1.0)")))
                .doesNotHaveDuplicates(); // the spelling as it came: rows of earlier runs stay what they were
    }

    private static String drawId(String weights) {
        return new MixingSettings("inversion", List.of("nin/chm"), List.of("8"), weights, "all", "off", 0, "")
                .drawId("5-sandal", "pool", 3, 0);
    }
}
