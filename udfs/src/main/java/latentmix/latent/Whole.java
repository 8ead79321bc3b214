package latentmix.latent;

/**
 * The norm is restored over the whole latent, as in the paper.
 *
 * <pre>one unit of D = C·H·W</pre>
 */
public record Whole() implements Scope {
    @Override
    public int[] sizes(Shape shape) {
        return new int[] {shape.size()};
    }

    @Override
    public double[] norms(Shape shape, double[] r) {
        return new double[] {Vectors.norm(r, 0, r.length)};
    }

    @Override
    public void addScaled(Shape shape, double[] r, double[] factors, double[] z) {
        Vectors.addScaled(factors[0], r, z);
    }

    @Override
    public String toString() {
        return "";
    }
}
