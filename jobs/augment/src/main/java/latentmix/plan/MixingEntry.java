package latentmix.plan;

import java.io.Serializable;
import java.util.List;
import latentmix.config.MixtureCount;

/**
 * An entry of the configuration's mixing.
 *
 * @param exported whether its images enter the dataset
 * @param count how many mixtures a class has
 * @param real the real images of classes, where the count follows them
 */
public record MixingEntry(
        String name,
        boolean exported,
        MixingSettings settings,
        String settingsId,
        MixtureCount count,
        MixtureCount.Real real)
        implements Serializable {
    /** An entry whose images are not counted yet, nor need be where its count does not follow them. */
    public MixingEntry(String name, boolean exported, MixingSettings settings, String settingsId, MixtureCount count) {
        this(name, exported, settings, settingsId, count, MixtureCount.Real.NONE);
    }

    /** The entry whose classes have these images. */
    MixingEntry counted(MixtureCount.Real images) {
        return count.followsImages() ? new MixingEntry(name, exported, settings, settingsId, count, images) : this;
    }

    /** Mixtures of a class. */
    public long mixtures(String classId) {
        return count.mixtures(settings.cells(), classId, real);
    }

    /** Mixtures of one cell of a class: the first cells have the odd ones. */
    public long mixtures(String classId, int cell) {
        int cells = settings.cells();
        return (mixtures(classId) + cells - 1 - cell) / cells;
    }

    /** What decides how many mixtures each class has. */
    public String counts() {
        return count.followsImages() ? count + " " + real.images() : count.toString();
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
