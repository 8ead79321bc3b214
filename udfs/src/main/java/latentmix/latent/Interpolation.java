package latentmix.latent;

import java.io.Serializable;

/**
 * A method on latents of one shape: what each input adds to the sums, and what the sums make.
 *
 * <pre>z̄ = Σ w_i z_i,   d̄ = d(z̄),   r̄ = z̄ - d̄,   z' = d̄ + (τ / ‖r̄‖) · r̄ in every unit</pre>
 *
 * Every d is linear or the same for all inputs, so z̄ and the units' Σ w_i ‖r_i‖ are all that has to be summed.
 */
record Interpolation(Method method, Shape shape, ClassMean classMean) implements Serializable {
    /** ‖r̄‖ at or below this share of Σ w_i ‖r_i‖ leaves nothing to restore a norm of. */
    private static final double VANISHING = 1e-6;

    /** What rounding leaves of a residual that is zero, as a share of ‖z̄‖. */
    private static final double ROUNDING = 1e-13;

    Interpolation {
        if (method.needsClassMean() && classMean.map().length != shape.size()) {
            throw new IllegalArgumentException("Method " + method + " on latents of shape " + shape
                    + " needs a class mean of " + shape.size() + " values, cannot have: " + classMean.map().length);
        }
    }

    int units() {
        return method.scope().sizes(shape).length;
    }

    /** ‖r_i‖ of every unit. */
    double[] residualNorms(double[] z) {
        return method.scope().norms(shape, Vectors.difference(z, deterministic(z)));
    }

    /**
     * z' from the sums.
     *
     * @param mean z̄, which is overwritten and becomes the mixture's own
     * @param inputNorms Σ w_i ‖r_i‖ of every unit
     * @param sumOfSquares Σ w_i²
     */
    Mixture mix(double[] mean, double[] inputNorms, double sumOfSquares) {
        double meanNorm = Vectors.norm(mean, 0, mean.length);
        if (!Double.isFinite(meanNorm)) {
            return new Mixture.Undefined("not finite");
        }
        if (!(method.norm() instanceof Lin)) {
            var d = deterministic(mean);
            Vectors.subtract(mean, d);
            var norms = method.scope().norms(shape, mean);
            var sizes = method.scope().sizes(shape);
            var factors = new double[norms.length];
            for (int unit = 0; unit < norms.length; unit++) {
                factors[unit] = 1;
                if (sizes[unit] > 0) {
                    if (norms[unit] <= Math.max(VANISHING * inputNorms[unit], ROUNDING * meanNorm)) {
                        return new Mixture.Undefined("no residual");
                    }
                    var residual = new Norm.Residual(
                            norms[unit], inputNorms[unit], sizes[unit], sumOfSquares, classMean.shared());
                    factors[unit] = method.norm().target(residual) / norms[unit];
                }
            }
            method.scope().scale(shape, mean, factors);
            Vectors.addScaled(1, d, mean);
        }
        double ess = 1 / sumOfSquares;
        return new Mixture.Mixed(new Latent(shape, mean), ess, method.predictedGain(ess));
    }

    private double[] deterministic(double[] z) {
        return method.split().deterministic(shape, z, classMean.map());
    }
}
