package latentmix.report;

/**
 * How fast a stage was when it last did something.
 *
 * @param rows a second of one device; of one task in stages that need no device
 * @param networkEvaluations likewise; 0 in stages that do not denoise
 */
public record Speed(double rows, double networkEvaluations) {}
