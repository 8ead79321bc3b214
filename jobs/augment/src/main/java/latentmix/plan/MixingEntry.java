package latentmix.plan;

import java.io.Serializable;
import java.util.List;

/**
 * An entry of the configuration's mixing.
 *
 * @param exported whether its images enter the dataset
 * @param count mixtures a cell and class
 */
public record MixingEntry(String name, boolean exported, MixingSettings settings, String settingsId, int count)
        implements Serializable {
    /** Mixtures of one class. */
    public int mixtures() {
        return settings.cells() * count;
    }

    /** Whether the k-th mixture of these settings is asked for. */
    public boolean asks(String settingsId, int k) {
        return this.settingsId.equals(settingsId) && k < mixtures();
    }

    /** How many mixtures of these settings are asked for by any of the entries. */
    static int asked(List<MixingEntry> entries, String settingsId, List<Integer> ks) {
        return (int) ks.stream()
                .filter(k -> entries.stream().anyMatch(entry -> entry.asks(settingsId, k)))
                .count();
    }
}
