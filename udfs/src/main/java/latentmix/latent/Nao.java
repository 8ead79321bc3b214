package latentmix.latent;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Norm-guided paths and centroids: distances are longer where a path's norms are less likely those of Gaussian noise,
 * so that the shortest paths keep to likely ones.
 *
 * <pre>
 * p(r) = r^(D-1) exp(-r²/2) / (2^(D/2-1) Γ(D/2)),   the chi density of ‖ε‖ for ε ~ N(0, I)
 * d(a, b) = min over paths γ from a to b of ∫ -log p(‖γ‖) ‖dγ‖
 * z' = argmin_z Σ w_i d(z, z_i)²
 * </pre>
 *
 * Of two inputs this is the point at w_1 of the path between them. A path is a chain of points that minimises its
 * energy, S Σ (log p)² ‖Δ‖² over its S segments: the minimum is d², and its points come out evenly spaced. (The authors
 * minimise the line integral itself with a penalty on long segments, and for centroids the sum of distances, not
 * squared, less log p(‖z‖); squares make the centroid of two the path's own point and give the input back at one-hot
 * weights.) All points lie in the span of the inputs, so that only their inner products enter.
 *
 * @see <a href="https://arxiv.org/abs/2306.08687">Samuel et al., Norm-guided latent space exploration for text-to-image
 *     generation</a>
 */
public record Nao() implements Blend {
    /**
     * The largest number of inputs. A chain of points leads to each of them, and more inputs make the search too long.
     */
    private static final int MOST_INPUTS = 8;

    private static final int SEGMENTS = 32;
    private static final double PRECISION = 1e-14;

    @Override
    public Optional<double[]> blend(Inputs inputs) {
        var used = IntStream.range(0, inputs.weights().length)
                .filter(i -> inputs.weights()[i] > 0)
                .toArray();
        if (used.length == 1) {
            return Optional.of(inputs.latent(used[0]).clone());
        }
        return start(inputs)
                .map(start -> {
                    var centroid = new Chains(inputs, used, start).centroid();
                    var coefficients = new double[inputs.weights().length];
                    for (int j = 0; j < used.length; j++) {
                        coefficients[used[j]] = centroid[j];
                    }
                    return inputs.combination(coefficients);
                })
                .filter(z -> Double.isFinite(
                        Vectors.norm(z, 0, z.length))); // not so where an input is opposite to the start
    }

    /** The direction to begin at, the normalised sum of the inputs' own; none where they cancel. */
    private static Optional<double[]> start(Inputs inputs) {
        var a = new double[inputs.weights().length];
        for (int i = 0; i < a.length; i++) {
            if (!(inputs.norm(i) > 0)) {
                return Optional.empty();
            }
            a[i] = inputs.weights()[i] / inputs.norm(i);
        }
        var sum = inputs.combination(a);
        double length = Vectors.norm(sum, 0, sum.length);
        return length > 1e-6 ? Optional.of(Vectors.quotient(a, length / inputs.interpolatedNorm())) : Optional.empty();
    }

    /** -log p(r), above 0 everywhere: even the most likely norm of the least dimension has a density below 1. */
    static double cost(double r, int size) {
        return cost(r, size, constant(size));
    }

    private static double cost(double r, int size, double constant) {
        return r * r / 2 - (size - 1) * Math.log(r) + constant;
    }

    private static double constant(int size) {
        return (size / 2.0 - 1) * Math.log(2) + logGamma(size / 2.0);
    }

    /** Stirling's series, for x below 10 by Γ(x) = Γ(x + 1) / x. */
    static double logGamma(double x) {
        if (x < 10) {
            return logGamma(x + 1) - Math.log(x);
        }
        double square = 1 / (x * x);
        double series = (1 / 12.0 - square * (1 / 360.0 - square * (1 / 1260.0 - square / 1680))) / x;
        return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series;
    }

    /** A chain of points from the centroid to each input, as coefficients of the inputs. */
    private static final class Chains {
        private final int n;
        private final int size;
        private final double[] weights; // (n)
        private final double[][] products; // (n, n), z_i · z_j
        private final double[][][] begin; // (n, SEGMENTS + 1, n)
        private final double constant; // of -log p

        Chains(Inputs inputs, int[] used, double[] start) {
            this.n = used.length;
            this.size = inputs.shape().size();
            this.weights =
                    IntStream.of(used).mapToDouble(i -> inputs.weights()[i]).toArray();
            this.products = new double[n][n];
            for (int i = 0; i < n; i++) {
                for (int j = 0; j <= i; j++) {
                    products[i][j] = Vectors.dot(inputs.latent(used[i]), 0, inputs.latent(used[j]), 0, size);
                    products[j][i] = products[i][j];
                }
            }
            var from = IntStream.of(used).mapToDouble(i -> start[i]).toArray();
            this.begin = new double[n][SEGMENTS + 1][];
            for (int chain = 0; chain < n; chain++) {
                for (int k = 0; k <= SEGMENTS; k++) {
                    begin[chain][k] = begin(from, chain, k);
                }
            }
            this.constant = constant(size);
        }

