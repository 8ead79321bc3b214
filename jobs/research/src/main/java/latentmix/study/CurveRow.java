package latentmix.study;

/**
 * A metric of one cell.
 *
 * @param setting the label of the run's setting, empty where there is one
 * @param scope {@code all} or a class's folder
 * @param method the method with its norm, split and scope, or real or reconstruction
 * @param inputs the input count N
 * @param low the lower end of the 95 % interval
 * @param high its upper end
 */
public record CurveRow(
        String setting,
        String scope,
        String method,
        int inputs,
        String weights,
        String pool,
        String metric,
        double value,
        double low,
        double high,
        long images) {}
