package latentmix.work;

import ai.djl.Device;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import latentmix.checkpoint.CheckpointCache;
import latentmix.image.PixelScores;
import latentmix.model.ClipTexts;
import latentmix.plan.ClassLabel;
import latentmix.plan.FeatureChunk;
import latentmix.plan.FilterSettings;
import latentmix.plan.JudgedChunk;
import latentmix.plan.OfClass;
import latentmix.table.FeaturesTable;
import latentmix.table.GeneratedTable;
import latentmix.table.JudgedRow;
import latentmix.table.JudgedTable;
import latentmix.table.LookRow;
import latentmix.table.LooksTable;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;
import latentmix.work.Judges.ClassFeatures;
import latentmix.work.Judges.Seen;
import org.apache.hadoop.conf.Configuration;

/**
 * Judges the images made of one class, chunk by chunk in the order of k. A verdict depends on the class's real images,
 * on the images before it, and where a quantile is of images made, on the first ones that are asked for.
 */
public final class JudgeWork {
    /** The real images that stand for a class among neighbours, at most. */
    private static final int NEIGHBOURS = 100;

    /**
     * Real images of a class.
     *
     * @param looks chunks of the looks table; none where no judge asks for pixels of real images
     * @param features chunks of features by network
     */
    public record Real(ClassLabel label, List<FeatureChunk> looks, Map<String, List<FeatureChunk>> features)
            implements OfClass.Labelled, Serializable {
        public Real {
            looks = List.copyOf(looks);
            features = new LinkedHashMap<>(features);
        }
    }

    /**
     * A chunk of verdicts.
     *
     * @param isDone whether it stands
     * @param features the features of its images by network
     */
    public record Chunk(JudgedChunk judged, boolean isDone, Map<String, FeatureChunk> features)
            implements Serializable {
        public Chunk {
            features = new LinkedHashMap<>(features);
        }
    }

    /**
     * A class's mixtures of the same settings.
     *
     * @param chunks in the order of k, from the first one on, whose images all stand
     * @param sample how many mixtures a quantile of images made is of, the first ones
     */
    public record Item(Real real, List<Chunk> chunks, long sample) implements OfClass.Labelled, Serializable {
        public Item {
            chunks = List.copyOf(chunks);
        }

        @Override
        public ClassLabel label() {
            return real.label();
        }

        /** The mixtures that are judged now. */
        public int rows() {
            return chunks.stream()
                    .filter(chunk -> !chunk.isDone())
                    .mapToInt(chunk -> chunk.judged().rows())
                    .sum();
        }
    }

    /** What is known of classes' real images, for whoever compares with them. */
    public static final class Classes implements Serializable {
        private final ArrayList<ClassFeatures> all = new ArrayList<>();

        /** No classes. */
        public Classes() {}

        /** The class of these images, in the features that tell classes. */
        public static Classes of(RunFolder run, FilterSettings settings, Real real) throws IOException {
            Map<String, float[]> features = new TreeMap<>();
            answers(
                            run,
                            real.classId(),
                            real.features().getOrDefault(settings.by().features(), List.of()))
                    .forEach((id, answer) -> features.put(id, answer.features()));
            Classes classes = new Classes();
            classes.all.add(Judges.ofClass(real.classId(), features, NEIGHBOURS));
            return classes;
        }

        /** Adds others. */
        public void add(Classes others) {
            all.addAll(others.all);
        }
    }

    /**
     * The unit embeddings of prompts, by class as they are.
     *
     * @param clip a folder with both of CLIP's models
     */
    public static Map<String, float[]> prompts(
            Map<String, String> prompts, String clip, Device device, Configuration conf) {
        Map<String, float[]> embeds = new TreeMap<>();
        try (ClipTexts texts = new ClipTexts(CheckpointCache.located(clip, conf), device)) {
            prompts.forEach((classId, prompt) -> embeds.put(
                    classId, Judges.unit(texts.embeds(List.of(prompt)).get(0))));
        }
        return embeds;
    }

    private final RunFolder run;
    private final FilterSettings settings;
    private final String settingsId;
    private final Classes classes;
    private final Map<String, float[]> prompts;
    private final LongConsumer progress;

    /**
     * Work on one class.
     *
     * @param classes all of them, where they are compared
     * @param prompts the unit embeddings of classes' prompts, where they are asked for
     */
    public JudgeWork(
            RunFolder run,
            FilterSettings settings,
            String settingsId,
            Classes classes,
            Map<String, float[]> prompts,
            LongConsumer progress) {
        this.run = run;
        this.settings = settings;
        this.settingsId = settingsId;
        this.classes = classes;
        this.prompts = prompts;
        this.progress = progress;
    }

