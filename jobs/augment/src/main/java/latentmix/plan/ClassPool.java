package latentmix.plan;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import latentmix.table.ContentId;
import latentmix.table.InvertedTable;
import latentmix.table.RunFolder;

/**
 * The inverted images of a class that count: what its mixtures are drawn from. Its id decides which mixtures count.
 *
 * @param inverted chunks of the inverted table that stand
 */
public record ClassPool(ClassLabel label, List<InversionChunk> inverted) implements OfClass.Labelled, Serializable {
    private static final String CAPTIONS = "captions";

    public ClassPool {
        inverted = List.copyOf(inverted);
    }

    /** The pools of the classes that have any of these chunks, all of which stand. */
    public static List<ClassPool> of(List<InversionChunk> inverted) {
        return of(inverted.stream().map(InversionChunk::label).distinct().toList(), inverted);
    }

    /** The pools of these classes, one each, of chunks that all stand. */
    public static List<ClassPool> of(List<ClassLabel> labels, List<InversionChunk> inverted) {
        Map<ClassLabel, List<InversionChunk>> byClass = new HashMap<>();
        inverted.forEach(chunk -> byClass.computeIfAbsent(chunk.label(), label -> new ArrayList<>())
                .add(chunk));
        return labels.stream()
                .map(label -> new ClassPool(label, byClass.getOrDefault(label, List.of())))
                .toList();
    }

    /**
     * The id of a pool: the hash of its class's prompt and of its image ids, and of what they were inverted with where
     * that is another prompt.
     *
     * @param prompts by image id
     */
    public static String id(String prompt, SortedMap<String, String> prompts) {
        List<String> parts = new ArrayList<>();
        parts.add(prompt);
        parts.addAll(prompts.keySet());
        if (!prompts.values().stream().allMatch(prompt::equals)) {
            parts.add(CAPTIONS); // which no image id is
            parts.addAll(prompts.values());
        }
        return ContentId.of(parts);
    }

    /** The pool's id. */
    public String id(RunFolder run) throws IOException {
        return id(label.prompt(), prompts(run));
    }

    /** What its images were inverted with, by image id. */
    public SortedMap<String, String> prompts(RunFolder run) throws IOException {
        InvertedTable table = new InvertedTable(run, classId());
        TreeMap<String, String> prompts = new TreeMap<>();
        for (InversionChunk chunk : inverted) {
            chunk.told(table).forEach(row -> prompts.put(row.imageId(), row.prompt()));
        }
        return prompts;
    }
}
