package latentmix.inversion;

import org.apache.commons.rng.UniformRandomProvider;

/**
 * ReNoise's pull of a predicted noise ε towards what noise is like: a few descents, each one step against the
 * divergence of its patches from a reference prediction's and one against its correlation with itself shifted,
 *
 * <pre>
 * L_KL   = Σ over patches |log(v₁/v₀) + (v₀ + (μ₀ − μ₁)²)/v₁ − 1|
 *          a patch: 4×4 positions of a channel, of mean μ and variance v
 * L_pair = Σ over a pyramid of halved maps Σ (mean(ε · shifted ε))²
 *          shifted by r = 1 … side/2 along height, and width
 * </pre>
 *
 * <p>Their gradients are written out below; those of L_KL are cut at ±100. The authors' generator may draw r = 0, which
 * is the variance and no correlation; here it draws from 1. The gradient of L_pair in one entry falls with the size of
 * the map; the authors' step is for maps of 64×64, and is scaled so that it means the same for others.
 *
 * @param kl the step against L_KL
 * @param pair the step against L_pair, divided among the shifts
 * @param descents how often both are taken
 * @param shifts draws of r a descent
 * @see <a href="https://arxiv.org/abs/2403.14602">Garibi et al., ReNoise, Section 3.3</a>
 * @see <a href="https://arxiv.org/abs/2302.03027">Parmar et al., Zero-shot Image-to-Image Translation, Section 3.1</a>
 */
record NoiseRegularization(double kl, double pair, int descents, int shifts) {
    /** The settings that the authors use with Stable Diffusion. */
    static final NoiseRegularization AUTHORS = new NoiseRegularization(0.065, 20, 4, 5);

    private static final int PATCH = 4;
    private static final double AUTHORS_MAP = 64 * 64;
    private static final int SMALLEST = 8; // maps of this height are not halved
    private static final double EPSILON = 1e-6;
    private static final double STEEPEST = 100;

    /** A regularised copy of one prediction (channels, height, width). */
    float[] apply(
            float[] predicted, float[] reference, int channels, int height, int width, UniformRandomProvider random) {
        double[] noise = doubles(predicted);
        double[] other = doubles(reference);
        double pairStep = pair / shifts * (height * width / AUTHORS_MAP);
        for (int i = 0; i < descents; i++) {
            descend(noise, klGradient(noise, other, channels, height, width), kl);
            for (int j = 0; j < shifts; j++) {
                descend(noise, pairGradient(noise, channels, height, width, random), pairStep);
            }
        }
        float[] regular = new float[noise.length];
        for (int i = 0; i < regular.length; i++) {
            regular[i] = (float) noise[i];
        }
        return regular;
    }

    /** dL_KL/dε. */
    static double[] klGradient(double[] noise, double[] reference, int channels, int height, int width) {
        double[] gradient = new double[noise.length];
        int n = PATCH * PATCH;
        int[] patch = new int[n];
        for (int c = 0; c < channels; c++) {
            for (int top = 0; top + PATCH <= height; top += PATCH) {
                for (int left = 0; left + PATCH <= width; left += PATCH) {
                    for (int i = 0; i < n; i++) {
                        patch[i] = (c * height + top + i / PATCH) * width + left + i % PATCH;
                    }
                    double mean = mean(noise, patch);
                    double variance = variance(noise, patch, mean);
                    double referenceMean = mean(reference, patch);
                    double within = variance(reference, patch, referenceMean) + EPSILON;
                    double distance = mean - referenceMean;
                    double divergence =
                            Math.log(within / (variance + EPSILON)) + (variance + distance * distance) / within - 1;
                    for (int at : patch) {
                        double change = 2 * (noise[at] - mean) / (n - 1); // of the variance
                        double slope = -change / (variance + EPSILON) + (change + 2 * distance / n) / within;
                        gradient[at] = Math.max(-STEEPEST, Math.min(STEEPEST, Math.signum(divergence) * slope));
                    }
                }
            }
        }
        return gradient;
    }

    /** dL_pair/dε for shifts drawn anew for each channel and each map of its pyramid. */
    static double[] pairGradient(double[] noise, int channels, int height, int width, UniformRandomProvider random) {
        double[] gradient = new double[noise.length];
        for (int c = 0; c < channels; c++) {
            double[] map = new double[height * width];
            System.arraycopy(noise, c * map.length, map, 0, map.length);
            double[] slope = pairGradient(map, height, width, random);
            System.arraycopy(slope, 0, gradient, c * map.length, map.length);
        }
        return gradient;
    }

    private static double[] pairGradient(double[] map, int height, int width, UniformRandomProvider random) {
        int shift = random.nextInt(1, Math.max(1, Math.min(height, width) / 2) + 1);
        double[] gradient = new double[map.length];
        addCorrelation(gradient, map, height, width, shift, 0);
        addCorrelation(gradient, map, height, width, 0, shift);
        if (height <= SMALLEST || width < 2) {
            return gradient;
        }
        int halfHeight = height / 2;
        int halfWidth = width / 2;
        double[] half = new double[halfHeight * halfWidth];
        for (int y = 0; y < 2 * halfHeight; y++) {
            for (int x = 0; x < 2 * halfWidth; x++) {
                half[y / 2 * halfWidth + x / 2] += map[y * width + x] / 4;
            }
        }
        double[] coarse = pairGradient(half, halfHeight, halfWidth, random);
        for (int y = 0; y < 2 * halfHeight; y++) {
            for (int x = 0; x < 2 * halfWidth; x++) {
                gradient[y * width + x] += coarse[y / 2 * halfWidth + x / 2] / 4;
            }
        }
        return gradient;
    }

    /** Adds the gradient of (mean(x · x shifted down and right))², shifted around the edges. */
    private static void addCorrelation(double[] gradient, double[] map, int height, int width, int down, int right) {
        double correlation = 0;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                correlation += map[y * width + x] * map[(y + down) % height * width + (x + right) % width];
            }
        }
        double slope = 2 * correlation / map.length / map.length;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                double before = map[(y - down + height) % height * width + (x - right + width) % width];
                double after = map[(y + down) % height * width + (x + right) % width];
                gradient[y * width + x] += slope * (before + after);
            }
        }
    }

    private static void descend(double[] noise, double[] gradient, double step) {
        for (int i = 0; i < noise.length; i++) {
            noise[i] -= step * gradient[i];
        }
    }

    private static double mean(double[] values, int[] at) {
        double sum = 0;
        for (int i : at) {
            sum += values[i];
        }
        return sum / at.length;
    }

    private static double variance(double[] values, int[] at, double mean) {
        double sum = 0;
        for (int i : at) {
            sum += (values[i] - mean) * (values[i] - mean);
        }
        return sum / (at.length - 1);
    }

    private static double[] doubles(float[] values) {
        double[] copy = new double[values.length];
        for (int i = 0; i < copy.length; i++) {
            copy[i] = values[i];
        }
        return copy;
    }
}
