package latentmix.latent;

import java.io.Serializable;
import java.util.Arrays;

/**
 * A method of the grid on latents of one shape. It says what each input adds to the sums, and what mixture the sums
 * make.
 *
 * <pre>z̄ = Σ w_i z_i,   r̄ = r(z̄),   z' = d̄ + (τ / ‖r̄‖) · r̄ = z̄ + (τ / ‖r̄‖ - 1) · r̄ in every unit</pre>
 *
 * Every r is linear in z up to a constant, so z̄ and the units' Σ w_i ‖r_i‖ are all that has to be summed.
 */
record Interpolation(MeanAdjusted method, Shape shape, ClassMean classMean) implements Serializable {
    /** The share of Σ w_i ‖r_i‖ at or below which ‖r̄‖ counts as zero, so that there is no norm to restore. */
    private static final double VANISHING = 1e-6;

    /** The size that rounding gives to a residual of zero, as a share of ‖z_i‖. */
    private static final double ROUNDING = 1e-13;

    Interpolation {
        if (method.needsClassMean() && classMean.map().length != shape.size()) {
            throw new IllegalArgumentException("Method " + method + " on latents of shape " + shape
                    + " needs a class mean of " + shape.size() + " values, cannot have: " + classMean.map().length);
        }
    }

    /**
     * The share of an input's variance that all residuals have in common: that of the class mean, where one is split
     * off.
     */
    private double shared() {
        return method.needsClassMean() ? classMean.shared() : 0;
    }

    int units() {
        return method.scope().sizes(shape).length;
    }

    /**
     * The norms ‖r_i‖ of every unit, 0 where one is no more than rounding.
     *
     * @param r C·H·W values to work in
     */
    double[] residualNorms(double[] z, double[] r) {
        method.split().residual(shape, z, classMean.map(), r);
        var norms = method.scope().norms(shape, r);
        double least = ROUNDING * Vectors.norm(z, 0, z.length);
        return Arrays.stream(norms).map(norm -> norm <= least ? 0 : norm).toArray();
    }

    /**
     * The mixture z' that the sums make.
     *
     * @param mean z̄, which is overwritten and becomes the mixture's own
     * @param inputNorms Σ w_i ‖r_i‖ of every unit; lin needs none
     * @param sumOfSquares Σ w_i²
     * @param r C·H·W values to work in
     */
    Mixture mix(double[] mean, double[] inputNorms, double sumOfSquares, double[] r) {
        if (!(method.norm() instanceof Lin)) {
            method.split().residual(shape, mean, classMean.map(), r);
            var norms = method.scope().norms(shape, r);
            var sizes = method.scope().sizes(shape);
            var factors = new double[norms.length]; // 0 where r stays as it is
            for (int unit = 0; unit < norms.length; unit++) {
                if (sizes[unit] > 0) {
                    if (inputNorms[unit] == 0 || !(norms[unit] > VANISHING * inputNorms[unit])) {
                        return new Mixture.Undefined("no residual");
                    }
                    var residual =
                            new Norm.Residual(norms[unit], inputNorms[unit], sizes[unit], sumOfSquares, shared());
                    factors[unit] = method.norm().target(residual) / norms[unit] - 1;
                }
            }
            method.scope().addScaled(shape, r, factors, mean);
        }
        double ess = 1 / sumOfSquares;
        return new Mixture.Mixed(new Latent(shape, mean), ess, method.predictedGain(ess));
    }
}
