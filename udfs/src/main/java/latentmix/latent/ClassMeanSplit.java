package latentmix.latent;

/**
 * Splits off the class mean map, the same for every input.
 *
 * <pre>d = μ, the mean of all M inverted latents of the class</pre>
 *
 * With the inputs left out, μ = (M·μ - Σ_S z) / (M - |S|). The pilot study found that this cures what channel means leave: see {@link Recipe.Pool}.
 */
public record ClassMeanSplit() implements Split {
    @Override
    public double[] residual(Shape shape, double[] z, double[] classMean) {
        return Vectors.difference(z, classMean);
    }

    @Override
    public String toString() {
        return "cmm";
    }
}
