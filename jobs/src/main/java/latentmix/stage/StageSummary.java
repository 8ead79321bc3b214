package latentmix.stage;

import java.util.List;
import latentmix.work.ChunkResult;

/**
 * What one stage did in this run.
 *
 * @param chunks chunks computed now
 * @param chunksDoneBefore chunks that stood already
 * @param rows rows published now
 * @param networkEvaluations denoiser evaluations of the chunks computed now
 * @param seconds wall clock
 * @param taskSeconds the sum over tasks
 */
public record StageSummary(
        String stage,
        long chunks,
        long chunksDoneBefore,
        long rows,
        long rejected,
        long networkEvaluations,
        double seconds,
        double taskSeconds) {
    static StageSummary of(StageName stage, long doneBefore, List<ChunkResult> results, double seconds) {
        ChunkResult sum = results.stream().reduce(ChunkResult.NONE, ChunkResult::plus);
        return new StageSummary(
                stage.text(),
                results.size(),
                doneBefore,
                sum.rows(),
                sum.rejected(),
                sum.networkEvaluations(),
                seconds,
                sum.seconds());
    }
}
