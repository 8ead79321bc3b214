package latentmix.report;

/**
 * What a stage has left to do.
 *
 * @param chunks tasks, each of which makes a file
 */
public record StageLeft(String stage, long chunks, long rows, long networkEvaluations) {}
