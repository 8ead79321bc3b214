package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import latentmix.Golden;
import latentmix.architecture.Part;
import latentmix.checkpoint.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests what the golden T5 does not show: other feed-forwards, against the formula in double, and types of 16 bits. */
class T5EncoderModelTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Golden GOLDEN = Golden.open("t5");
    private static final int WIDTH = 72;

    @TempDir
    Path folder;

    private Tensors copy(String feedForward, int layers) throws IOException {
        ObjectNode config = (ObjectNode)
                JSON.readTree(Golden.folder("t5").resolve("config.json").toFile());
        config.remove(List.of("dense_act_fn", "is_gated_act"));
        config.put("feed_forward_proj", feedForward).put("num_layers", layers);
        JSON.writeValue(folder.resolve("config.json").toFile(), config);
        Tensors tensors = Tensors.of(Golden.folder("t5").resolve("model.safetensors"));
        for (String name : tensors.names()) {
            if (name.matches("encoder\\.block\\.[" + layers + "-9].*")) {
                tensors.remove(name);
            }
        }
        return tensors;
    }

    /** The outputs for the short case's ids: last_hidden_state, then the hidden states. */
    private float[][] run(Dtype dtype) {
        try (NDManager manager = NDManager.newBaseManager();
                Network network = Models.load(folder, Part.TEXT_ENCODER, Device.cpu(), dtype)) {
            NDArray ids = manager.create(GOLDEN.longs("short.input_ids"), new Shape(2, 13));
            return network.forward(manager, ids, manager.ones(ids.getShape(), DataType.INT64)).stream()
                    .map(NDArray::toFloatArray)
                    .toArray(float[][]::new);
        }
    }

    private static double[] normed(double[] x, float[] weight) {
        double square = Arrays.stream(x).map(value -> value * value).average().orElseThrow();
        return IntStream.range(0, x.length)
                .mapToDouble(i -> x[i] / Math.sqrt(square + 1e-6) * weight[i])
                .toArray();
    }

    private static double[] times(Tensors.Values matrix, double[] x) {
        int columns = x.length;
        return IntStream.range(0, matrix.shape().get(0).intValue())
                .mapToDouble(row -> IntStream.range(0, columns)
                        .mapToDouble(i -> x[i] * matrix.values()[row * columns + i])
                        .sum())
                .toArray();
    }

    /** Φ by its series, which converges everywhere. */
    private static double gelu(double x) {
        double term = x;
        double sum = x;
        for (int n = 1; n < 200; n++) {
            term *= x * x / (2 * n + 1);
            sum += term;
        }
        return x * (0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI));
    }

    /**
     * A block's second half is computed here from the state after the golden's own attention, which the epsilon probe
     * gives.
     */
    @ParameterizedTest
    @CsvSource({"relu", "gelu", "silu", "gated-relu", "gated-silu", "gated-gelu"})
    void everyFeedForwardIsItsFormula(String feedForward) throws IOException {
        boolean gated = feedForward.startsWith("gated-");
        Tensors tensors = copy(feedForward, 1);
        String block = "encoder.block.0.layer.";
        String dense = block + "1.DenseReluDense.";
        Tensors.Values in = tensors.get(dense + "wi_0.weight");
        Tensors.Values gate = tensors.get(dense + "wi_1.weight");
        Tensors.Values out = tensors.get(dense + "wo.weight");
        float[] norm = tensors.get(block + "1.layer_norm.weight").values();
        float[] last = tensors.get("encoder.final_layer_norm.weight").values();
        // Without attention the block's input is its middle.
        Tensors.Values attention = tensors.get(block + "0.SelfAttention.o.weight");
        tensors.put(block + "0.SelfAttention.o.weight", attention.shape(), new float[attention.values().length]);
        if (!gated) {
            tensors.remove(dense + "wi_0.weight").remove(dense + "wi_1.weight");
            tensors.put(dense + "wi.weight", in.shape(), in.values());
        }
        tensors.write(folder.resolve("model.safetensors"));
        DoubleUnaryOperator activation =
                switch (feedForward.replace("gated-", "")) {
                    case "relu" -> x -> Math.max(x, 0);
                    case "silu" -> x -> x / (1 + Math.exp(-x));
                    default ->
                        gated
                                ? x -> x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))
                                : T5EncoderModelTest::gelu;
                };

        float[][] outputs = run(Dtype.FLOAT32);

        float[] expected = new float[outputs[0].length];
        for (int token = 0; token < expected.length / WIDTH; token++) {
            double[] x = new double[WIDTH];
            for (int i = 0; i < WIDTH; i++) {
                x[i] = outputs[1][token * WIDTH + i];
            }
            double[] h =
                    Arrays.stream(times(in, normed(x, norm))).map(activation).toArray();
            if (gated) {
                double[] factor = times(gate, normed(x, norm));
                Arrays.setAll(h, i -> h[i] * factor[i]);
            }
            double[] sum = times(out, h);
            Arrays.setAll(sum, i -> sum[i] + x[i]);
            double[] result = normed(sum, last);
            for (int i = 0; i < WIDTH; i++) {
                expected[token * WIDTH + i] = (float) result[i];
            }
        }
        Golden.assertForward(feedForward, outputs[0], expected);
    }

    /** T5-XXL's sums leave float16's range, 65504, which nothing between the blocks may then have. */
    @ParameterizedTest
    @CsvSource({"BFLOAT16, 0.03", "FLOAT16, 0.004"})
    void sumsBeyondTheRangeOfFloat16AreKept(Dtype dtype, double precision) throws IOException {
        Tensors tensors = copy("gated-gelu", 3);
        String key = "encoder.block.1.layer.1.DenseReluDense.wo.weight";
        float[] values = tensors.get(key).values();
        for (int i = 0; i < values.length; i++) {
            values[i] *= 60_000;
        }
        tensors.write(folder.resolve("model.safetensors"));
        float[][] expected = run(Dtype.FLOAT32);
        float[][] actual = run(dtype);
        float largest = 0;
        for (float value : expected[3]) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertThat(largest).isGreaterThan(65504);
        double squares = 0;
        for (int i = 0; i < expected[0].length; i++) {
            squares += Math.pow(actual[0][i] - expected[0][i], 2);
        }
        assertThat(Math.sqrt(squares / expected[0].length)).isLessThan(precision); // the outputs' rms is 1
    }

    @Test
    void theHiddenStatesBeforeTheLastHaveNoFinalNorm() throws IOException {
        Files.copy(Golden.folder("t5").resolve("config.json"), folder.resolve("config.json"));
        Files.copy(Golden.folder("t5").resolve("model.safetensors"), folder.resolve("model.safetensors"));
        float[][] outputs = run(Dtype.FLOAT32);
        assertThat(outputs).hasNumberOfRows(1 + 4);
        assertThat(outputs[4]).isEqualTo(outputs[0]);
        Golden.assertForward("hidden_states_2", outputs[3], GOLDEN.floats("short.hidden_states_2"));
    }
}