    /** Judges the chunks that do not stand; publishes each when it is judged. */
    public List<ChunkResult> judge(Item item) throws IOException {
        String classId = item.classId();
        Judges judges = new Judges(
                settings,
                settingsId,
                classId,
                item.label().label(),
                real(item.real()),
                classes.all,
                Optional.ofNullable(prompts.get(classId)));
        if (settings.samplesMixtures()) {
            judges.sample(sample(item));
        }
        JudgedTable table = new JudgedTable(run, classId);
        List<ChunkResult> results = new ArrayList<>();
        for (Chunk chunk : item.chunks()) {
            long start = System.nanoTime();
            Map<Integer, Seen> images = images(classId, chunk);
            if (chunk.isDone()) {
                Set<String> kept = table.kept(chunk.judged().id());
                images.values().stream()
                        .filter(image -> kept.contains(image.id()))
                        .forEach(judges::kept);
                continue;
            }
            List<JudgedRow> rows = new ArrayList<>();
            images.forEach((k, image) -> rows.add(judges.judge(image, k)));
            table.commit(chunk.judged().id(), rows, List.of());
            progress.accept(chunk.judged().rows());
            results.add(new ChunkResult(rows.size(), 0, 0, (System.nanoTime() - start) / 1e9));
        }
        return results;
    }

    private List<Seen> sample(Item item) throws IOException {
        List<Seen> first = new ArrayList<>();
        for (Chunk chunk : item.chunks()) {
            if (chunk.judged().first() < item.sample()) {
                images(item.classId(), chunk).forEach((k, image) -> {
                    if (k < item.sample()) {
                        first.add(image);
                    }
                });
            }
        }
        return first;
    }

    /** A chunk's images by k. */
    private Map<Integer, Seen> images(String classId, Chunk chunk) throws IOException {
        Map<String, Integer> ks = new MixedTable(run, classId)
                .keys(chunk.judged().mixed()).stream()
                        .collect(Collectors.toMap(MixedTable.Key::mixId, MixedTable.Key::k));
        Map<String, Map<String, FeatureVector>> answers = new LinkedHashMap<>();
        for (Map.Entry<String, FeatureChunk> network : chunk.features().entrySet()) {
            answers.put(network.getKey(), answers(run, classId, List.of(network.getValue())));
        }
        Map<Integer, Seen> images = new TreeMap<>();
        for (GeneratedTable.Scores row :
                new GeneratedTable(run, classId).rows(chunk.judged().generated(), GeneratedTable.Scores.class)) {
            PixelScores scores = new PixelScores(row.entropy(), row.clipped(), row.saturation(), row.sharpness());
            images.put(ks.get(row.mixId()), seen(row.mixId(), scores, row.differenceHash(), answers));
        }
        return images;
    }

    private List<Seen> real(Real real) throws IOException {
        Map<String, Map<String, FeatureVector>> answers = new LinkedHashMap<>();
        for (Map.Entry<String, List<FeatureChunk>> network : real.features().entrySet()) {
            answers.put(network.getKey(), answers(run, real.classId(), network.getValue()));
        }
        Map<String, Seen> images = new TreeMap<>();
        for (FeatureChunk chunk : real.looks()) {
            for (LookRow row : new LooksTable(run, real.classId()).rows(chunk.id(), chunk.leftOut())) {
                PixelScores scores = new PixelScores(row.entropy(), row.clipped(), row.saturation(), row.sharpness());
                images.put(row.imageId(), seen(row.imageId(), scores, row.differenceHash(), answers));
            }
        }
        return List.copyOf(images.values());
    }

    private static Seen seen(
            String id, PixelScores scores, long hash, Map<String, Map<String, FeatureVector>> answers) {
        Map<String, float[]> features = new HashMap<>();
        float[] logits = new float[0];
        for (Map.Entry<String, Map<String, FeatureVector>> network : answers.entrySet()) {
            FeatureVector answer = network.getValue().get(id);
            if (answer != null) {
                features.put(network.getKey(), Judges.unit(answer.features()));
                logits = answer.logits().length > 0 ? answer.logits() : logits;
            }
        }
        return new Seen(id, scores, hash, features, logits);
    }

    /** What a network says of these chunks' images that count, by id. */
    private static Map<String, FeatureVector> answers(RunFolder run, String classId, List<FeatureChunk> chunks)
            throws IOException {
        Map<String, FeatureVector> answers = new HashMap<>();
        FeaturesTable table = new FeaturesTable(run, classId);
        for (FeatureChunk chunk : chunks) {
            Set<String> leftOut = Set.copyOf(chunk.leftOut());
            table.answers(chunk.id()).stream()
                    .filter(row -> !leftOut.contains(row.id()))
                    .forEach(row -> answers.put(row.id(), FeatureVector.of(row)));
        }
        return answers;
    }
}
