package latentmix.table;

import java.util.Locale;

/** The stages of a run, in order: what tables, log lines and people call them. */
public enum StageName {
    IMAGES,
    ADAPT,
    PROMPTS,
    INVERT,
    MIX,
    GENERATE,
    FILTER,
    EVALUATE,
    EXPORT;

    /** As people and folders write it. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}
