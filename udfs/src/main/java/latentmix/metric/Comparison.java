package latentmix.metric;

import java.util.Optional;

/**
 * Compares a set of images with a reference: it holds the products that the metrics of pairs share, and computes the
 * metrics.
 *
 * <p>The metrics of pairs are over the samples of both sets.
 */
public final class Comparison {
    private final FeatureSketch images;
    private final ReferenceSet reference;
    private final Points points;
    private final int[] groups;
    private final double[] own; // ⟨xᵢ, xⱼ⟩
    private final double[] cross; // ⟨xᵢ, yⱼ⟩

    Comparison(FeatureSketch images, ReferenceSet reference) {
        if (images.count() < 2) {
            throw new IllegalArgumentException("A comparison takes at least 2 images, there are: " + images.count());
        }
        this.images = images;
        this.reference = reference;
        points = images.points();
        groups = images.groups();
        own = points.inner(points);
        cross = points.inner(reference.points());
    }

    /** The squared Fréchet distance, over all images: {@link FrechetDistance}. */
    public Estimate frechet() {
        return reference.frechet().to(images);
    }

    /** The kernel (Inception) distance: {@link KernelDistance#kid}. */
    public Estimate kid() {
        return KernelDistance.kid(this);
    }

    /** The distance of CLIP embeddings: {@link KernelDistance#cmmd}. */
    public Estimate cmmd() {
        return KernelDistance.cmmd(this);
    }

    /** Precision, recall, density and coverage; none where a set has no k-th neighbours. */
    public Optional<Neighbours> neighbours() {
        int k = reference.neighbours();
        return points.count() > k && reference.radii().length > 0 ? Optional.of(Neighbours.of(this)) : Optional.empty();
    }

    ReferenceSet reference() {
        return reference;
    }

    Points points() {
        return points;
    }

    int[] groups() {
        return groups;
    }

    double[] own() {
        return own;
    }

    double[] cross() {
        return cross;
    }
}
