package latentmix.latent;

/**
 * Splits off the class mean map, the same for every input.
 *
 * <pre>d = μ, the mean of all M inverted latents of the class</pre>
 *
 * With the inputs left out, μ = (M·μ - Σ_S z) / (M - |S|). The pilot study found that this cures what channel means
 * leave: see {@link Recipe.Pool}.
 */
public record ClassMeanSplit() implements Split {
    @Override
    public void residual(Shape shape, double[] z, double[] classMean, double[] r) {
        Vectors.difference(z, classMean, r);
    }

    @Override
    public String toString() {
        return "cmm";
    }
}
