package latentmix.metric;

import java.io.Serializable;

/**
 * Diversity: the mean distance ‖xᵢ - xⱼ‖ of two different images, as a mergeable aggregate over sets of images.
 *
 * <p>Both images of a pair are of one set, so that merged classes give the mean over pairs within a class.
 */
public final class PairwiseDistance implements Serializable {
    private double sum;
    private long pairs;
    private final double[] sumOf = new double[Jackknife.GROUPS]; // over the pairs that touch a group
    private final long[] pairsOf = new long[Jackknife.GROUPS];
    private final int[] sizes = new int[Jackknife.GROUPS];

    /** The pairs of a set's sample. */
    public static PairwiseDistance of(FeatureSketch set) {
        PairwiseDistance distance = new PairwiseDistance();
        Points points = set.points();
        int[] groups = set.groups();
        double[] inner = points.inner(points);
        int n = points.count();
        for (int i = 0; i < n; i++) {
            distance.sizes[groups[i]]++;
            for (int j = 0; j < i; j++) {
                double square = inner[i * n + i] + inner[j * n + j] - 2 * inner[i * n + j];
                distance.add(Math.sqrt(Math.max(square, 0)), groups[i], groups[j]);
            }
        }
        return distance;
    }

    private void add(double value, int first, int second) {
        sum += value;
        pairs++;
        sumOf[first] += value;
        pairsOf[first]++;
        if (second != first) {
            sumOf[second] += value;
            pairsOf[second]++;
        }
    }

    /** Adds another set's pairs. */
    public void merge(PairwiseDistance other) {
        sum += other.sum;
        pairs += other.pairs;
        for (int g = 0; g < Jackknife.GROUPS; g++) {
            sumOf[g] += other.sumOf[g];
            pairsOf[g] += other.pairsOf[g];
            sizes[g] += other.sizes[g];
        }
    }

    /** The number of pairs. */
    public long pairs() {
        return pairs;
    }

    /** The mean over all pairs, of which there is at least one. */
    public Estimate estimate() {
        double[] without = new double[Jackknife.GROUPS];
        for (int g = 0; g < Jackknife.GROUPS; g++) {
            without[g] = (sum - sumOf[g]) / (pairs - pairsOf[g]);
        }
        return Jackknife.estimate(sum / pairs, without, sizes).within(0, Double.POSITIVE_INFINITY);
    }
}
