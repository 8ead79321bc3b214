package latentmix.work;

import static latentmix.work.TinyWork.SANDAL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import latentmix.plan.FeatureChunk;
import latentmix.plan.Kept;
import latentmix.plan.MixingChunk;
import latentmix.plan.MixingEntry;
import latentmix.plan.RunSettings;
import latentmix.table.FeatureRow;
import latentmix.table.MixedRow;
import latentmix.work.EvaluationWork.Cell;
import latentmix.work.EvaluationWork.Chunks;
import latentmix.work.EvaluationWork.Measured;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Metrics of features that are made up. */
class EvaluationWorkTest {
    private static final int CLASSES = 10;

    @TempDir
    Path folder;

    private TinyWork work;

    @BeforeEach
    void anEmptyRunFolder() {
        work = new TinyWork(folder);
    }

    /** The n-th image's id: its seventeenth digit, by which the input is halved, is even as n is. */
    private static String id(int n) {
        return String.format("%016x%x%015x", n, n % 16, n);
    }

    /** Puts features of images of these ids; the classifier is right of every image but the first ones. */
    private void put(String chunk, List<String> ids, int wrong) throws IOException {
        List<FeatureRow> rows = new ArrayList<>();
        Random random = new Random(ids.hashCode());
        for (int i = 0; i < ids.size(); i++) {
            float[] features = new float[4];
            for (int d = 0; d < features.length; d++) {
                features[d] = (float) (1 + 0.3 * random.nextGaussian());
            }
            float[] logits = new float[CLASSES];
            logits[i < wrong ? 0 : SANDAL.label()] = 5;
            rows.add(new FeatureVector(ids.get(i), features, logits).row(SANDAL.classId(), 0, "features"));
        }
        work.put("features", SANDAL.classId(), chunk, FeatureRow.class, rows);
    }

    private static List<String> ids(int from, int to) {
        List<String> ids = new ArrayList<>();
        for (int n = from; n < to; n++) {
            ids.add(id(n));
        }
        return ids;
    }

    private static Chunks chunks(List<String> reference, List<String> reconstructions, Map<String, String> generated) {
        return new Chunks(
                SANDAL,
                FeatureKind.CLASSIFIER,
                features(List.of("input")),
                features(reference),
                features(reconstructions),
                generated.entrySet().stream()
                        .collect(Collectors.toMap(Map.Entry::getKey, entry -> features(List.of(entry.getValue()))
                                .get(0))));
    }

    private static List<FeatureChunk> features(List<String> ids) {
        return ids.stream()
                .map(id -> new FeatureChunk(id, SANDAL.classId(), FeatureChunk.Source.INPUT, "", "", 0, List.of()))
                .toList();
    }

    private static MixingEntry named(String name, MixingEntry entry) {
        return new MixingEntry(name, entry.exported(), entry.settings(), entry.settingsId(), entry.count());
    }

    private EvaluationWork.Result measure(List<MixingEntry> entries, Chunks chunks) throws IOException {
        return new EvaluationWork(work.run(), Kept.all(entries), 100, 2).measure(chunks);
    }

