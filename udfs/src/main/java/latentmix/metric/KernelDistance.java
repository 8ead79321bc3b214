package latentmix.metric;

/**
 * The squared maximum mean discrepancy of two sets of features (<a
 * href="https://jmlr.csail.mit.edu/papers/v13/gretton12a.html">Gretton et al. 2012</a>),
 *
 * <pre>mmd² = mean k(x, x') + mean k(y, y') - 2 mean k(x, y)</pre>
 *
 * with the kernel and the means of one of two metrics. Its interval is the jackknife's.
 */
final class KernelDistance {
    private static final double SIGMA = 10;
    private static final double SCALE = 1000;

    private interface Kernel {
        double of(double xy, double xx, double yy);
    }

    private enum Pairs {
        /** The mean is over pairs of different members, which is unbiased. */
        DIFFERENT,
        /** The mean is over all pairs, each member with itself too, which has the least variance. */
        ALL
    }

    private KernelDistance() {}

    /**
     * KID: k(x, y) = (⟨x, y⟩ / D + 1)³ and the unbiased means (<a href="https://arxiv.org/abs/1801.01401">Bińkowski et
     * al. 2018</a>). Theirs is a mean over random subsets, whose expectation is the same; here all pairs of the samples
     * count once. It may be below 0. Only on Inception's features is it the KID.
     */
    static Estimate kid(Comparison sets) {
        int width = sets.points().width();
        return estimate(sets, (xy, xx, yy) -> cube(xy / width + 1), Pairs.DIFFERENT);
    }

    /**
     * CMMD: k(x, y) = exp(-‖x - y‖² / 2σ²) of unit vectors with σ = 10, times 1,000, all pairs (<a
     * href="https://arxiv.org/abs/2401.09603">Jayasumana et al. 2024</a>; means as in <a
     * href="https://github.com/google-research/google-research/blob/master/cmmd/distance.py">their code</a>).
     */
    static Estimate cmmd(Comparison sets) {
        double gamma = 1 / (2 * SIGMA * SIGMA);
        return estimate(sets, (xy, xx, yy) -> Math.exp(-gamma * (2 - 2 * xy / Math.sqrt(xx * yy))), Pairs.ALL)
                .times(SCALE);
    }

    private static double cube(double x) {
        return x * x * x;
    }

    private static Estimate estimate(Comparison sets, Kernel kernel, Pairs pairs) {
        int n = sets.points().count();
        int m = sets.reference().points().count();
        double[] own = sets.own();
        double[] reference = sets.reference().inner();
        int[] groups = sets.groups();
        double ofReference = 0;
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < i; j++) {
                ofReference += 2 * kernel.of(reference[i * m + j], reference[i * m + i], reference[j * m + j]);
            }
            if (pairs == Pairs.ALL) {
                ofReference += kernel.of(reference[i * m + i], reference[i * m + i], reference[i * m + i]);
            }
        }
        ofReference /= pairs(m, pairs);

        int[] sizes = new int[Jackknife.GROUPS];
        double[] ownOf = new double[Jackknife.GROUPS]; // over the pairs that touch a group
        double[] crossOf = new double[Jackknife.GROUPS];
        double ownSum = 0;
        double crossSum = 0;
        for (int i = 0; i < n; i++) {
            int g = groups[i];
            sizes[g]++;
            double xx = own[i * n + i];
            for (int j = 0; j < i; j++) {
                double value = 2 * kernel.of(own[i * n + j], xx, own[j * n + j]);
                ownSum += value;
                ownOf[g] += value;
                if (groups[j] != g) {
                    ownOf[groups[j]] += value;
                }
            }
            if (pairs == Pairs.ALL) {
                double value = kernel.of(xx, xx, xx);
                ownSum += value;
                ownOf[g] += value;
            }
            double row = 0;
            for (int j = 0; j < m; j++) {
                row += kernel.of(sets.cross()[i * m + j], xx, reference[j * m + j]);
            }
            crossSum += row;
            crossOf[g] += row;
        }
        double[] without = new double[Jackknife.GROUPS];
        for (int g = 0; g < Jackknife.GROUPS; g++) {
            int left = n - sizes[g];
            without[g] = (ownSum - ownOf[g]) / pairs(left, pairs)
                    - 2 * (crossSum - crossOf[g]) / ((double) left * m)
                    + ofReference;
        }
        double value = ownSum / pairs(n, pairs) - 2 * crossSum / ((double) n * m) + ofReference;
        return Jackknife.estimate(value, without, sizes);
    }

    private static double pairs(int count, Pairs pairs) {
        return (double) count * (pairs == Pairs.ALL ? count : count - 1);
    }
}
