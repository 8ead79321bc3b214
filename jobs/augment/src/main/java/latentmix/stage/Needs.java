package latentmix.stage;

/** What tasks take: the device of a network, which is counted, or a processor alone. */
public enum Needs {
    DEVICE,
    PROCESSOR
}
