package latentmix.plan;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a prompt tells which low-rank adapter its class's network runs with: {@code <lora:ID>} at its end, as prompts of
 * other programs name theirs. The prompt's text decides the ids of all that is made with it, and so the adapter does.
 * No text encoder reads the tag.
 */
public final class LoraTag {
    private static final Pattern TAG = Pattern.compile(" <lora:([0-9a-f]{32})>$");

    private LoraTag() {}

    /** A prompt with the tag of an adapter. */
    static String added(String prompt, String adapterId) {
        return prompt + " <lora:" + adapterId + ">";
    }

    /** What a text encoder reads of a prompt. */
    public static String without(String prompt) {
        return TAG.matcher(prompt).replaceFirst("");
    }

    /** The adapter that a prompt tells, if it tells one. */
    public static Optional<String> adapter(String prompt) {
        Matcher matcher = TAG.matcher(prompt);
        return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
    }
}