    private static Measured only(EvaluationWork.Result result, Cell cell, String metric) {
        return result.measured().stream()
                .filter(row -> row.cell().equals(cell) && row.metric().equals(metric))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void realImagesAreComparedWithAReferenceWithoutThemselves() throws IOException {
        put("input", ids(0, 12), 2);
        put("reference", ids(8, 20), 0);
        EvaluationWork.Result result = measure(List.of(), chunks(List.of("reference"), List.of(), Map.of()));
        assertThat(result.states().get(Cell.REAL).images().count())
                .as("eight of twelve are no part of it")
                .isEqualTo(8);
        assertThat(result.states().get(Cell.REFERENCE_OF_REAL).images().count()).isEqualTo(12);
        Measured accuracy = only(result, Cell.REAL, "accuracy");
        assertThat(accuracy.estimate().value()).isCloseTo(6 / 8.0, within(1e-12));
        assertThat(accuracy.scope()).isEqualTo(SANDAL.classId());
        assertThat(accuracy.images()).isEqualTo(8);
    }

    @Test
    void withoutAReferenceOneHalfOfTheInputIsComparedWithTheOther() throws IOException {
        put("input", ids(0, 30), 0);
        EvaluationWork.Result result = measure(List.of(), chunks(List.of(), List.of(), Map.of()));
        assertThat(result.states().get(Cell.REAL).images().count()).isEqualTo(15);
        assertThat(result.states().get(Cell.REFERENCE_OF_REAL).images().count()).isEqualTo(15);
        assertThat(result.states().get(Cell.REFERENCE).images().count())
                .as("what is made is compared with all")
                .isEqualTo(30);
    }

    @Test
    void anImageThatIsLeftOutOfAChunkIsNotMeasured() throws IOException {
        put("input", ids(0, 30), 0);
        List<FeatureChunk> input = List.of(new FeatureChunk(
                "input", SANDAL.classId(), FeatureChunk.Source.INPUT, "", "", 28, List.of(id(3), id(4))));
        EvaluationWork.Result result =
                measure(List.of(), new Chunks(SANDAL, FeatureKind.CLASSIFIER, input, List.of(), List.of(), Map.of()));
        assertThat(result.states().get(Cell.REFERENCE).images().count()).isEqualTo(28);
    }

    @Test
    void anImageInTwoChunksCountsOnceAndASingleOneIsNotMeasured() throws IOException {
        put("input", ids(0, 12), 0);
        put("some", ids(0, 5), 0);
        put("same", ids(3, 7), 0);
        EvaluationWork.Result result = measure(List.of(), chunks(List.of("input"), List.of("some", "same"), Map.of()));
        assertThat(only(result, Cell.RECONSTRUCTION, "accuracy").images()).isEqualTo(7);
        assertThat(result.measured()).noneMatch(row -> row.cell().equals(Cell.REAL)); // all are in the reference

        put("some", ids(0, 1), 0);
        assertThat(measure(List.of(), chunks(List.of("input"), List.of("some"), Map.of()))
                        .measured())
                .isEmpty();
    }

    @Test
    void mixturesCountInEveryEntryThatAsksForThemAndInTheCellOfTheirMethodAndCount() throws IOException {
        put("input", ids(0, 12), 0);
        work.invert("pool", List.of("a", "b", "c", "d"), TinyWork.noise(4, "pool"));
        RunSettings settings = work.settings("mixing.methods=[lin/0, fix/0]", "mixing.inputs=[2, 3]", "mixing.count=4");
        for (MixingChunk chunk : work.missing(settings, 64, "pool")) {
            new MixingWork(work.run(), rows -> {}).mix(chunk);
        }
        List<MixedRow> mixed = work.rows("mixed", MixedRow.class);
        String chunk = work.files("mixed").get(0).getFileName().toString().replace(".parquet", "");
        put("made", mixed.stream().map(MixedRow::mixId).toList(), 0);
        RunSettings fewer = work.settings("mixing.methods=[lin/0, fix/0]", "mixing.inputs=[2, 3]", "mixing.count=3");
        List<MixingEntry> entries = List.of(
                named("all", settings.mixing().get(0)),
                named("fewer", fewer.mixing().get(0)));

        EvaluationWork.Result result = measure(entries, chunks(List.of(), List.of(), Map.of(chunk, "made")));

        for (String method : List.of("lin/0", "fix/0")) {
            for (int inputs : List.of(2, 3)) {
                assertThat(only(result, new Cell("all", method, inputs, "dirichlet(1)"), "accuracy")
                                .images())
                        .isEqualTo(4);
                assertThat(only(result, new Cell("fewer", method, inputs, "dirichlet(1)"), "accuracy")
                                .images())
                        .isEqualTo(3);
            }
        }
    }
}
