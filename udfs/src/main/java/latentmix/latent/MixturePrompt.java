package latentmix.latent;

import java.util.Locale;

/** What a mixture is generated with. */
public enum MixturePrompt {
    /** Its class's prompt. */
    CLASS,
    /** The prompt of the input of the largest weight, of the first of several. */
    HEAVIEST,
    /** The sum of its inputs' embeddings, weighted as they are. */
    MIX;

    /** The choice that {@link #toString} spells; the class's prompt for an empty text. */
    public static MixturePrompt parse(String text) {
        return text.isEmpty() ? CLASS : valueOf(text.toUpperCase(Locale.ROOT));
    }

    /** As configurations and settings spell it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