        double[] centroid() {
            // (n · (SEGMENTS - 1) + 1, n): the inner points of each chain, then the centroid, as moves from where they
            // begin. A
            // chain's moves are divided by √w, so that a small weight makes no flat valley.
            var moves = new double[(n * (SEGMENTS - 1) + 1) * n];
            var least = Minimum.near(moves, this::energy, PRECISION);
            return point(least, 0, 0);
        }

        private double energy(double[] moves, double[] gradient) {
            Arrays.fill(gradient, 0);
            double energy = 0;
            for (int chain = 0; chain < n; chain++) {
                for (int k = 0; k < SEGMENTS; k++) {
                    energy += segment(chain, k, moves, gradient);
                }
            }
            return energy;
        }

        /** w S ‖Δ‖² times the mean of (log p)² along one segment, by Simpson's rule. */
        private double segment(int chain, int k, double[] moves, double[] gradient) {
            var a = point(moves, chain, k);
            var b = point(moves, chain, k + 1);
            var delta = Vectors.difference(b, a);
            var stretched = times(delta);
            double square = Vectors.dot(delta, 0, stretched, 0, n);
            double weight = weights[chain] * SEGMENTS;
            double mean = 0;
            for (int j = 0; j <= 2; j++) { // the segment's first point, its middle and its last
                var x = new double[n];
                Vectors.addScaled((2 - j) / 2.0, a, x);
                Vectors.addScaled(j / 2.0, b, x);
                var outwards = times(x);
                double r = Math.sqrt(Math.max(Double.MIN_NORMAL, Vectors.dot(x, 0, outwards, 0, n)));
                double share = j == 1 ? 4 / 6.0 : 1 / 6.0;
                double cost = cost(r, size, constant);
                double steeper = 2 * weight * square * share * cost * (r - (size - 1) / r) / r;
                mean += share * cost * cost;
                add(gradient, chain, k, steeper * (2 - j) / 2, outwards);
                add(gradient, chain, k + 1, steeper * j / 2, outwards);
            }
            add(gradient, chain, k, -2 * weight * mean, stretched);
            add(gradient, chain, k + 1, 2 * weight * mean, stretched);
            return weight * square * mean;
        }

        /** Point k of a chain: the centroid is its first, the input its last. */
        private double[] point(double[] moves, int chain, int k) {
            var point = begin[chain][k].clone();
            if (k < SEGMENTS) {
                double scale = scale(chain, k);
                int from = index(chain, k);
                for (int i = 0; i < n; i++) {
                    point[i] += moves[from + i] * scale;
                }
            }
            return point;
        }

        /** The start of point k of a chain: on the arc from the start to the input, at a norm between theirs. */
        private double[] begin(double[] start, int chain, int k) {
            var point = new double[n];
            double t = (double) k / SEGMENTS;
            for (int i = 0; i < n; i++) {
                point[i] = (1 - t) * start[i] + (i == chain ? t : 0);
            }
            double wanted = (1 - t) * length(start) + t * Math.sqrt(products[chain][chain]);
            return k == SEGMENTS ? point : Vectors.quotient(point, length(point) / wanted);
        }

        private void add(double[] gradient, int chain, int k, double factor, double[] x) {
            if (k < SEGMENTS) {
                for (int i = 0; i < n; i++) {
                    gradient[index(chain, k) + i] += factor * scale(chain, k) * x[i];
                }
            }
        }

        private int index(int chain, int k) {
            return k == 0 ? n * n * (SEGMENTS - 1) : (chain * (SEGMENTS - 1) + k - 1) * n;
        }

        private double scale(int chain, int k) {
            return k == 0 ? 1 : 1 / Math.sqrt(weights[chain]);
        }

        private double length(double[] point) {
            return Math.sqrt(Vectors.dot(point, 0, times(point), 0, n));
        }

        private double[] times(double[] point) {
            var product = new double[n];
            for (int i = 0; i < n; i++) {
                product[i] = Vectors.dot(products[i], 0, point, 0, n);
            }
            return product;
        }
    }

    @Override
    public InputCount inputs() {
        return new InputCount(1, MOST_INPUTS);
    }

    @Override
    public String instead() {
        return "use spherical-mean for more";
    }

    /** The gain is about √ESS, as for every mean that is brought to the norm of one input. */
    @Override
    public double predictedGain(double ess) {
        return Math.sqrt(ess);
    }

    @Override
    public String toString() {
        return "nao";
    }
}
