package latentmix.latent;

import java.util.Optional;

/**
 * The inputs' weighted sum, filled up by fresh noise where averaging took energy away, instead of scaled up.
 *
 * <pre>z' = d̄ + r̄ + √(1 - c) · ε,   c = (‖r̄‖ / Σ w_i ‖r_i‖)²,   ε ~ N(0, I)</pre>
 *
 * c is the inputs' coherence, that of {@link Coh}, and d + r the same split. One input comes back as it is, and so do
 * several equal ones. Where the inputs are independent noise, so is the mixture. What all inputs share is passed on
 * once and never scaled up.
 *
 * @param split d: chm, which is written {@code fill}, or cmm
 */
public record Fill(Split split) implements Blend {
    /** What rounding leaves of 1 - c where the inputs are one. */
    private static final double ROUNDING = 1e-12;

    public Fill {
        if (!(split instanceof ChannelMeanSplit || split instanceof ClassMeanSplit)) {
            throw refused(split.toString());
        }
    }

    static Fill parse(String split) {
        return switch (split) {
            case "cmm" -> new Fill(new ClassMeanSplit());
            case "chm" -> new Fill(new ChannelMeanSplit());
            default -> throw refused(split);
        };
    }

    private static IllegalArgumentException refused(String split) {
        return new IllegalArgumentException(
                "Method 'fill(" + split + ")': its split must be chm, written 'fill', or cmm, written 'fill(cmm)'");
    }

    @Override
    public Optional<double[]> blend(Inputs inputs) {
        var shape = inputs.shape();
        var map = inputs.classMean().map();
        if (needsClassMean() && map.length != shape.size()) {
            throw new IllegalArgumentException("Method " + this + " on latents of shape " + shape
                    + " needs a class mean of " + shape.size() + " values, cannot have: " + map.length);
        }
        var z = inputs.weightedSum();
        var r = new double[z.length];
        double inputNorm = 0;
        for (int i = 0; i < inputs.weights().length; i++) {
            split.residual(shape, inputs.latent(i), map, r);
            inputNorm += inputs.weights()[i] * Vectors.norm(r, 0, r.length);
        }
        if (!(inputNorm > 0)) {
            return Optional.empty();
        }
        split.residual(shape, z, map, r);
        double share = Vectors.norm(r, 0, r.length) / inputNorm;
        double missing = 1 - share * share;
        if (missing > ROUNDING) {
            Vectors.addScaled(Math.sqrt(missing), inputs.noise().normal(shape), z);
        }
        return Optional.of(z);
    }

    @Override
    public boolean drawsNoise() {
        return true;
    }

    @Override
    public InputCount inputs() {
        return ANY;
    }

    @Override
    public boolean needsClassMean() {
        return split instanceof ClassMeanSplit;
    }

    /** The gain is 1, for nothing is scaled. */
    @Override
    public double predictedGain(double ess) {
        return 1;
    }

    @Override
    public String toString() {
        return split instanceof ClassMeanSplit ? "fill(cmm)" : "fill";
    }
}
