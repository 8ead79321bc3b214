package latentmix.stage;

import java.util.Locale;

/** The stages of a run, in order. */
public enum StageName {
    INVERT(Needs.DEVICE),
    MIX(Needs.PROCESSOR),
    GENERATE(Needs.DEVICE),
    EVALUATE(Needs.DEVICE),
    EXPORT(Needs.PROCESSOR);

    private final Needs needs;

    StageName(Needs needs) {
        this.needs = needs;
    }

    /** What its tasks take. */
    Needs needs() {
        return needs;
    }

    /** As people and folders write it. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}
