package latentmix.stage;

import latentmix.table.StageName;

/** What tasks take: the device of a network, which is counted, or a processor alone. */
public enum Needs {
    DEVICE,
    PROCESSOR;

    /** What a stage's tasks take. */
    static Needs of(StageName stage) {
        return switch (stage) {
            case ADAPT, PROMPTS, INVERT, GENERATE, FILTER, EVALUATE -> DEVICE;
            case IMAGES, MIX, EXPORT -> PROCESSOR;
        };
    }
}
