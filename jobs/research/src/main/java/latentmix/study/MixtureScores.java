package latentmix.study;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import latentmix.codec.LittleEndian;
import latentmix.config.RunConfig;
import latentmix.metric.Estimate;
import latentmix.metric.GaussianStatistics;
import latentmix.metric.Retention;
import latentmix.plan.ClassPool;
import latentmix.plan.FeatureChunk;
import latentmix.plan.FeatureChunk.Source;
import latentmix.plan.GenerationChunk;
import latentmix.plan.InversionChunk;
import latentmix.table.FeaturesTable;
import latentmix.table.GeneratedTable;
import latentmix.table.MetricRow;
import latentmix.table.MixedTable;
import latentmix.table.MixedTable.Sources;
import latentmix.table.RunFolder;
import latentmix.work.GeneratedMixtures;

/**
 * These rows say of a run's mixtures what the evaluation's metrics do not: how much of its inputs an output keeps
 * ({@link Retention}, by the cosines of the evaluator's features), and the mean scores of the images.
 */
final class MixtureScores {
    private static final List<String> SCORES = List.of("entropy", "clipped", "sharpness");

    /** Mixtures that belong together. */
    private record Cell(String scope, String entry, int inputs) {}

    private final StudyRuns.Done done;
    private final RunFolder run;
    private final Map<Cell, Retention> kept = new LinkedHashMap<>();
    private final Map<Cell, GaussianStatistics> scores = new LinkedHashMap<>();

    private MixtureScores(StudyRuns.Done done) {
        this.done = done;
        this.run = done.run();
    }

    /**
     * The rows of a run.
     *
     * @param features the settings id of the evaluator's features; empty where it has none
     */
    static List<MetricRow> of(StudyRuns.Done done, Optional<String> features) throws IOException {
        MixtureScores scores = new MixtureScores(done);
        for (ClassPool pool : done.pools()) {
            scores.add(pool, features);
        }
        return scores.rows();
    }

    /** The settings id of the first network's features that an evaluation compares by. */
    static Optional<String> features(RunFolder run, String evaluation) throws IOException {
        JsonNode settings = new ObjectMapper().readTree(run.read(run.path("settings/" + evaluation + ".json")));
        return Optional.ofNullable(settings.path("features").path(0).textValue());
    }

    private void add(ClassPool images, Optional<String> featuresId) throws IOException {
        String classId = images.classId();
        String poolId = images.id(run);
        Map<String, double[]> features = featuresId.isPresent() ? features(images, featuresId.get()) : Map.of();
        Map<String, double[]> pool = pool(images, features);
        double[] centre = mean(pool);
        var pairs = new GeneratedMixtures(run, classId)
                .all(
                        done.generation(),
                        Sources.class,
                        GeneratedTable.Scores.class,
                        row -> row.poolId().equals(poolId) && !asked(row).isEmpty());
        for (var pair : pairs) {
            if (pair.image().isEmpty()) {
                continue; // refused
            }
            Sources row = pair.mixture();
            GeneratedTable.Scores image = pair.image().get();
            for (RunConfig.Mixing entry : asked(row)) {
                for (String scope : List.of(MetricRow.ALL, classId)) {
                    Cell cell = new Cell(scope, entry.name(), row.sourceIds().size());
                    scores.computeIfAbsent(cell, key -> new GaussianStatistics(SCORES.size()))
                            .add(new double[] {image.entropy(), image.clipped(), image.sharpness()});
                }
                if (features.containsKey(row.mixId()) && pool.keySet().containsAll(row.sourceIds())) {
                    keep(classId, entry, row, features.get(row.mixId()), pool, centre);
                }
            }
        }
    }

    /** The entries that a mixture belongs to. */
    private List<RunConfig.Mixing> asked(Sources row) {
        return done.config().mixing().stream()
                .filter(entry -> done.mixing(entry.name()).equals(row.settingsId())
                        && row.k()
                                < entry.count().number()
                                        * entry.methods().size()
                                        * entry.inputs().size())
                .toList();
    }

