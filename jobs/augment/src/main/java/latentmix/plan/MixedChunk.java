package latentmix.plan;

import java.io.Serializable;
import java.util.List;

/**
 * A chunk of the mixed table.
 *
 * @param pool what it is drawn from
 * @param exported how many of its rows, the first ones by k, enter the dataset
 */
public record MixedChunk(ClassPool pool, String id, int rows, int exported) implements OfClass.Labelled, Serializable {
    /** What a chunk that is not mixed yet will be. */
    public static MixedChunk of(MixingChunk chunk, List<MixingEntry> entries) {
        List<MixingEntry> exported =
                entries.stream().filter(MixingEntry::exported).toList();
        int rows = MixingEntry.asked(exported, chunk.pool().classId(), chunk.settingsId(), chunk.ks());
        return new MixedChunk(chunk.pool(), chunk.id(), chunk.ks().size(), rows);
    }

    @Override
    public ClassLabel label() {
        return pool.label();
    }
}
