package latentmix.plan;

import java.io.Serializable;
import java.util.List;

/**
 * A chunk of the mixed table.
 *
 * @param inverted the chunks of the inverted table that its pool is made up of
 * @param exported how many of its rows, the first ones by k, enter the dataset
 */
public record MixedChunk(ClassLabel label, String id, List<String> inverted, int rows, int exported)
        implements Serializable {
    /** What a chunk that is not mixed yet will be. */
    public static MixedChunk of(MixingChunk chunk, List<MixingEntry> entries) {
        List<MixingEntry> exported =
                entries.stream().filter(MixingEntry::exported).toList();
        int rows = MixingEntry.asked(exported, chunk.settingsId(), chunk.ks());
        return new MixedChunk(
                chunk.label(), chunk.id(), chunk.inverted(), chunk.ks().size(), rows);
    }
}
