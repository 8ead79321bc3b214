package latentmix.table;

/**
 * A number that was measured on images of one kind.
 *
 * @param settingsId the evaluation's
 * @param scope {@link #ALL} or a class id
 * @param entry the mixing entry's name in the configuration; empty for the lines of reference
 * @param method such as {@code nin/chm}, or {@link #REAL} or {@link #RECONSTRUCTION}
 * @param sourceCount N, inputs of a mixture; 0 where there are none or their number differs
 * @param weights the entry's, such as {@code equal}; empty for the lines of reference
 * @param metric in snake_case, such as {@code frechet_classifier}
 * @param images how many were measured: many metrics depend on it, so compare equal numbers only
 * @param low the 95 % interval's lower end, NaN where there is none
 * @param high its upper end
 */
public record MetricRow(
        String settingsId,
        String scope,
        String entry,
        String method,
        int sourceCount,
        String weights,
        String metric,
        double value,
        long images,
        double low,
        double high) {
    /** The scope of all classes together. */
    public static final String ALL = "all";

    /** The method of real images that are no part of the reference: what is attainable. */
    public static final String REAL = "real";

    /** The method of input images that were encoded and decoded again: what the autoencoder alone costs. */
    public static final String RECONSTRUCTION = "reconstruction";
}
