package latentmix.plan;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import latentmix.table.ContentId;
import latentmix.table.InvertedTable;
import latentmix.table.InvertedTable.Told;
import latentmix.table.RunFolder;

/**
 * The inverted images of a class that count: what its mixtures are drawn from. Its id decides which mixtures count.
 *
 * @param inverted the ids of chunks of the inverted table that stand
 * @param leftOut the ids of images in them that do not count
 * @param among the hash of the pools of all classes, where some mixtures have inputs of other classes; else empty
 */
public record ClassPool(ClassLabel label, List<String> inverted, List<String> leftOut, String among)
        implements OfClass.Labelled, Serializable {
    private static final String CAPTIONS = "captions";

    public ClassPool {
        inverted = List.copyOf(inverted);
        leftOut = List.copyOf(leftOut);
    }

    /** A pool whose mixtures are of its own class. */
    public ClassPool(ClassLabel label, List<String> inverted, List<String> leftOut) {
        this(label, inverted, leftOut, "");
    }

    /** The same pool beside those of other classes. */
    public ClassPool among(String all) {
        return new ClassPool(label, inverted, leftOut, all);
    }

    /** The pools of the classes that have any of these chunks, all of which stand. */
    public static List<ClassPool> of(List<InversionChunk> inverted) {
        return of(inverted.stream().map(InversionChunk::label).distinct().toList(), inverted);
    }

    /** The pools of these classes, one each, of chunks that all stand. A class is told what its chunks were. */
    public static List<ClassPool> of(List<ClassLabel> labels, List<InversionChunk> inverted) {
        Map<String, List<InversionChunk>> byClass = new HashMap<>();
        inverted.forEach(chunk -> byClass.computeIfAbsent(chunk.classId(), classId -> new ArrayList<>())
                .add(chunk));
        return labels.stream()
                .map(label -> {
                    List<InversionChunk> chunks = byClass.getOrDefault(label.classId(), List.of());
                    return of(chunks.isEmpty() ? label : chunks.get(0).label(), chunks);
                })
                .toList();
    }

    private static ClassPool of(ClassLabel label, List<InversionChunk> inverted) {
        return new ClassPool(
                label,
                inverted.stream().map(InversionChunk::id).toList(),
                inverted.stream().flatMap(chunk -> chunk.leftOut().stream()).toList());
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

    /**
     * The id of what mixtures of these settings are drawn from: the pool, or it and those of all classes.
     *
     * @param id the pool's own
     */
    public String drawnFrom(String id, MixingSettings settings) {
        return settings.isSoft() ? ContentId.of(id, among) : id;
    }

    /** The ids that mixtures that count may have: the pool's own, and that of it and those of all classes. */
    public Set<String> ids(RunFolder run) throws IOException {
        String own = id(run);
        return among.isEmpty() ? Set.of(own) : Set.of(own, ContentId.of(own, among));
    }

    /** What its images were inverted with, by image id. */
    public SortedMap<String, String> prompts(RunFolder run) throws IOException {
        TreeMap<String, String> prompts = new TreeMap<>();
        for (List<Told> chunk : told(run).values()) {
            chunk.forEach(row -> prompts.put(row.imageId(), row.prompt()));
        }
        return prompts;
    }

    /** The same by chunk, sorted by image id. */
    public Map<String, List<Told>> told(RunFolder run) throws IOException {
        InvertedTable table = new InvertedTable(run, classId());
        Set<String> others = Set.copyOf(leftOut);
        Map<String, List<Told>> told = new LinkedHashMap<>();
        for (String chunk : inverted) {
            told.put(
                    chunk,
                    table.prompts(chunk).stream()
                            .filter(row -> !others.contains(row.imageId()))
                            .toList());
        }
        return told;
    }
}
