package latentmix.plan;

import java.io.Serializable;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import latentmix.config.MixtureCount;

/**
 * An entry of the configuration's mixing.
 *
 * @param exported whether its images enter the dataset
 * @param count how many mixtures a class has
 * @param real the real images of classes, where the count follows them
 * @param reached mixtures that are made instead, by class, where a filter drops some; the count's own for other classes
 */
public record MixingEntry(
        String name,
        boolean exported,
        MixingSettings settings,
        String settingsId,
        MixtureCount count,
        MixtureCount.Real real,
        Map<String, Long> reached)
        implements Serializable {
    public MixingEntry {
        reached = Collections.unmodifiableMap(new TreeMap<>(reached));
    }

    /** An entry whose images are not counted yet, nor need be where its count does not follow them. */
    public MixingEntry(String name, boolean exported, MixingSettings settings, String settingsId, MixtureCount count) {
        this(name, exported, settings, settingsId, count, MixtureCount.Real.NONE, Map.of());
    }

    /** The entry whose classes have these images. */
    MixingEntry counted(MixtureCount.Real images) {
        return count.followsImages()
                ? new MixingEntry(name, exported, settings, settingsId, count, images, reached)
                : this;
    }

    /** The entry of which classes have so many mixtures, the first ones by k. */
    public MixingEntry reaching(Map<String, Long> mixtures) {
        return new MixingEntry(name, exported, settings, settingsId, count, real, mixtures);
    }

    /** Mixtures that a class is to have in the end: its count. */
    public long quota(String classId) {
        return count.mixtures(settings.cells(), classId, real);
    }

    /** Mixtures of a class. */
    public long mixtures(String classId) {
        return reached.containsKey(classId) ? reached.get(classId) : quota(classId);
    }

    /** Mixtures of one cell of a class: the first cells have the odd ones. */
    public long mixtures(String classId, int cell) {
        int cells = settings.cells();
        return (mixtures(classId) + cells - 1 - cell) / cells;
    }

    /** What decides how many mixtures each class has. */
    public String counts() {
        String counts = count.followsImages() ? count + " " + real.images() : count.toString();
        return reached.isEmpty() ? counts : counts + " " + reached;
    }

    /** Whether the k-th mixture of these settings is asked for in a class. */
    public boolean asks(String classId, String settingsId, int k) {
        return this.settingsId.equals(settingsId) && k < mixtures(classId);
    }

    /** How many mixtures of these settings any of the entries asks for in a class. */
    static int asked(List<MixingEntry> entries, String classId, String settingsId, List<Integer> ks) {
        return (int) ks.stream()
                .filter(k -> entries.stream().anyMatch(entry -> entry.asks(classId, settingsId, k)))
                .count();
    }
}
