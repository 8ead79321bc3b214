package latentmix.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Tells a network classes by their numbers, in the place of a text encoder: a prompt is a class's number or a label of
 * it, and the empty prompt is the null class.
 *
 * <p>Embeddings are the weights of all classes and of the null class, (1, classes + 1), of which one is 1. So a sum of
 * prompts is a sum of classes.
 *
 * <p><a
 * href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/pipelines/dit/pipeline_dit.py">diffusers'
 * pipeline_dit.py</a>, get_label_ids: the labels of a class are separated by commas. Of a label that several classes
 * have, the library takes the last. Here it is refused.
 *
 * @param classes without the null class, whose number is this
 * @param labels each with the numbers of its classes
 */
public record ClassEncoder(int classes, SortedMap<String, SortedSet<Integer>> labels) implements TextEncoder {
    private static final Pattern NUMBER = Pattern.compile("\\d{1,9}");
    private static final Pattern COMMA = Pattern.compile(",");

    public ClassEncoder {
        labels = Collections.unmodifiableSortedMap(new TreeMap<>(labels));
    }

    /** Classes with these labels by number, those of one separated by commas. */
    static ClassEncoder of(int classes, Map<Integer, String> id2label) {
        SortedMap<String, SortedSet<Integer>> labels = new TreeMap<>();
        id2label.forEach((id, synonyms) -> COMMA.splitAsStream(synonyms)
                .map(String::strip)
                .filter(label -> !label.isEmpty())
                .forEach(label ->
                        labels.computeIfAbsent(label, first -> new TreeSet<>()).add(id)));
        return new ClassEncoder(classes, labels);
    }

    /** The number of the class that a prompt tells. */
    private List<Integer> ids(String prompt) {
        String told = prompt.strip();
        if (told.isEmpty()) {
            return List.of(classes);
        }
        if (NUMBER.matcher(told).matches()) {
            int id = Integer.parseInt(told);
            return id < classes ? List.of(id) : List.of();
        }
        return new ArrayList<>(labels.getOrDefault(told, Collections.emptySortedSet()));
    }

    /** What is expected of a prompt that tells no class, or more than one; empty if it tells one. */
    public String problem(String prompt) {
        List<Integer> ids = ids(prompt);
        if (ids.size() == 1) {
            return "";
        }
        return ids.isEmpty()
                ? "expected a class of the checkpoint, a number from 0 to " + (classes - 1)
                        + (labels.isEmpty() ? "" : " or a label of id2label, such as " + labels.firstKey())
                        + ", got \"" + prompt + "\""
                : "expected a label of one class, got \"" + prompt + "\", which the classes " + ids + " have";
    }

    @Override
    public Embeds encode(String prompt) {
        String problem = problem(prompt);
        if (!problem.isEmpty()) {
            throw new IllegalArgumentException(problem + "; give a class's number");
        }
        float[] weights = new float[classes + 1];
        weights[ids(prompt).get(0)] = 1;
        return new Embeds(1, weights.length, weights, new float[0]);
    }

    @Override
    public void close() {
        // There is no network.
    }
}
