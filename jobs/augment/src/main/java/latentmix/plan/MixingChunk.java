package latentmix.plan;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import latentmix.table.ContentId;

/**
 * A range of mixtures of one class and one entry of the configuration.
 *
 * @param poolId the pool's id when it was planned for; the work refuses another
 * @param pool what it is drawn from
 */
public record MixingChunk(
        String id, MixingSettings settings, String settingsId, String poolId, ClassPool pool, List<Integer> ks)
        implements OfClass.Labelled, Serializable {
    @Override
    public ClassLabel label() {
        return pool.label();
    }

    /** The chunk's id in the mixed table. */
    public static String id(
            MixingSettings settings, String settingsId, String classId, String poolId, List<Integer> ks) {
        List<String> parts = new ArrayList<>(List.of(settingsId));
        ks.forEach(k -> parts.add(settings.mixId(settingsId, classId, poolId, k)));
        return ContentId.of(parts);
    }
}
