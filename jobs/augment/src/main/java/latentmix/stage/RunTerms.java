package latentmix.stage;

/**
 * What a run is started with beside its configuration.
 *
 * @param label what {@code run_summary.json} carries, so that a scheduler knows its own attempt's
 * @param gpuHours of devices, above 0: when they are spent no further chunk is begun
 * @param retryRejected whether stages try again what they refused before
 * @param console what it tells a person goes there
 * @param ending its last words go there
 */
public record RunTerms(String label, double gpuHours, boolean retryRejected, Console console, Console ending) {
    public static final RunTerms NONE = saying(Console.SILENT);

    public RunTerms {
        if (!(gpuHours > 0)) {
            throw new IllegalArgumentException("GPU hours must be above 0, cannot be: " + gpuHours);
        }
    }

    /** Terms of a run that speaks to this console alone. */
    public RunTerms(String label, double gpuHours, boolean retryRejected, Console console) {
        this(label, gpuHours, retryRejected, console, console);
    }

    /** A whole run without a label, which speaks to this console. */
    public static RunTerms saying(Console console) {
        return new RunTerms("", Double.POSITIVE_INFINITY, false, console);
    }

    /** A run that is part of a study: the study has the last word. */
    public static RunTerms partOfAStudy(Console console) {
        return new RunTerms("", Double.POSITIVE_INFINITY, false, console, Console.SILENT);
    }
}
