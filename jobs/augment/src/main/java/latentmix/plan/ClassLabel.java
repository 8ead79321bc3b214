package latentmix.plan;

import java.io.Serializable;

/**
 * A class of the dataset.
 *
 * @param classId the folder's name
 * @param label the index in the class list, from 0
 * @param className what a person calls it
 * @param prompt the prompt its images are inverted and generated with
 */
public record ClassLabel(String classId, int label, String className, String prompt) implements Serializable {
    /** What the class's prompt takes the place of in a context. */
    public static final String PLACE = "{prompt}";

    /**
     * The prompt in a context: with the context after it, or in the place of {@link #PLACE} in it. What tells a LoRA
     * stays at the end.
     */
    public String prompt(String context) {
        String words = LoraTag.without(prompt);
        String between = context.isBlank() || context.startsWith(",") ? "" : " ";
        String told = context.contains(PLACE) ? context.replace(PLACE, words) : words + between + context.strip();
        return told + prompt.substring(words.length());
    }
}
