package latentmix.plan;

import java.io.Serializable;
import java.util.List;

/**
 * A chunk of the mixed table.
 *
 * @param pool what it is drawn from
 * @param exported how many of its rows, the first ones by k, enter the dataset
 * @param judged the chunk of the judged table that says which rows are kept, of which those are the first ones; empty
 *     where all are
 * @param isSoft whether its mixtures have inputs of other classes
 */
public record MixedChunk(ClassPool pool, String id, int rows, int exported, String judged, boolean isSoft)
        implements OfClass.Labelled, Serializable {
    /** A chunk all of whose images are kept. */
    public MixedChunk(ClassPool pool, String id, int rows, int exported, boolean isSoft) {
        this(pool, id, rows, exported, "", isSoft);
    }

    /** The same chunk where a filter has judged it. */
    public MixedChunk judged(JudgedChunk by) {
        return new MixedChunk(pool, id, rows, by.kept(), by.id(), isSoft);
    }

    /** What a chunk that is not mixed yet will be. */
    public static MixedChunk of(MixingChunk chunk, List<MixingEntry> entries) {
        List<MixingEntry> exported =
                entries.stream().filter(MixingEntry::exported).toList();
        int rows = MixingEntry.asked(exported, chunk.pool().classId(), chunk.settingsId(), chunk.ks());
        return new MixedChunk(
                chunk.pool(),
                chunk.id(),
                chunk.ks().size(),
                rows,
                chunk.settings().isSoft());
    }

    @Override
    public ClassLabel label() {
        return pool.label();
    }
}
