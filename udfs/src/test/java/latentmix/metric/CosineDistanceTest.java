package latentmix.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.junit.jupiter.api.Test;

class CosineDistanceTest {
    private static final JsonNode COSINE = Features.numbers().get("cosine");
    private static final double[] A0 = Features.golden("a").get(0);
    private static final List<double[]> B = Features.golden("b");

    @Test
    void ofTwoVectorsItIsOneLessTheReferencesSimilarity() {
        assertThat(CosineDistance.between(A0, B.get(0)))
                .isCloseTo(1 - COSINE.get("a0_b0_similarity").doubleValue(), within(1e-12));
    }

    @Test
    void toTheMeanOfVectorsAndToThatOfUnitVectorsItIsTheReferences() {
        assertThat(CosineDistance.between(A0, Features.statistics(B).mean()))
                .isCloseTo(COSINE.get("a0_to_mean_of_b_raw").doubleValue(), within(1e-12));
        List<double[]> unit = B.stream().map(CosineDistance::unit).toList();
        assertThat(CosineDistance.between(A0, Features.statistics(unit).mean()))
                .isCloseTo(COSINE.get("a0_to_mean_of_b_unit").doubleValue(), within(1e-12));
    }

    @Test
    void itRunsFromZeroToTwoAndKnowsNoLengths() {
        assertThat(CosineDistance.between(new double[] {3, 4}, new double[] {30, 40}))
                .isCloseTo(0, within(1e-15));
        assertThat(CosineDistance.between(new double[] {1, 0}, new double[] {0, 9}))
                .isEqualTo(1);
        assertThat(CosineDistance.between(new double[] {3, 4}, new double[] {-6, -8}))
                .isCloseTo(2, within(1e-15));
        assertThat(CosineDistance.unit(new double[] {3, 4})).containsExactly(0.6, 0.8);
    }

    @Test
    void vectorsWithoutADirectionOrOfOtherFeaturesAreRefused() {
        assertThatThrownBy(() -> CosineDistance.between(new double[2], new double[] {1, 0}))
                .hasMessageContaining("finite length over 0, cannot have: 0.0");
        assertThatThrownBy(() -> CosineDistance.unit(new double[] {Double.NaN}))
                .hasMessageContaining("cannot have: NaN");
        assertThatThrownBy(() -> CosineDistance.between(new double[2], new double[3]))
                .hasMessageContaining("cannot be of: 2 and 3");
    }
}
