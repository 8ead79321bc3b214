package latentmix.plan;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import latentmix.table.ContentId;

/**
 * A range of mixtures of one class and one entry of the configuration.
 *
 * @param poolId the pool that was planned for; the work refuses another
 * @param inverted the chunks of the inverted table that make up the pool
 */
public record MixingChunk(
        String id,
        ClassLabel label,
        MixingSettings settings,
        String settingsId,
        String poolId,
        List<String> inverted,
        List<Integer> ks)
        implements OfClass.Labelled, Serializable {
    /** The chunk's id in the mixed table. */
    public static String id(
            MixingSettings settings, String settingsId, String classId, String poolId, List<Integer> ks) {
        List<String> parts = new ArrayList<>(List.of(settingsId));
        ks.forEach(k -> parts.add(settings.mixId(settingsId, classId, poolId, k)));
        return ContentId.of(parts);
    }
}
