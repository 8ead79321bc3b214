package latentmix.latent;

import java.io.Serializable;

/** Where a norm is restored: the units of a residual, each with its own norm and its own scale. */
public sealed interface Scope extends Serializable permits Whole, PerChannel, PerBand {
    /** Coefficients in each unit: the D of every τ. A unit of none is skipped. */
    int[] sizes(Shape shape);

    /** The norm of each unit of a residual r, C·H·W values. */
    double[] norms(Shape shape, double[] r);

    /** z += factor · r, each unit by its own factor. */
    void addScaled(Shape shape, double[] r, double[] factors, double[] z);
}
