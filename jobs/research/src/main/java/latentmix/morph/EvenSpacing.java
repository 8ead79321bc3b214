package latentmix.morph;

/**
 * Positions on a path at equal distances along it.
 *
 * <pre>
 * s(t_i) = Σ_{j &lt; i} ‖f(t_{j+1}) - f(t_j)‖,   t'_k = s⁻¹(k / (count - 1) · s(t_last)),   s linear between the t_i
 * </pre>
 *
 * @see <a href="https://arxiv.org/abs/2311.06792">Yang et al., IMPUS, Section 4.3: perceptually uniform sampling</a>
 */
final class EvenSpacing {
    private EvenSpacing() {}

    /**
     * Spaces positions anew, the first and the last as they are.
     *
     * @param positions positions in rising order
     * @param steps the distances between positions, one fewer than those; if all are 0, the new positions are spaced
     *     evenly
     * @param count number of new positions, at least 2
     */
    static double[] of(double[] positions, double[] steps, int count) {
        double[] way = new double[positions.length];
        for (int i = 0; i < steps.length; i++) {
            way[i + 1] = way[i] + steps[i];
        }
        double whole = way[way.length - 1];
        double[] even = new double[count];
        int i = 0;
        for (int k = 0; k < count; k++) {
            double share = (double) k / (count - 1);
            if (whole > 0) {
                double wanted = share * whole;
                while (i < steps.length - 1 && way[i + 1] < wanted) {
                    i++;
                }
                double within = steps[i] > 0 ? Math.min(1, (wanted - way[i]) / steps[i]) : 0;
                even[k] = positions[i] + within * (positions[i + 1] - positions[i]);
            } else {
                even[k] = positions[0] + share * (positions[positions.length - 1] - positions[0]);
            }
        }
        return even;
    }
}
