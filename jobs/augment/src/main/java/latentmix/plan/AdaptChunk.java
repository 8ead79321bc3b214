package latentmix.plan;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import latentmix.config.RunConfig.AdaptMethod;
import latentmix.config.RunConfig.AdaptScope;
import latentmix.table.ContentId;

/**
 * What is to be learnt of a class.
 *
 * @param id the adapter's; that of a dataset is the same in all its classes
 * @param label the class, whose prompt has its name
 * @param name the words of its prompt that the token takes the place of; empty without one
 * @param token what prompts call what is learnt; it tells the adapter, and so a prompt does; empty where no token is
 *     learnt
 * @param prompt the class's prompt with the token, and with a {@link LoraTag} where a LoRA is learnt
 * @param vectors of the token; 0 without one
 * @param images the class's that count
 */
public record AdaptChunk(
        String id, ClassLabel label, String name, String token, String prompt, int vectors, List<Catalog.Chunk> images)
        implements OfClass.Labelled, Serializable {
    private static final String PLACE = "{class}";
    private static final int DIGITS = 8;

    public AdaptChunk {
        images = List.copyOf(images);
    }

    /**
     * A class before it is known which adapter it has.
     *
     * @param label the class, whose prompt has its name
     * @param vectors of the token; 0 without one
     */
    public record Lesson(ClassLabel label, int vectors, List<Catalog.Chunk> images) {
        /** What decides what is learnt of the class, beside the settings. */
        private List<String> parts(String template) {
            String content = ContentId.of(
                    images.stream().map(Catalog.Chunk::content).sorted().toList());
            return List.of(label.classId(), template, label.prompt(), content);
        }
    }

    /**
     * The adapters of classes: one each, or one of all.
     *
     * @param template the prompts' template
     */
    public static List<AdaptChunk> of(
            String settingsId, AdaptScope scope, AdaptMethod method, String template, List<Lesson> lessons) {
        return scope.parts(lessons).stream()
                .flatMap(part -> {
                    String id = ContentId.of(Stream.concat(
                                    Stream.of(settingsId),
                                    part.stream().flatMap(lesson -> lesson.parts(template).stream()))
                            .toList());
                    return part.stream().map(lesson -> of(id, method, template, lesson));
                })
                .toList();
    }

    private static AdaptChunk of(String id, AdaptMethod method, String template, Lesson lesson) {
        ClassLabel label = lesson.label();
        String name = method.learnsToken() ? name(label, template) : "";
        String token = method.learnsToken() ? "<" + plain(name) + "-" + id.substring(0, DIGITS) + ">" : "";
        String prompt = method.learnsToken() ? template.replace(PLACE, token) : label.prompt();
        return new AdaptChunk(
                id,
                label,
                name,
                token,
                method.learnsLora() ? LoraTag.added(prompt, id) : prompt,
                lesson.vectors(),
                lesson.images());
    }

    /** What a class's prompt has in the place of {@code {class}}. */
    public static String name(ClassLabel label, String template) {
        int places = (template.length() - template.replace(PLACE, "").length()) / PLACE.length();
        int first = template.indexOf(PLACE);
        int others = template.length() - places * PLACE.length();
        return label.prompt().substring(first, first + (label.prompt().length() - others) / places);
    }

    /** The class as it is told once this is learnt. */
    public ClassLabel told() {
        return new ClassLabel(label.classId(), label.label(), label.className(), prompt);
    }

    /** All prompts that tell what is learnt: the class's, alone and in these contexts. */
    public List<String> prompts(List<String> contexts) {
        ClassLabel told = told();
        return Stream.concat(Stream.of(prompt), contexts.stream().map(told::prompt))
                .distinct()
                .toList();
    }

    /** A name in letters and digits of ASCII, which tokenizers take for one token between angle brackets. */
    private static String plain(String name) {
        String plain =
                name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
        return plain.isEmpty() ? "class" : plain;
    }
}
