package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import latentmix.Golden;
import latentmix.GoldenCheckpoints;
import latentmix.architecture.LowRankNetwork;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.CheckpointSpec;
import latentmix.checkpoint.Lora;
import latentmix.checkpoint.Tensors;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Networks that take a low-rank adapter with each call, beside the same networks without and with it merged. */
class AdaptableDenoiserTest {
    private static final Configuration CONF = new Configuration();
    private static final int RANK = 3;
    private static final double TIMESTEP = 481;

    @TempDir
    static Path shared;

    private static Path sd15;
    private static Path sd3;
    private static Path sdxl;

    @TempDir
    Path folder;

    @BeforeAll
    static void checkpoints() throws IOException {
        sd15 = GoldenCheckpoints.stableDiffusion15(Files.createDirectory(shared.resolve("sd15")));
        sdxl = GoldenCheckpoints.stableDiffusionXl(Files.createDirectory(shared.resolve("sdxl")));
        sd3 = GoldenCheckpoints.stableDiffusion3(Files.createDirectory(shared.resolve("sd3")));
    }

    private static CheckpointSpec spec(String name) {
        return CheckpointSpec.of(
                switch (name) {
                    case "sd15" -> sd15.toString();
                    case "sd3" -> sd3.toString();
                    case "sdxl" -> sdxl.toString();
                    default -> name;
                });
    }

    private static AdaptableDenoiser adaptable(CheckpointFolder checkpoint) {
        return Models.adaptableDenoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
    }

    private static float[] random(int size, double deviation, long seed) {
        RandomGenerator random = RandomGeneratorFactory.of("Xoshiro256PlusPlus").create(seed);
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        return values;
    }

    private static int width(AdaptableDenoiser denoiser) {
        return denoiser.layers().stream()
                .mapToInt(layer -> layer.in() + layer.out())
                .sum();
    }

    private static float[] adapter(AdaptableDenoiser denoiser, long seed) {
        return random(RANK * width(denoiser), 0.2, seed);
    }

    /** What a network says of two latents and two prompts. */
    private static float[] says(CheckpointFolder checkpoint, Denoiser denoiser, NDManager manager) {
        try (NDManager scope = manager.newSubManager()) {
            return denoiser.predict(sample(denoiser.latentShape(), scope), TIMESTEP, prompt(checkpoint, scope))
                    .toFloatArray();
        }
    }

    private static NDArray sample(latentmix.latent.Shape shape, NDManager scope) {
        return scope.create(
                random(2 * shape.size(), 1, 7), new Shape(2, shape.channels(), shape.height(), shape.width()));
    }

    private static PromptEmbeds prompt(CheckpointFolder checkpoint, NDManager scope) {
        try (TextEncoder encoder = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            return encoder.encode("w5 w17")
                    .onto(scope)
                    .concat(encoder.encode("w9").onto(scope));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sd15", "sdxl", "sd3", "builtin:fashion", "builtin:emoji"})
    void anAdapterOfZerosChangesNoBit(String name) {
        CheckpointFolder checkpoint = spec(name).open(CONF);
        AdaptableDenoiser adaptable = adaptable(checkpoint);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                Denoiser plain = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            assertThat(says(checkpoint, adaptable.with(new float[width(adaptable)], manager), manager))
                    .isEqualTo(says(checkpoint, plain, manager));
        }
    }

    /** The names are those of the weights that diffusers adapts, and each layer has its own columns. */
    @ParameterizedTest
    @ValueSource(strings = {"sd15", "sdxl", "sd3", "builtin:fashion"})
    void anAdapterDoesWhatTheSameLoraMergedIntoTheWeightsDoes(String name) throws IOException {
        CheckpointFolder checkpoint = spec(name).open(CONF);
        AdaptableDenoiser adaptable = adaptable(checkpoint);
        float[] adapter = adapter(adaptable, 1);
        Path file = write(adaptable, checkpoint.denoiser(), adapter);
        CheckpointFolder merged =
                spec(name).withLoras(List.of(new Lora(file.toString(), 1))).open(CONF);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                Denoiser plain = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
                Denoiser with = Models.denoiser(merged, Device.cpu(), Dtype.FLOAT32)) {
            float[] expected = says(checkpoint, with, manager);
            float[] found = says(checkpoint, adaptable.with(adapter, manager), manager);
            Golden.assertTrace(name, found, expected);
            assertThat(difference(expected, says(checkpoint, plain, manager)))
                    .isGreaterThan(100 * difference(expected, found));
        }
    }

