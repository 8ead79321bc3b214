package latentmix.work;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import latentmix.latent.InputCount;
import latentmix.metric.Estimate;
import latentmix.metric.ReferenceSet;
import latentmix.plan.ClassLabel;
import latentmix.plan.MixingEntry;
import latentmix.plan.MixingSettings;
import latentmix.table.FeaturesTable;
import latentmix.table.MetricRow;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;

/**
 * Measures the images of one class in one network's features: metrics of the class, and states to be merged with other
 * classes'.
 *
 * <p>A real image is never compared with a set that holds it: those of the input that are in the reference too are left
 * out of the line {@code real}; where the input itself is the reference, that line compares one half of it with the
 * other, halves by a digit of the ids.
 */
public final class EvaluationWork {
    private static final int HALVING_DIGIT = 16; // neither the sample's digits, the first, nor the groups', the last

    /** The images that one number is about. */
    public record Cell(String entry, String method, int sourceCount, String weights) implements Serializable {
        /** What mixtures and reconstructions are compared with. */
        public static final Cell REFERENCE = new Cell("", "reference", 0, "");
        /** What real images are compared with. */
        public static final Cell REFERENCE_OF_REAL = new Cell("", "reference of real", 0, "");

        public static final Cell REAL = new Cell("", MetricRow.REAL, 0, "");
        public static final Cell RECONSTRUCTION = new Cell("", MetricRow.RECONSTRUCTION, 0, "");

        /** The cell of an entry's k-th mixture. */
        static Cell of(MixingEntry entry, int k) {
            MixingSettings settings = entry.settings();
            InputCount inputs = InputCount.parse(settings.inputs(k));
            int count = inputs.least() == inputs.most() ? inputs.least() : 0;
            return new Cell(entry.name(), settings.method(k), count, settings.weights());
        }

        /** What this cell's images are compared with. */
        public Cell reference() {
            return equals(REAL) ? REFERENCE_OF_REAL : REFERENCE;
        }

        boolean isReference() {
            return equals(REFERENCE) || equals(REFERENCE_OF_REAL);
        }
    }

    /**
     * The chunks of the features table of one class and network.
     *
     * @param reference empty where the input is the reference
     * @param generated features by the chunk of the mixed table whose images they are of
     */
    public record Chunks(
            ClassLabel label,
            FeatureKind kind,
            List<String> input,
            List<String> reference,
            List<String> reconstructions,
            Map<String, String> generated)
            implements Serializable {}

    /** A metric with its interval. */
    public record Measured(Cell cell, String scope, String metric, Estimate estimate, long images)
            implements Serializable {}

    /** A class's metrics and states. */
    public record Result(List<Measured> measured, Map<Cell, CellState> states) implements Serializable {}

    private final RunFolder run;
    private final List<MixingEntry> entries;
    private final int sample;
    private final int neighbours;

    public EvaluationWork(RunFolder run, List<MixingEntry> entries, int sample, int neighbours) {
        this.run = run;
        this.entries = entries;
        this.sample = sample;
        this.neighbours = neighbours;
    }

    /** Reads the class's features and measures them. */
    public Result measure(Chunks chunks) throws IOException {
        String classId = chunks.label().classId();
        List<FeatureVector> input = read(classId, chunks.input());
        List<FeatureVector> reference = chunks.reference().isEmpty() ? input : read(classId, chunks.reference());
        Map<Cell, CellState> states = new LinkedHashMap<>();
        if (chunks.reference().isEmpty()) {
            put(states, Cell.REFERENCE, chunks, reference, image -> true);
            put(states, Cell.REFERENCE_OF_REAL, chunks, input, image -> !firstHalf(image));
            put(states, Cell.REAL, chunks, input, EvaluationWork::firstHalf);
        } else {
            Set<String> held = new HashSet<>();
            reference.forEach(image -> held.add(image.id()));
            put(states, Cell.REFERENCE, chunks, reference, image -> true);
            put(states, Cell.REFERENCE_OF_REAL, chunks, reference, image -> true);
            put(states, Cell.REAL, chunks, input, image -> !held.contains(image.id()));
        }
        put(states, Cell.RECONSTRUCTION, chunks, read(classId, chunks.reconstructions()), image -> true);
        generated(chunks).forEach((cell, images) -> put(states, cell, chunks, images, image -> true));
        return new Result(measured(chunks.kind(), classId, states, neighbours), states);
    }

