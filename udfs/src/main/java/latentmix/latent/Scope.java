package latentmix.latent;

import java.io.Serializable;

/** The units of a residual in which a norm is restored, each with a norm and a scale of its own. */
public sealed interface Scope extends Serializable permits Whole, PerChannel, PerBand {
    /** The number of coefficients in each unit, the D of every τ. A unit without coefficients is skipped. */
    int[] sizes(Shape shape);

    /** The norm of each unit of a residual r, C·H·W values. */
    double[] norms(Shape shape, double[] r);

    /** z += factor · r, each unit by its own factor. */
    void addScaled(Shape shape, double[] r, double[] factors, double[] z);
}
