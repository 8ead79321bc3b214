package latentmix.stage;

/**
 * What a run is started with beside its configuration.
 *
 * @param label what {@code run_summary.json} carries, so that a scheduler knows its own attempt's
 * @param gpuHours of devices, above 0: when they are spent no further chunk is begun
 * @param retryRejected whether stages try again what they refused before
 */
public record RunTerms(String label, double gpuHours, boolean retryRejected) {
    public static final RunTerms NONE = new RunTerms("", Double.POSITIVE_INFINITY, false);

    public RunTerms {
        if (!(gpuHours > 0)) {
            throw new IllegalArgumentException("GPU hours must be above 0, cannot be: " + gpuHours);
        }
    }
}
