package latentmix.latent;

import java.util.Arrays;

/**
 * The norm is restored in every channel by itself.
 *
 * <pre>C units of D = H·W</pre>
 */
public record PerChannel() implements Scope {
    @Override
    public int[] sizes(Shape shape) {
        var sizes = new int[shape.channels()];
        Arrays.fill(sizes, shape.plane());
        return sizes;
    }

    @Override
    public double[] norms(Shape shape, double[] r) {
        var norms = new double[shape.channels()];
        for (int c = 0; c < norms.length; c++) {
            norms[c] = Vectors.norm(r, c * shape.plane(), shape.plane());
        }
        return norms;
    }

    @Override
    public void addScaled(Shape shape, double[] r, double[] factors, double[] z) {
        for (int c = 0; c < shape.channels(); c++) {
            Vectors.addScaled(factors[c], r, z, c * shape.plane(), shape.plane());
        }
    }

    @Override
    public String toString() {
        return "@channel";
    }
}
