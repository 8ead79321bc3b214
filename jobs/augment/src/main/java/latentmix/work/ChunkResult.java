package latentmix.work;

import java.io.Serializable;

/**
 * What a finished chunk reports to the driver.
 *
 * @param rows rows in its table's file
 * @param rejected rows it refused
 * @param networkEvaluations rows × guidance branches × steps that the denoiser ran
 * @param seconds from start to publication
 */
public record ChunkResult(long rows, long rejected, long networkEvaluations, double seconds) implements Serializable {
    public static final ChunkResult NONE = new ChunkResult(0, 0, 0, 0);

    /** The sum of two. */
    public ChunkResult plus(ChunkResult other) {
        return new ChunkResult(
                rows + other.rows,
                rejected + other.rejected,
                networkEvaluations + other.networkEvaluations,
                seconds + other.seconds);
    }
}
