package latentmix.latent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DegeneracyTest {
    private static final Shape SHAPE = new Shape(4, 8, 8);

    @ParameterizedTest
    @CsvSource({"4,8,8", "3,5,7", "2,1,6", "1,6,1", "2,2,2"})
    void everyScoreIsItsDefinition(int channels, int height, int width) {
        var shape = new Shape(channels, height, width);
        var latent = Latents.normal(shape, 1, 0.3, "definition").get(0);
        var naive = new Naive(latent);
        var scores = Degeneracy.of(latent);

        assertThat(scores.norm()).isCloseTo(naive.rootMeanSquare(), within(1e-12));
        assertThat(scores.channelMean()).isCloseTo(naive.channelMean(), within(1e-12));
        assertThat(scores.lowBand()).isCloseTo(naive.band(0, 0.25), within(1e-12));
        assertThat(scores.middleBand()).isCloseTo(naive.band(0.25, 0.625), within(1e-12));
        assertThat(scores.highBand()).isCloseTo(naive.band(0.625, 2), within(1e-12));
        assertThat(scores.horizontal()).isCloseTo(naive.autocorrelation(0, 1), within(1e-12));
        assertThat(scores.vertical()).isCloseTo(naive.autocorrelation(1, 0), within(1e-12));
    }

    @ParameterizedTest
    @CsvSource({"4,8,8", "16,16,16", "4,16,24"})
    void nominalNoiseHasTheMeansAndSpreadsThatAreSaid(int channels, int height, int width) {
        var shape = new Shape(channels, height, width);
        int draws = 2000;
        var scores = Latents.normal(shape, draws, 0, "nominal").stream()
                .map(latent -> Degeneracy.of(latent).values())
                .toList();
        var nominal = Degeneracy.nominal(shape);
        for (int s = 0; s < nominal.length; s++) {
            var drawn = spread(scores, s);
            String name = Degeneracy.names()[s];
            assertThat(drawn.mean())
                    .as(name)
                    .isCloseTo(nominal[s].mean(), within(5 * drawn.deviation() / Math.sqrt(draws) + 0.005));
            assertThat(drawn.deviation() / nominal[s].deviation()).as(name).isBetween(0.9, 1.1);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "offset,  channel mean",
        "coarse,  low band",
        "checker, high band",
        "rows,    horizontal",
        "columns, vertical",
        "faded,   norm",
    })
    void eachPatternIsFoundByItsScore(String pattern, String score) {
        var noise = Latents.normal(SHAPE, 1, 0, "pattern").get(0).values();
        for (int p = 0; p < noise.length; p++) {
            int row = p / SHAPE.width() % SHAPE.height();
            int column = p % SHAPE.width();
            noise[p] = switch (pattern) {
                case "offset" -> noise[p] + 1;
                case "coarse" -> noise[p] + 2 * Math.cos(Math.PI * (2 * row + 1) / 16);
                case "checker" -> noise[p] + (row + column) % 2 * 3 - 1.5;
                case "rows" -> noise[p] + (row * 7 % 5 - 2);
                case "columns" -> noise[p] + (column * 7 % 5 - 2);
                default -> 0.3 * noise[p];
            };
        }
        int s = Arrays.asList(Degeneracy.names()).indexOf(score);
        double deviations = Degeneracy.nominal(SHAPE)[s].deviations(
                Degeneracy.of(new Latent(SHAPE, noise)).values()[s]);
        assertThat(Math.abs(deviations)).isGreaterThan(5);
    }

    @Test
    void aConstantLatentHasNoAutocorrelation() {
        var constant = new double[SHAPE.size()];
        Arrays.fill(constant, 0.5);
        var scores = Degeneracy.of(new Latent(SHAPE, constant));
        assertThat(scores.channelMean()).isCloseTo(0.5 * 8, within(1e-12));
        assertThat(scores.horizontal()).isZero();
        assertThat(scores.vertical()).isZero();
    }

    private static Degeneracy.Spread spread(List<double[]> scores, int s) {
        double mean = scores.stream().mapToDouble(values -> values[s]).average().orElseThrow();
        double variance = scores.stream()
                .mapToDouble(values -> (values[s] - mean) * (values[s] - mean))
                .average()
                .orElseThrow();
        return new Degeneracy.Spread(mean, Math.sqrt(variance));
    }

    /** The definitions written out, one entry after the other. */
    private record Naive(Latent latent) {
        double at(int c, int i, int j) {
            var shape = latent.shape();
            return latent.values()[(c * shape.height() + i) * shape.width() + j];
        }

        double rootMeanSquare() {
            return Math.sqrt(
                    Arrays.stream(latent.values()).map(x -> x * x).average().orElseThrow());
        }

        double channelMean() {
            double sum = 0;
            for (double mean : latent.channelMeans()) {
                double standardError = 1 / Math.sqrt(latent.shape().plane());
                sum += Math.pow(mean / standardError, 2) / latent.shape().channels();
            }
            return Math.sqrt(sum);
        }

        /** Root mean square of the coefficients with frequency in (above, upTo]. */
        double band(double above, double upTo) {
            var shape = latent.shape();
            double sum = 0;
            int count = 0;
            for (int c = 0; c < shape.channels(); c++) {
                for (int u = 0; u < shape.height(); u++) {
                    for (int v = 0; v < shape.width(); v++) {
                        double f = (double) u / shape.height() + (double) v / shape.width();
                        if (f > above && f <= upTo) {
                            sum += Math.pow(coefficient(c, u, v), 2);
                            count++;
                        }
                    }
                }
            }
            return count == 0 ? 1 : Math.sqrt(sum / count);
        }

        private double coefficient(int c, int u, int v) {
            var shape = latent.shape();
            double sum = 0;
            for (int i = 0; i < shape.height(); i++) {
                for (int j = 0; j < shape.width(); j++) {
                    sum += at(c, i, j)
                            * Math.cos(Math.PI * (i + 0.5) * u / shape.height())
                            * Math.cos(Math.PI * (j + 0.5) * v / shape.width());
                }
            }
            return sum
                    * Math.sqrt((u == 0 ? 1.0 : 2.0) / shape.height())
                    * Math.sqrt((v == 0 ? 1.0 : 2.0) / shape.width());
        }

        double autocorrelation(int down, int right) {
            var shape = latent.shape();
            var means = latent.channelMeans();
            double products = 0;
            double squares = 0;
            int pairs = 0;
            for (int c = 0; c < shape.channels(); c++) {
                for (int i = 0; i < shape.height(); i++) {
                    for (int j = 0; j < shape.width(); j++) {
                        squares += Math.pow(at(c, i, j) - means[c], 2);
                        if (i + down < shape.height() && j + right < shape.width()) {
                            products += (at(c, i, j) - means[c]) * (at(c, i + down, j + right) - means[c]);
                            pairs++;
                        }
                    }
                }
            }
            return pairs == 0 ? 0 : products / pairs / (squares / shape.size()) + 1.0 / (shape.plane() - 1);
        }
    }
}
