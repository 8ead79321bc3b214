package latentmix.study;

import java.util.List;
import org.apache.commons.math3.stat.regression.SimpleRegression;

/**
 * The straight line that describes a bias over √N, fitted by least squares to each repeat by itself.
 *
 * <pre>x(N) ≈ intercept + slope · √N</pre>
 *
 * The interval is Student's over the repeats' slopes: values of one repeat share inputs and are not independent.
 *
 * @param slope the slope in standard deviations of noise
 */
record BiasFit(double slope, double low, double high, double intercept) {
    /**
     * Fits a line to at least two counts.
     *
     * @param repeats values for each of the counts, one array a repeat; NaN is left out
     */
    static BiasFit of(List<Integer> counts, List<double[]> repeats) {
        var lines = repeats.stream().map(values -> line(counts, values)).toList();
        var slope = SampleMean.of(
                lines.stream().mapToDouble(SimpleRegression::getSlope).toArray());
        double intercept = lines.stream()
                .mapToDouble(SimpleRegression::getIntercept)
                .average()
                .orElseThrow();
        return new BiasFit(slope.mean(), slope.low(), slope.high(), intercept);
    }

    private static SimpleRegression line(List<Integer> counts, double[] values) {
        var line = new SimpleRegression();
        for (int n = 0; n < values.length; n++) {
            if (!Double.isNaN(values[n])) {
                line.addData(Math.sqrt(counts.get(n)), values[n]);
            }
        }
        if (line.getN() < 2) {
            throw new IllegalArgumentException(
                    "A line must be fitted to at least two input counts, cannot be to: " + line.getN());
        }
        return line;
    }
}
