package latentmix.plan;

import java.io.Serializable;

/**
 * An entry of the configuration.
 *
 * @param count mixtures a cell and class
 */
public record MixingEntry(MixingSettings settings, String settingsId, int count) implements Serializable {
    /** Mixtures of one class. */
    public int mixtures() {
        return settings.cells() * count;
    }
}
