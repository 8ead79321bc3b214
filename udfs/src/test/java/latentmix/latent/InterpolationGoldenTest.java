package latentmix.latent;

import static latentmix.latent.Latents.difference;
import static latentmix.latent.Latents.values;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import latentmix.Golden;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The interpolations against the reference numbers of golden/interpolation. */
class InterpolationGoldenTest {
    private static final Golden GOLDEN = Golden.open("interpolation");

    static List<String> mixtures() {
        return GOLDEN.names("sd(15|3)\\.(centroid|random|onehot2|pair)\\..*");
    }

    @ParameterizedTest
    @MethodSource("mixtures")
    void everyMixtureIsTheReferenceOne(String name) {
        var parts = name.split("\\.", 3);
        var method = Method.parse(parts[2].equals("lin") ? "lin/0" : parts[2]);
        var weights = GOLDEN.doubles(parts[0] + ".w." + parts[1]);
        var mixture = Latents.mix(latents(parts[0] + ".x"), method, weights, Recipe.Pool.ALL);
        assertThat(difference(values(mixture), GOLDEN.doubles(name))).isLessThan(1e-12);
    }

    @Test
    void normsAndMeansAreTheReferenceOnes() throws Exception {
        var summary = new ObjectMapper()
                .readTree(Golden.folder("interpolation").resolve("golden.json").toFile())
                .get("summary");
        for (var name : mixtures()) {
            var parts = name.split("\\.", 2);
            var expected = summary.get(parts[0]).get(parts[1]);
            var latent = new Latent(shape(parts[0] + ".x"), GOLDEN.doubles(name));
            assertThat(latent.norm()).isCloseTo(expected.get("norm").doubleValue(), within(1e-12 * latent.norm()));
            for (int c = 0; c < latent.shape().channels(); c++) {
                assertThat(latent.channelMeans()[c])
                        .isCloseTo(expected.get("channel_means").get(c).doubleValue(), within(1e-12));
            }
        }
    }

    @Test
    void channelMeansOfCentroidsAreAmplifiedAsInTheReference() throws Exception {
        var amplification = new ObjectMapper()
                .readTree(Golden.folder("interpolation").resolve("golden.json").toFile())
                .get("bias_amplification");
        assertThat(amplification.size()).isPositive();
        var latents = latents("bias.x");
        for (var entry : amplification.properties()) {
            int n = Integer.parseInt(entry.getKey());
            for (var means : entry.getValue().get("channel_means").properties()) {
                var method = Method.parse(means.getKey().equals("lin") ? "lin/0" : means.getKey());
                var mixture = (Mixture.Mixed) Latents.mix(latents, method, Latents.equal(n), Recipe.Pool.ALL);
                for (int c = 0; c < 4; c++) {
                    assertThat(mixture.channelMeans()[c])
                            .isCloseTo(means.getValue().get(c).doubleValue(), within(1e-12));
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.25", "0.5"})
    void slerpIsTheReferenceOne(String t) {
        var x = latents("sd15.x");
        double w = Double.parseDouble(t);
        var between = Latents.mix(
                List.of(x.get(0), x.get(3)), Method.parse("slerp"), new double[] {1 - w, w}, Recipe.Pool.ALL);
        assertThat(difference(values(between), GOLDEN.doubles("slerp.x0_x3.t" + t)))
                .isLessThan(1e-12);
    }

    private static Shape shape(String name) {
        var shape = GOLDEN.shape(name);
        return new Shape(Math.toIntExact(shape.get(1)), Math.toIntExact(shape.get(2)), Math.toIntExact(shape.get(3)));
    }

    private static List<Latent> latents(String name) {
        var shape = shape(name);
        var values = GOLDEN.doubles(name);
        return IntStream.range(0, values.length / shape.size())
                .mapToObj(i -> new Latent(shape, Arrays.copyOfRange(values, i * shape.size(), (i + 1) * shape.size())))
                .toList();
    }
}
