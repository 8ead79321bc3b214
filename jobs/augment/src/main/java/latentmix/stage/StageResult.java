package latentmix.stage;

import java.util.List;
import latentmix.work.ChunkResult;

/**
 * What a stage did.
 *
 * @param doneBefore chunks that stood already
 * @param results of the chunks computed now
 */
record StageResult(long doneBefore, List<ChunkResult> results) {}
