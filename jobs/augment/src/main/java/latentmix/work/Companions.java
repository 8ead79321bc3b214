package latentmix.work;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.codec.LittleEndian;
import latentmix.table.CompanionRow;
import latentmix.table.CompanionsTable;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;

/**
 * Mixes the companions of a class's inverted images when an image is generated: Σ w_i · companion_i over the mixture's
 * sources.
 */
final class Companions {
    /** Companions off the device, (B, depth, height, width). */
    record Batch(float[] values, Shape shape) {
        static Batch of(NDArray companion) {
            return new Batch(companion.toFloatArray(), companion.getShape());
        }

        private int size() {
            return values.length / (int) shape.get(0);
        }

        boolean finite(int row) {
            for (int i = row * size(); i < (row + 1) * size(); i++) {
                if (!Float.isFinite(values[i])) {
                    return false;
                }
            }
            return true;
        }

        CompanionRow row(int row, String imageId, String classId, String prompt, String settingsId) {
            return new CompanionRow(
                    imageId,
                    classId,
                    prompt,
                    (int) shape.get(1),
                    (int) shape.get(2),
                    (int) shape.get(3),
                    LittleEndian.bytes(values, row * size(), size()),
                    settingsId);
        }
    }

    private record Sum(double[] values, Shape shape) {}

    private final CompanionsTable table;
    private final String classId;
    private final String settingsId;
    private final TreeMap<String, Set<CompanionsTable.Key>> files = new TreeMap<>(); // by name: sums repeat

    /** Reads which of a class's files hold which images' companions under an inversion's settings. */
    Companions(RunFolder run, String classId, String settingsId) throws IOException {
        this.table = new CompanionsTable(run, classId);
        this.classId = classId;
        this.settingsId = settingsId;
        for (String file : table.files()) {
            List<CompanionsTable.Key> keys = table.keys(file);
            if (keys.stream().anyMatch(key -> key.settingsId().equals(settingsId))) {
                files.put(file, Set.copyOf(keys));
            }
        }
    }

    /**
     * Whose companions are summed, with what weights.
     *
     * @param prompts what the sources were inverted with
     */
    record Mixture(List<String> prompts, List<String> sourceIds, List<Double> weights) {
        private Stream<CompanionsTable.Key> keys(String settingsId) {
            return IntStream.range(0, sourceIds.size())
                    .mapToObj(i -> new CompanionsTable.Key(sourceIds.get(i), prompts.get(i), settingsId));
        }
    }

    /** The mixtures' companions, (B, depth, height, width). */
    NDArray mixed(List<Mixture> mixtures, NDManager manager) {
        Map<Integer, Sum> sums = new HashMap<>();
        Set<CompanionsTable.Key> missing = new HashSet<>();
        for (Mixture mixture : mixtures) {
            mixture.keys(settingsId).forEach(missing::add);
        }
        for (Map.Entry<String, Set<CompanionsTable.Key>> file : files.entrySet()) {
            if (file.getValue().stream().anyMatch(missing::contains)) {
                add(file.getKey(), mixtures, missing, sums);
            }
        }
        if (!missing.isEmpty()) {
            throw new UncheckedIOException(new IOException("The companions of class " + classId + " must have image "
                    + missing.iterator().next().imageId() + " under the inversion's settings " + settingsId
                    + ", but " + missing.size()
                    + " are missing; delete the class's inverted rows to have them made again"));
        }
        Shape one = sums.get(0).shape();
        float[] values = new float[mixtures.size() * (int) one.size()];
        for (int i = 0; i < mixtures.size(); i++) {
            double[] sum = sums.get(i).values();
            for (int j = 0; j < sum.length; j++) {
                values[i * sum.length + j] = (float) sum[j];
            }
        }
        return manager.create(values, new Shape(mixtures.size()).addAll(one));
    }

    private void add(String file, List<Mixture> mixtures, Set<CompanionsTable.Key> missing, Map<Integer, Sum> sums) {
        try (RowFile.Cursor<CompanionRow> rows = table.open(file)) {
            for (CompanionRow row = rows.next(); row != null; row = rows.next()) {
                if (missing.remove(new CompanionsTable.Key(row.imageId(), row.prompt(), row.settingsId()))) {
                    for (int i = 0; i < mixtures.size(); i++) {
                        add(i, row, mixtures.get(i), sums);
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void add(int i, CompanionRow row, Mixture mixture, Map<Integer, Sum> sums) {
        double weight = 0;
        boolean isSource = false;
        for (int j = 0; j < mixture.sourceIds().size(); j++) {
            if (mixture.sourceIds().get(j).equals(row.imageId())
                    && mixture.prompts().get(j).equals(row.prompt())) {
                weight += mixture.weights().get(j);
                isSource = true;
            }
        }
        if (!isSource) {
            return;
        }
        Shape shape = new Shape(row.depth(), row.height(), row.width());
        double[] sum = sums.computeIfAbsent(i, k -> new Sum(new double[(int) shape.size()], shape))
                .values();
        double[] values = LittleEndian.doubles(row.data());
        for (int j = 0; j < sum.length; j++) {
            sum[j] += weight * values[j];
        }
    }
}
