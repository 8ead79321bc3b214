package latentmix.report;

import java.util.List;
import latentmix.table.StageName;
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
 * @param deviceSeconds the tasks' seconds times the devices of a task, GPU seconds where there are GPUs; 0 in stages
 *     that need no device
 * @param rowsPerSecond rows of a second of wall clock
 */
public record StageSummary(
        String stage,
        long chunks,
        long chunksDoneBefore,
        long rows,
        long rejected,
        long networkEvaluations,
        double seconds,
        double taskSeconds,
        double deviceSeconds,
        double rowsPerSecond) {
    /**
     * The summary of the chunks that were computed now.
     *
     * @param seconds wall clock
     * @param devices devices that each task had; 0 in stages that need none
     */
    public static StageSummary of(
            StageName stage, long doneBefore, List<ChunkResult> results, double seconds, double devices) {
        ChunkResult sum = results.stream().reduce(ChunkResult.NONE, ChunkResult::plus);
        return new StageSummary(
                stage.text(),
                results.size(),
                doneBefore,
                sum.rows(),
                sum.rejected(),
                sum.networkEvaluations(),
                seconds,
                sum.seconds(),
                sum.seconds() * devices,
                sum.rows() / seconds);
    }

    /** Both together: the same stage in a later round. */
    public StageSummary plus(StageSummary later) {
        return new StageSummary(
                stage,
                chunks + later.chunks,
                chunksDoneBefore,
                rows + later.rows,
                rejected + later.rejected,
                networkEvaluations + later.networkEvaluations,
                seconds + later.seconds,
                taskSeconds + later.taskSeconds,
                deviceSeconds + later.deviceSeconds,
                (rows + later.rows) / (seconds + later.seconds));
    }
}
