package latentmix.latent;

import java.util.Optional;

/**
 * DiffMorpher's adaptive instance normalisation: every channel of an interpolation on the sphere gets the inputs'
 * interpolated mean and standard deviation.
 *
 * <pre>z'[c] = σ_c · (y[c] - mean y[c]) / std y[c] + μ_c,   μ_c = Σ w_i mean z_i[c],   σ_c = Σ w_i std z_i[c]</pre>
 *
 * y is slerp of two inputs, as there, and the spherical mean of more. The nearest of the grid is nin/chm@channel, which
 * gives the same from y = Σ w z.
 *
 * @see <a href="https://arxiv.org/abs/2312.07409">Zhang et al., DiffMorpher, Section 3.3</a>
 */
public record Adain() implements Blend {
    @Override
    public Optional<double[]> blend(Inputs inputs) {
        Blend onTheSphere = inputs.weights().length == 2 ? new Slerp() : new SphericalMean();
        return onTheSphere.blend(inputs).flatMap(y -> adjusted(inputs, y));
    }

    private static Optional<double[]> adjusted(Inputs inputs, double[] y) {
        var shape = inputs.shape();
        var values = new double[y.length];
        for (int c = 0; c < shape.channels(); c++) {
            int from = c * shape.plane();
            double mean = 0;
            double deviation = 0;
            for (int i = 0; i < inputs.weights().length; i++) {
                double own = Vectors.mean(inputs.latent(i), from, shape.plane());
                mean += inputs.weights()[i] * own;
                deviation += inputs.weights()[i] * deviation(inputs.latent(i), from, shape.plane());
            }
            double present = deviation(y, from, shape.plane());
            if (deviation > 0 && !(present > 0)) {
                return Optional.empty();
            }
            double scale = deviation > 0 ? deviation / present : 0;
            double centre = Vectors.mean(y, from, shape.plane());
            for (int p = from; p < from + shape.plane(); p++) {
                values[p] = scale * (y[p] - centre) + mean;
            }
        }
        return Optional.of(values);
    }

    private static double deviation(double[] x, int from, int length) {
        var centred = new double[x.length];
        Vectors.centre(x, centred, from, length);
        return Vectors.norm(centred, from, length) / Math.sqrt(length);
    }

    @Override
    public InputCount inputs() {
        return ANY;
    }

    /** The gain is 1, for channel means are interpolated linearly. */
    @Override
    public double predictedGain(double ess) {
        return 1;
    }

    @Override
    public String toString() {
        return "adain";
    }
}
