package latentmix.metric;

/**
 * A set of real images' features, with what all comparisons share. Safe for use by several threads once made.
 *
 * @see Comparison
 */
public final class ReferenceSet {
    private final FeatureSketch set;
    private final Points points;
    private final double[] inner;
    private final int neighbours;
    private final double[] radii; // squared distance to the k-th neighbour in the set
    private FrechetReference frechet;

    /**
     * The set, of at least two images.
     *
     * @param neighbours k of precision, recall, density and coverage
     */
    public ReferenceSet(FeatureSketch set, int neighbours) {
        if (set.count() < 2) {
            throw new IllegalArgumentException("A reference must have at least 2 images, there are: " + set.count());
        }
        this.set = set;
        this.neighbours = neighbours;
        points = set.points();
        inner = points.inner(points);
        radii = points.count() > neighbours ? Neighbours.radii(inner, points.count(), neighbours) : new double[0];
    }

    /** The comparison of a set of images with this reference. */
    public Comparison with(FeatureSketch images) {
        return new Comparison(images, this);
    }

    synchronized FrechetReference frechet() {
        if (frechet == null) {
            frechet = new FrechetReference(set);
        }
        return frechet;
    }

    Points points() {
        return points;
    }

    /** ⟨yᵢ, yⱼ⟩. */
    double[] inner() {
        return inner;
    }

    int neighbours() {
        return neighbours;
    }

    /** Squared distances to the k-th neighbour; none where there are not so many. */
    double[] radii() {
        return radii;
    }

    /** The mean of all images, the sample or not. */
    public double[] mean() {
        return set.mean();
    }
}
