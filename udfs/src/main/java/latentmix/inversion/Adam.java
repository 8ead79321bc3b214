package latentmix.inversion;

/**
 * Adam on one array of numbers, with the moments in double:
 *
 * <pre>
 * m = β₁ m + (1 − β₁) g,    v = β₂ v + (1 − β₂) g²,    x = x − rate · m̂ / (√v̂ + ε)
 * m̂ = m / (1 − β₁ᵏ),        v̂ = v / (1 − β₂ᵏ)
 * </pre>
 *
 * <p>β₁ = 0.9, β₂ = 0.999, ε = 1e-8, as PyTorch's defaults.
 *
 * @see <a href="https://arxiv.org/abs/1412.6980">Kingma and Ba, Algorithm 1</a>
 */
public final class Adam {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;

    private final double[] first;
    private final double[] second;
    private int updates;

    public Adam(int size) {
        first = new double[size];
        second = new double[size];
    }

    /** One update of the values against their gradient, in place. */
    public void update(float[] values, float[] gradient, double rate) {
        updates++;
        double firstBias = 1 - Math.pow(BETA1, updates);
        double secondBias = 1 - Math.pow(BETA2, updates);
        for (int i = 0; i < values.length; i++) {
            first[i] = BETA1 * first[i] + (1 - BETA1) * gradient[i];
            second[i] = BETA2 * second[i] + (1 - BETA2) * gradient[i] * gradient[i];
            values[i] -= (float) (rate * (first[i] / firstBias) / (Math.sqrt(second[i] / secondBias) + EPSILON));
        }
    }
}
