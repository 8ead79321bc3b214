package latentmix.latent;

import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * The measured bias that a pool's latents share, and the predicted factor by which it shows in a mixture.
 *
 * <pre>
 * β     = ‖r(μ)‖² / E‖r‖²                              the share of the residuals' energy that is bias, in every unit
 * ‖r̄‖² ≈ E‖r‖² (β + (1 - β) (Σ w² - 1/M) / (1 - 1/M)) inputs are drawn without replacement
 * gain  = 1 + Σ (τ / ‖r̄‖ - 1) ‖r(μ)‖² / ‖μ‖²          over units: what {@link Baseline#gain} measures afterwards
 * </pre>
 *
 * For β → 0 and a norm restored over the whole latent the gain is √ESS, the paper's Section 4; with β it saturates at
 * 1/√β.
 */
public final class PoolBias {
    private final Shape shape;
    private final int size; // M
    private final double[] classMean; // μ
    private final Map<List<Object>, double[]> energies; // E‖r‖² of every unit, by split and scope

    private PoolBias(Shape shape, int size, double[] classMean, Map<List<Object>, double[]> energies) {
        this.shape = shape;
        this.size = size;
        this.classMean = classMean;
        this.energies = energies;
    }

    /**
     * The bias of a pool as far as these methods see it; one pass.
     *
     * @param classMean μ, the pool's mean map
     */
    public static PoolBias of(LatentPool pool, double[] classMean, Collection<Method> methods) {
        var energies = new HashMap<List<Object>, double[]>();
        var bias = new PoolBias(pool.shape(), pool.size(), classMean, energies);
        var interpolations = new HashMap<List<Object>, Interpolation>();
        for (var method : methods) {
            if (method instanceof MeanAdjusted adjusted) {
                interpolations.put(key(adjusted), bias.interpolation(adjusted));
            }
        }
        interpolations.forEach((key, interpolation) -> energies.put(key, new double[interpolation.units()]));
        var residual = new double[pool.shape().size()];
        pool.forEach((index, z) -> interpolations.forEach((key, interpolation) -> {
            var norms = interpolation.residualNorms(z, residual);
            var energy = energies.get(key);
            for (int unit = 0; unit < norms.length; unit++) {
                energy[unit] += norms[unit] * norms[unit] / pool.size();
            }
        }));
        return bias;
    }

    /**
     * The predicted gain of the class's mean map; none for a method beside the grid, whose mixtures are no sums, or a
     * pool without a mean.
     *
     * @param method one of those that the bias was measured for
     * @param sumOfSquares Σ w²
     */
    public OptionalDouble gain(Method method, double sumOfSquares) {
        double square = Vectors.dot(classMean, 0, classMean, 0, classMean.length);
        if (!(method instanceof MeanAdjusted adjusted) || square == 0) {
            return OptionalDouble.empty();
        }
        if (adjusted.norm() instanceof Lin) {
            return OptionalDouble.of(1);
        }
        var interpolation = interpolation(adjusted);
        var biases = interpolation.residualNorms(classMean, new double[shape.size()]);
        var energy = energies.get(key(adjusted));
        var sizes = adjusted.scope().sizes(shape);
        double spread = size == 1 ? 0 : Math.max(0, (sumOfSquares - 1.0 / size) / (1 - 1.0 / size));
        double common = adjusted.needsClassMean() ? 1.0 / size : 0;
        double gain = 1;
        for (int unit = 0; unit < biases.length; unit++) {
            double shared = biases[unit] * biases[unit];
            double norm = Math.sqrt(shared + (energy[unit] - shared) * spread);
            if (sizes[unit] > 0 && norm > 0) {
                var expected = new Norm.Residual(norm, Math.sqrt(energy[unit]), sizes[unit], sumOfSquares, common);
                gain += (adjusted.norm().target(expected) / norm - 1) * shared / square;
            }
        }
        return OptionalDouble.of(gain);
    }

    private Interpolation interpolation(MeanAdjusted method) {
        return new Interpolation(method, shape, ClassMean.ofPool(classMean, size));
    }

    private static List<Object> key(MeanAdjusted method) {
        return Arrays.asList(method.split(), method.scope());
    }
}