    private static double difference(float[] some, float[] others) {
        double most = 0;
        for (int i = 0; i < some.length; i++) {
            most = Math.max(most, Math.abs(some[i] - others[i]));
        }
        return most;
    }

    private Path write(AdaptableDenoiser denoiser, String component, float[] adapter) throws IOException {
        Tensors tensors = new Tensors();
        int width = width(denoiser);
        for (LowRankNetwork.Layer layer : denoiser.layers()) {
            float[] a = new float[RANK * layer.in()];
            float[] b = new float[layer.out() * RANK];
            for (int row = 0; row < RANK; row++) {
                for (int i = 0; i < layer.in(); i++) {
                    a[row * layer.in() + i] = adapter[row * width + layer.first() + i];
                }
                for (int i = 0; i < layer.out(); i++) {
                    b[i * RANK + row] = adapter[row * width + layer.first() + layer.in() + i];
                }
            }
            String key = component + "." + layer.name();
            tensors.put(key + ".lora_A.weight", List.of((long) RANK, (long) layer.in()), a);
            tensors.put(key + ".lora_B.weight", List.of((long) layer.out(), (long) RANK), b);
        }
        return tensors.write(folder.resolve("lora.safetensors"));
    }

    /** Whoever runs the network at the same time, and whatever ran before: no call sees another's adapter. */
    @Test
    void tasksOfDifferentAdaptersShareANetworkAndSeeTheirOwn() throws Exception {
        CheckpointFolder checkpoint = spec("builtin:fashion").open(CONF);
        AdaptableDenoiser adaptable = adaptable(checkpoint);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                Denoiser plain = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            float[] before = says(checkpoint, plain, manager);
            List<float[]> adapters =
                    List.of(new float[RANK * width(adaptable)], adapter(adaptable, 1), adapter(adaptable, 2));
            List<float[]> alone = new ArrayList<>();
            for (float[] adapter : adapters) {
                alone.add(says(checkpoint, adaptable.with(adapter, manager), manager));
            }
            assertThat(alone.get(1)).isNotEqualTo(alone.get(2));
            ExecutorService threads = Executors.newFixedThreadPool(adapters.size());
            List<Future<?>> tasks = new ArrayList<>();
            for (int i = 0; i < adapters.size(); i++) {
                int own = i;
                tasks.add(threads.submit(() -> {
                    try (NDManager mine = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
                        Denoiser denoiser = adaptable(checkpoint).with(adapters.get(own), mine);
                        for (int repeat = 0; repeat < 5; repeat++) {
                            assertThat(says(checkpoint, denoiser, mine)).isEqualTo(alone.get(own));
                        }
                    }
                }));
            }
            for (Future<?> task : tasks) {
                task.get();
            }
            threads.shutdown();
            assertThat(says(checkpoint, plain, manager))
                    .as("without one, afterwards")
                    .isEqualTo(before);
            assertThat(alone.get(0)).isEqualTo(before);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sd15", "sdxl", "sd3"})
    void theGradientIsThatOfFiniteDifferences(String name) {
        CheckpointFolder checkpoint = spec(name).open(CONF);
        AdaptableDenoiser adaptable = adaptable(checkpoint);
        float[] adapter = adapter(adaptable, 3);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            AdaptableDenoiser.Slopes slopes = adaptable.slopes(
                    sample(adaptable.latentShape(), manager),
                    new double[] {TIMESTEP},
                    prompt(checkpoint, manager),
                    adapter,
                    NDArray::duplicate); // of Σ output² / 2
            float[] gradient = slopes.adapter().toFloatArray();
            double norm = Math.sqrt(squares(gradient));
            double step = 1e-2;
            double[] values = new double[2];
            for (int side = 0; side < 2; side++) {
                float[] moved = adapter.clone();
                for (int i = 0; i < moved.length; i++) {
                    moved[i] += (float) ((side == 0 ? step : -step) * gradient[i] / norm);
                }
                values[side] = squares(says(checkpoint, adaptable.with(moved, manager), manager)) / 2;
            }
            assertThat(norm).isGreaterThan(1e-3);
            assertThat((values[0] - values[1]) / (2 * step)).isCloseTo(norm, within(0.03 * norm));
            assertThat(squares(slopes.prompt().hiddenStates().toFloatArray())).isPositive();
        }
    }

    private static double squares(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += (double) value * value;
        }
        return sum;
    }

    @Test
    void anAdapterOfAnotherNetworkIsRefused() {
        AdaptableDenoiser adaptable = adaptable(spec("sd15").open(CONF));
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            assertThatThrownBy(() -> adaptable.with(new float[17], manager))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("must have rows of " + width(adaptable));
        }
    }
}
