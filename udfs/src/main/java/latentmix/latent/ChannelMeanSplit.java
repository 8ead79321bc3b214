package latentmix.latent;

import java.util.Arrays;

/**
 * Splits off every channel's mean, constant in space.
 *
 * <pre>d[c] = mean over H·W of z[c]</pre>
 *
 * @see <a href="https://arxiv.org/abs/2505.07481">Landolsi and Kahl, Section 5, option 3, the paper's choice</a>
 */
public record ChannelMeanSplit() implements Split {
    @Override
    public double[] deterministic(Shape shape, double[] z, double[] classMean) {
        var d = new double[shape.size()];
        int plane = shape.plane();
        for (int c = 0; c < shape.channels(); c++) {
            Arrays.fill(d, c * plane, (c + 1) * plane, Vectors.mean(z, c * plane, plane));
        }
        return d;
    }

    @Override
    public String toString() {
        return "chm";
    }
}
