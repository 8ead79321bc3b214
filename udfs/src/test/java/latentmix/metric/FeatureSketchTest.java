package latentmix.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FeatureSketchTest {
    private static final List<float[]> ROWS = Sketches.gaussians(300, 5, 1, 2, 1);

    private static FeatureSketch part(int from, int to, int capacity, List<Integer> order) {
        FeatureSketch sketch = new FeatureSketch(5, capacity);
        order.subList(from, to).forEach(i -> sketch.add(Sketches.id("image " + i), ROWS.get(i)));
        return sketch;
    }

    private static List<Integer> order() {
        return new ArrayList<>(IntStream.range(0, 300).boxed().toList());
    }

    /** Capacities that hold all images, one part of them, and neither. */
    @ParameterizedTest
    @CsvSource({"300, 120", "200, 120", "100, 20", "50, 0", "50, 300"})
    void mergedPartsInAnyOrderAreTheWhole(int capacity, int first) {
        FeatureSketch whole = part(0, 300, capacity, order());
        List<Integer> shuffled = order();
        Collections.shuffle(shuffled, new Random(2));
        FeatureSketch merged = part(0, first, capacity, shuffled);
        merged.merge(part(first, 300, capacity, shuffled));

        assertThat(merged.count()).isEqualTo(300);
        assertThat(merged.isWhole()).isEqualTo(capacity >= 300);
        assertThat(merged.sample()).isEqualTo(whole.sample()).hasSize(Math.min(capacity, 300));
        assertThat(merged.mean()).containsExactly(whole.mean(), within(1e-12));
        assertThat(merged.statistics().covariance())
                .containsExactly(whole.statistics().covariance(), within(1e-12));
    }

    @Test
    void theStatisticsAreThoseOfAllImagesThoughTheSampleIsSmall() {
        GaussianStatistics all = new GaussianStatistics(5);
        ROWS.forEach(all::add);
        FeatureSketch sketch = part(0, 300, 10, order());
        assertThat(sketch.mean()).containsExactly(all.mean(), within(1e-12));
        assertThat(sketch.statistics().covariance()).containsExactly(all.covariance(), within(1e-12));
    }

    @Test
    void theSampleIsTheLowestIds() {
        List<String> ids = IntStream.range(0, 300)
                .mapToObj(i -> Sketches.id("image " + i))
                .sorted()
                .toList();
        assertThat(part(0, 300, 7, order()).sample().keySet()).containsExactlyElementsOf(ids.subList(0, 7));
    }

    @Test
    void groupsAreOfAboutEqualSize() {
        int[] sizes = new int[Jackknife.GROUPS];
        IntStream.range(0, 20_000).forEach(i -> sizes[Jackknife.group(Sketches.id("image " + i))]++);
        assertThat(IntStream.of(sizes)).allMatch(size -> size > 870 && size < 1130); // 1000 ± 4 deviations
    }

    @Test
    void whatIsNoFeaturesOfItIsRefused() {
        FeatureSketch sketch = new FeatureSketch(2, 5);
        assertThatThrownBy(() -> sketch.add("a", new float[3])).hasMessageContaining("2 features, cannot be: 3");
        assertThatThrownBy(() -> sketch.add("a", new float[] {0, Float.NaN})).hasMessageContaining("finite");
        assertThatThrownBy(() -> sketch.merge(new FeatureSketch(3, 5))).hasMessageContaining("cannot be: 3");
        assertThatThrownBy(() -> new FeatureSketch(2, 1)).hasMessageContaining("2 images, cannot be of: 2 and 1");
    }
}
