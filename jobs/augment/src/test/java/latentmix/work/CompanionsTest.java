package latentmix.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import latentmix.table.CompanionsTable;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompanionsTest {
    @TempDir
    Path folder;

    private RunFolder run;

    @BeforeEach
    void threeFiles() throws IOException {
        run = new RunFolder(folder.toString(), new Configuration());
        publish("chunk", 0, "ours", "a photo", "i1", "i2");
        publish("chunk", 1, "ours", "a photo", "i3");
        publish("older", 0, "others", "a photo", "i1", "i4");
        publish("prompt", 0, "ours", "a drawing", "i2");
    }

    /** The companion of image n is (10 n, 10 n + 1), of other settings or another prompt 0. */
    private void publish(String chunk, int batch, String settings, String prompt, String... ids) throws IOException {
        float[] values = new float[2 * ids.length];
        for (int i = 0; i < values.length; i++) {
            boolean real = settings.equals("ours") && prompt.equals("a photo");
            values[i] = real ? 10 * Integer.parseInt(ids[i / 2].substring(1)) + i % 2 : 0;
        }
        Companions.Batch companions = new Companions.Batch(values, new Shape(ids.length, 1, 1, 2));
        new CompanionsTable(run, "c")
                .publish(
                        chunk,
                        batch,
                        IntStream.range(0, ids.length)
                                .mapToObj(i -> companions.row(i, ids[i], "c", prompt, settings))
                                .toList());
    }

    private static Companions.Mixture mixture(List<String> ids, List<Double> weights) {
        return new Companions.Mixture(Collections.nCopies(ids.size(), "a photo"), ids, weights);
    }

    @Test
    void aMixturesCompanionIsTheWeightedSumOfItsSourcesUnderTheSameSettingsAndPrompt() throws IOException {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
            NDArray mixed = new Companions(run, "c", "ours")
                    .mixed(
                            List.of(
                                    mixture(List.of("i3", "i1"), List.of(0.25, 0.75)),
                                    mixture(List.of("i2"), List.of(1.0)),
                                    mixture(List.of("i1", "i2", "i3"), List.of(0.5, 0.25, 0.25))),
                            manager);
            assertThat(mixed.getShape()).isEqualTo(new Shape(3, 1, 1, 2));
            assertThat(mixed.toFloatArray()).containsExactly(new float[] {15, 16, 20, 21, 17.5f, 18.5f}, within(0f));
        }
    }

    @Test
    void aSourcesCompanionIsThatOfThePromptItWasInvertedWith() throws IOException {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
            NDArray mixed = new Companions(run, "c", "ours")
                    .mixed(
                            List.of(
                                    new Companions.Mixture(
                                            List.of("a photo", "a drawing"), List.of("i1", "i2"), List.of(0.5, 0.5)),
                                    new Companions.Mixture(List.of("a photo"), List.of("i2"), List.of(1.0))),
                            manager);
            assertThat(mixed.toFloatArray()).containsExactly(new float[] {5, 5.5f, 20, 21}, within(0f));
        }
    }

    @Test
    void aSourceWithoutACompanionIsNamedWithWhatToDo() throws IOException {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
            Companions companions = new Companions(run, "c", "ours");
            assertThatThrownBy(
                            () -> companions.mixed(List.of(mixture(List.of("i1", "i4"), List.of(0.5, 0.5))), manager))
                    .hasMessageContaining("must have image i4")
                    .hasMessageContaining("delete the class's inverted rows");
        }
    }
}
