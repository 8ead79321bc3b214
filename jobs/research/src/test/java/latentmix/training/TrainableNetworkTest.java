package latentmix.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import latentmix.checkpoint.SafetensorsWriter.Values;
import latentmix.torchscript.ScriptModule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainableNetworkTest {
    /** loss = Σ (w·x − y)², and the error's sum. */
    private static final ScriptModule LINE = ScriptModule.named("Line")
            .parameter("slope", 2)
            .parameter("still", 2)
            .method(
                    """
                    def forward(self, x: Tensor, y: Tensor) -> List[Tensor]:
                      error = torch.sub(torch.mul(self.slope, x), torch.add(y, self.still))
                      return [torch.sum(torch.pow(error, 2)), torch.sum(error)]
                    """);

    private static final Map<String, Values> INITIAL = Map.of(
            "slope", new Values(List.of(2L), new float[] {1, -2}),
            "still", new Values(List.of(2L), new float[] {0, 0}));

    private static TrainableNetwork line() {
        return TrainableNetwork.load(LINE, INITIAL, key -> key.equals("slope"), Device.cpu());
    }

    private static float[] step(TrainableNetwork network, double maxNorm) {
        try (NDArray x = network.arrays().create(new float[] {1, 2}, new Shape(2));
                NDArray y = network.arrays().create(new float[] {3, 1}, new Shape(2))) {
            return network.step(new TrainableNetwork.StepSize(0.1, 0.5, maxNorm, 0.9), x, y);
        }
    }

    @Test
    void aStepIsThatOfAdamWWrittenOut() {
        try (TrainableNetwork network = line()) {
            double[] w = {1, -2};
            double[] m = new double[2];
            double[] v = new double[2];
            double[] ema = w.clone();
            double[] x = {1, 2};
            double[] y = {3, 1};
            for (int step = 1; step <= 5; step++) {
                double[] g = new double[2];
                double loss = 0;
                for (int i = 0; i < 2; i++) {
                    double error = w[i] * x[i] - y[i];
                    loss += error * error;
                    g[i] = 2 * error * x[i];
                }
                double scale = Math.min(1, 7 / (Math.hypot(g[0], g[1]) + 1e-6));
                assertThat(step(network, 7)[0]).isCloseTo((float) loss, within(1e-4f));
                for (int i = 0; i < 2; i++) {
                    g[i] *= scale;
                    w[i] -= 0.1 * 0.5 * w[i];
                    m[i] = 0.9 * m[i] + 0.1 * g[i];
                    v[i] = 0.99 * v[i] + 0.01 * g[i] * g[i];
                    w[i] -= 0.1
                            * m[i]
                            / (1 - Math.pow(0.9, step))
                            / (Math.sqrt(v[i] / (1 - Math.pow(0.99, step))) + 1e-8);
                    ema[i] = 0.9 * ema[i] + 0.1 * w[i];
                }
            }
            for (int i = 0; i < 2; i++) {
                assertThat((double) network.weights().get("slope").values()[i]).isCloseTo(w[i], within(1e-5));
                assertThat((double) network.averaged().get("slope").values()[i]).isCloseTo(ema[i], within(1e-5));
            }
            assertThat(network.weights().get("still").values()).containsOnly(0);
        }
    }

    @Test
    void goesOnAfterASaveAsIfItHadNotStopped(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("state.safetensors");
        try (TrainableNetwork whole = line();
                TrainableNetwork resumed = line()) {
            step(whole, 1);
            step(whole, 1);
            whole.save(file);
            step(whole, 1);
            resumed.restore(file);
            assertThat(resumed.steps()).isEqualTo(2);
            step(resumed, 1);
            assertThat(resumed.weights().get("slope").values())
                    .containsExactly(whole.weights().get("slope").values());
            assertThat(resumed.averaged().get("slope").values())
                    .containsExactly(whole.averaged().get("slope").values());
        }
    }
}