    private void keep(
            String classId,
            RunConfig.Mixing entry,
            Sources row,
            double[] output,
            Map<String, double[]> pool,
            double[] centre) {
        List<String> others = pool.keySet().stream()
                .filter(id -> !row.sourceIds().contains(id))
                .toList();
        if (row.sourceIds().isEmpty() || others.isEmpty()) {
            return;
        }
        double[] inputs = Retention.cosines(
                output, centre, row.sourceIds().stream().map(pool::get).toList());
        double[] rest =
                Retention.cosines(output, centre, others.stream().map(pool::get).toList());
        double[] weights =
                row.weights().stream().mapToDouble(Double::doubleValue).toArray();
        for (String scope : List.of(MetricRow.ALL, classId)) {
            kept.computeIfAbsent(new Cell(scope, entry.name(), row.sourceIds().size()), cell -> new Retention())
                    .add(inputs, weights, rest);
        }
    }

    /** The features of the class's real images and of this run's mixtures, by id. */
    private Map<String, double[]> features(ClassPool images, String featuresId) throws IOException {
        String classId = images.classId();
        FeaturesTable table = new FeaturesTable(run, classId);
        Set<String> standing = table.chunks();
        List<FeatureChunk> chunks = new ArrayList<>();
        for (InversionChunk real : done.inverted()) {
            if (!real.label().equals(images.label())) {
                continue;
            }
            chunks.add(FeatureChunk.of(
                    featuresId,
                    classId,
                    Source.INPUT,
                    real.file(),
                    real.images(),
                    real.rows(),
                    real.leftOut(),
                    standing));
        }
        for (String mixed : new MixedTable(run, classId).chunks()) {
            String made = GenerationChunk.id(done.generation(), mixed);
            chunks.add(FeatureChunk.of(featuresId, classId, Source.GENERATED, made, made, 0));
        }
        Map<String, double[]> features = new HashMap<>();
        for (FeatureChunk chunk : chunks) {
            if (standing.contains(chunk.id())) {
                table.features(chunk.id()).forEach(row -> features.put(row.id(), LittleEndian.doubles(row.features())));
            }
        }
        return features;
    }

    /** The features of the class's inverted images, by id in order. */
    private Map<String, double[]> pool(ClassPool images, Map<String, double[]> features) throws IOException {
        Map<String, double[]> pool = new TreeMap<>();
        for (String id : images.prompts(run).keySet()) {
            if (features.containsKey(id)) {
                pool.put(id, features.get(id));
            }
        }
        return pool;
    }

    private static double[] mean(Map<String, double[]> pool) {
        int width = pool.isEmpty() ? 0 : pool.values().iterator().next().length;
        double[] mean = new double[width];
        pool.values().forEach(features -> {
            for (int i = 0; i < width; i++) {
                mean[i] += features[i] / pool.size();
            }
        });
        return mean;
    }

    private List<MetricRow> rows() {
        Map<String, RunConfig.Mixing> entries = new HashMap<>();
        done.config().mixing().forEach(entry -> entries.put(entry.name(), entry));
        List<MetricRow> rows = new ArrayList<>();
        kept.forEach((cell, retention) -> {
            RunConfig.Mixing entry = entries.get(cell.entry());
            rows.add(row(cell, entry, "kept_chance", retention.count(), retention.auc()));
            rows.add(row(cell, entry, "kept_cosine", retention.count(), retention.kept()));
            rows.add(row(cell, entry, "kept_nearest", retention.count(), retention.nearest()));
        });
        scores.forEach((cell, statistics) -> {
            for (int i = 0; i < SCORES.size(); i++) {
                rows.add(row(
                        cell,
                        entries.get(cell.entry()),
                        SCORES.get(i),
                        statistics.count(),
                        Estimate.ofMany(statistics, i)));
            }
        });
        return rows;
    }

    private static MetricRow row(Cell cell, RunConfig.Mixing entry, String metric, long images, Estimate estimate) {
        return new MetricRow(
                "",
                cell.scope(),
                cell.entry(),
                entry.methods().get(0).text(),
                cell.inputs(),
                entry.weights().text(),
                metric,
                estimate.value(),
                images,
                estimate.low(),
                estimate.high());
    }
}
