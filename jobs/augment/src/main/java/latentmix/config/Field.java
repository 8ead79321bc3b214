package latentmix.config;

/** Something that a block of a configuration file may hold. */
public sealed interface Field permits Key, Block, Entries {
    String name();

    /** What it means, in Markdown. */
    String meaning();
}
