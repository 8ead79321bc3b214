package latentmix.metric;

import java.util.Arrays;

/**
 * Tells whether images lie among real ones and real ones among them, by balls that reach to each image's k-th nearest
 * neighbour in its own set.
 *
 * <pre>
 * precision  share of images inside a real image's ball        density   real balls round an image, over k
 * recall     share of real images inside an image's ball       coverage  share of real balls with an image inside
 * </pre>
 *
 * (<a href="https://arxiv.org/abs/1904.06991">Kynkäänniemi et al. 2019</a>; <a
 * href="https://arxiv.org/abs/2002.09797">Naeem et al. 2020</a>; as <a
 * href="https://github.com/clovaai/generative-evaluation-prdc">their code</a> computes them, one k for all.) All but
 * density are from 0 to 1. Precision's interval is Wilson's, density's that of a mean, the others' the jackknife's.
 */
public record Neighbours(Estimate precision, Estimate recall, Estimate density, Estimate coverage) {
    static Neighbours of(Comparison sets) {
        int k = sets.reference().neighbours();
        int n = sets.points().count();
        int m = sets.reference().points().count();
        double[] squares = squares(sets);
        double[] radii = sets.reference().radii();
        int[] groups = sets.groups();
        GaussianStatistics density = new GaussianStatistics(1);
        long inside = 0;
        int[] covering = new int[m]; // a bit for each group with an image in a real ball
        for (int i = 0; i < n; i++) {
            int balls = 0;
            for (int j = 0; j < m; j++) {
                if (squares[i * m + j] < radii[j]) {
                    balls++;
                    covering[j] |= 1 << groups[i];
                }
            }
            inside += balls > 0 ? 1 : 0;
            density.add(new double[] {(double) balls / k});
        }
        int[] sizes = new int[Jackknife.GROUPS];
        for (int group : groups) {
            sizes[group]++;
        }
        double[] covered = new double[Jackknife.GROUPS];
        double[] recalled = new double[Jackknife.GROUPS];
        for (int g = 0; g < Jackknife.GROUPS; g++) {
            int others = ~(1 << g);
            covered[g] = (double) Arrays.stream(covering)
                            .filter(bits -> (bits & others) != 0)
                            .count()
                    / m;
            recalled[g] = sizes[g] == 0 || n - sizes[g] <= k ? Double.NaN : recall(sets, squares, k, g);
        }
        double all = (double) Arrays.stream(covering).filter(bits -> bits != 0).count() / m;
        return new Neighbours(
                Estimate.ofShare(inside, n),
                Jackknife.estimate(recall(sets, squares, k, -1), recalled, sizes)
                        .within(0, 1),
                Estimate.ofMean(density).within(0, Double.POSITIVE_INFINITY),
                Jackknife.estimate(all, covered, sizes).within(0, 1));
    }

    /** The recall without a group of the images, or of all of them where the group is -1. */
    private static double recall(Comparison sets, double[] squares, int k, int without) {
        int n = sets.points().count();
        int m = sets.reference().points().count();
        boolean[] found = new boolean[m];
        double[] nearest = new double[k];
        for (int i = 0; i < n; i++) {
            if (sets.groups()[i] != without) {
                double radius = radius(sets.own(), n, i, nearest, sets.groups(), without);
                for (int j = 0; j < m; j++) {
                    found[j] |= squares[i * m + j] < radius;
                }
            }
        }
        int count = 0;
        for (boolean one : found) {
            count += one ? 1 : 0;
        }
        return (double) count / m;
    }

    /** The squared distance of each point to its k-th nearest neighbour, itself not counted. */
    static double[] radii(double[] inner, int count, int k) {
        double[] radii = new double[count];
        double[] nearest = new double[k];
        int[] groups = new int[count];
        for (int i = 0; i < count; i++) {
            radii[i] = radius(inner, count, i, nearest, groups, -1);
        }
        return radii;
    }

    private static double radius(double[] inner, int count, int i, double[] nearest, int[] groups, int without) {
        Arrays.fill(nearest, Double.POSITIVE_INFINITY); // ascending
        int last = nearest.length - 1;
        for (int j = 0; j < count; j++) {
            double square = inner[i * count + i] + inner[j * count + j] - 2 * inner[i * count + j];
            if (square < nearest[last] && j != i && groups[j] != without) {
                int at = last;
                for (; at > 0 && nearest[at - 1] > square; at--) {
                    nearest[at] = nearest[at - 1];
                }
                nearest[at] = square;
            }
        }
        return nearest[last];
    }

    private static double[] squares(Comparison sets) {
        int n = sets.points().count();
        int m = sets.reference().points().count();
        double[] squares = new double[n * m];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < m; j++) {
                squares[i * m + j] =
                        sets.own()[i * n + i] + sets.reference().inner()[j * m + j] - 2 * sets.cross()[i * m + j];
            }
        }
        return squares;
    }
}