    /** The metrics of all cells that have a reference with at least two images, and as many themselves. */
    public static List<Measured> measured(FeatureKind kind, String scope, Map<Cell, CellState> states, int neighbours) {
        Map<Cell, ReferenceSet> references = new HashMap<>();
        states.forEach((cell, state) -> {
            if (cell.isReference() && state.images().count() >= 2) {
                references.put(cell, new ReferenceSet(state.images(), neighbours));
            }
        });
        List<Measured> measured = new ArrayList<>();
        states.entrySet().parallelStream()
                .filter(entry -> !entry.getKey().isReference()
                        && entry.getValue().images().count() >= 2
                        && references.containsKey(entry.getKey().reference()))
                .map(entry -> {
                    CellState state = entry.getValue();
                    List<Measured> rows = new ArrayList<>();
                    kind.metrics(
                                    state,
                                    references.get(entry.getKey().reference()).with(state.images()))
                            .forEach((metric, estimate) -> rows.add(new Measured(
                                    entry.getKey(),
                                    scope,
                                    metric,
                                    estimate,
                                    state.images().count())));
                    return rows;
                })
                .forEachOrdered(measured::addAll);
        return measured;
    }

    private static boolean firstHalf(FeatureVector image) {
        return Character.digit(image.id().charAt(HALVING_DIGIT), 16) % 2 == 0;
    }

    private void put(
            Map<Cell, CellState> states,
            Cell cell,
            Chunks chunks,
            List<FeatureVector> images,
            Predicate<FeatureVector> members) {
        List<FeatureVector> all = images.stream().filter(members).toList();
        if (all.isEmpty()) {
            return;
        }
        CellState reference = cell.isReference() ? null : states.get(cell.reference());
        CellState.Builder state = new CellState.Builder(
                all.get(0).features().length,
                sample,
                chunks.label().label(),
                reference == null ? new double[0] : reference.images().mean());
        all.forEach(state::add);
        states.put(cell, state.build());
    }

    private Map<Cell, List<FeatureVector>> generated(Chunks chunks) throws IOException {
        String classId = chunks.label().classId();
        Map<Cell, List<FeatureVector>> cells = new LinkedHashMap<>();
        for (Map.Entry<String, String> chunk : chunks.generated().entrySet()) {
            Map<String, List<Cell>> cellsOf = new HashMap<>();
            for (MixedTable.Key row : new MixedTable(run, classId).keys(chunk.getKey())) {
                for (MixingEntry entry : entries) {
                    if (entry.asks(row.settingsId(), row.k())) {
                        cellsOf.computeIfAbsent(row.mixId(), id -> new ArrayList<>())
                                .add(Cell.of(entry, row.k()));
                    }
                }
            }
            for (FeatureVector image : read(classId, List.of(chunk.getValue()))) {
                for (Cell cell : cellsOf.getOrDefault(image.id(), List.of())) {
                    cells.computeIfAbsent(cell, key -> new ArrayList<>()).add(image);
                }
            }
        }
        return cells;
    }

    private List<FeatureVector> read(String classId, List<String> chunks) throws IOException {
        Map<String, FeatureVector> vectors = new LinkedHashMap<>(); // an image counts once
        for (String chunk : chunks) {
            new FeaturesTable(run, classId)
                    .answers(chunk)
                    .forEach(row -> vectors.putIfAbsent(row.id(), FeatureVector.of(row)));
        }
        return List.copyOf(vectors.values());
    }
}
