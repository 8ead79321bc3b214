package latentmix.stage;

import java.util.Locale;

/** The stages of a run, in order. */
public enum StageName {
    INVERT,
    MIX,
    GENERATE,
    EVALUATE,
    EXPORT;

    /** As people and folders write it. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}
