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
 * @param others the pools of the other classes, where inputs are of them, too
 */
public record MixingChunk(
        String id,
        MixingSettings settings,
        String settingsId,
        String poolId,
        ClassPool pool,
        List<Integer> ks,
        List<Named> others)
        implements OfClass.Labelled, Serializable {
    /** A pool and its id when it was planned for. */
    public record Named(ClassPool pool, String id) implements Serializable {}

    public MixingChunk {
        others = List.copyOf(others);
    }

    /** Mixtures of one class alone. */
    public MixingChunk(
            String id, MixingSettings settings, String settingsId, String poolId, ClassPool pool, List<Integer> ks) {
        this(id, settings, settingsId, poolId, pool, ks, List.of());
    }

    /** The same where its inputs may be of other classes, those of these pools that are not its own. */
    public MixingChunk among(List<Named> pools) {
        return settings.isSoft()
                ? new MixingChunk(
                        id,
                        settings,
                        settingsId,
                        poolId,
                        pool,
                        ks,
                        pools.stream()
                                .filter(other -> !other.pool().classId().equals(pool.classId()))
                                .toList())
                : this;
    }

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
