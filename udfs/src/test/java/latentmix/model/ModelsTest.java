package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.Golden;
import latentmix.architecture.Part;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelsTest {
    private static final CheckpointFolder FASHION = CheckpointFolder.open(BuiltIn.FASHION.folder());

    private static float[] noise(int size) {
        Random random = new Random(1);
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** The U-Net's output for the first rows of a fixed batch, by a manager of its own. */
    private static float[] predict(int rows) {
        try (NDManager manager = NDManager.newBaseManager();
                Denoiser denoiser = Models.denoiser(FASHION, Device.cpu(), Dtype.FLOAT32)) {
            NDArray sample = manager.create(noise(rows * 256), new Shape(rows, 4, 8, 8));
            NDArray prompt =
                    manager.create(noise(16 * 64), new Shape(1, 16, 64)).repeat(0, rows);
            return denoiser.predict(sample, 481, PromptEmbeds.of(prompt)).toFloatArray();
        }
    }

    @Test
    void theModelInColoursPartsLoadAndFitTogether() {
        CheckpointFolder emoji = CheckpointFolder.open(BuiltIn.EMOJI.folder());
        Models.check(emoji);
        assertThat(Models.imageSize(emoji)).isEqualTo(64);
        assertThat(Models.latentShape(emoji)).isEqualTo(new latentmix.latent.Shape(8, 8, 8));
        TextEncoder.Embeds embeds;
        try (TextEncoder text = Models.textEncoder(emoji, Device.cpu(), Dtype.FLOAT32)) {
            embeds = text.encode("an emoji of a fox");
        }
        try (NDManager manager = NDManager.newBaseManager();
                Denoiser denoiser = Models.denoiser(emoji, Device.cpu(), Dtype.FLOAT32);
                Vae decoder = Models.decoder(emoji, Device.cpu(), Dtype.FLOAT32)) {
            NDArray latents = manager.zeros(new Shape(1, 8, 8, 8));
            NDArray prompt = manager.create(embeds.values(), new Shape(1, embeds.tokens(), embeds.width()));
            NDArray images = decoder.decode(denoiser.predict(latents, 500, PromptEmbeds.of(prompt)));
            assertThat(images.getShape()).isEqualTo(new Shape(1, 3, 64, 64));
            assertThat(images.toFloatArray()).doesNotContain(Float.NaN);
        }
    }

    @Test
    void theBuiltInModelsPartsLoadAndGiveWhatTheirInterfacesSay() {
        Models.check(FASHION);
        assertThat(Models.imageSize(FASHION)).isEqualTo(32);
        assertThat(Models.latentShape(FASHION)).isEqualTo(new latentmix.latent.Shape(4, 8, 8));
        TextEncoder.Embeds embeds;
        try (TextEncoder text = Models.textEncoder(FASHION, Device.cpu(), Dtype.FLOAT32)) {
            embeds = text.encode("a photo of a coat");
        }
        try (NDManager manager = NDManager.newBaseManager();
                Vae encoder = Models.encoder(FASHION, Device.cpu(), Dtype.FLOAT32);
                Denoiser denoiser = Models.denoiser(FASHION, Device.cpu(), Dtype.FLOAT32);
                Vae decoder = Models.decoder(FASHION, Device.cpu(), Dtype.FLOAT32)) {
            NDArray latents = encoder.encode(manager.zeros(new Shape(2, 3, 32, 32)));
            NDArray prompt = manager.create(embeds.values(), new Shape(1, embeds.tokens(), embeds.width()));
            NDArray output = denoiser.predict(latents, 500, PromptEmbeds.of(prompt.repeat(0, 2)));
            NDArray images = decoder.decode(output);
            assertThat(latents.getShape()).isEqualTo(new Shape(2, 4, 8, 8));
            assertThat(output.getShape()).isEqualTo(new Shape(2, 4, 8, 8));
            assertThat(images.getShape()).isEqualTo(new Shape(2, 3, 32, 32));
            assertThat(images.toFloatArray()).doesNotContain(Float.NaN);
            assertThat(output.getManager()).isSameAs(latents.getManager()).isSameAs(manager);
            assertThat(denoiser.latentShape()).isEqualTo(Models.latentShape(FASHION));
            assertThatThrownBy(() -> encoder.decode(latents)).hasMessageContaining("Models.decoder");
            assertThatThrownBy(() -> decoder.encode(images)).hasMessageContaining("Models.encoder");
        }
    }

    @Test
    void theUNetOfAnotherPipelineIsRefusedByWhatItTakes(@TempDir Path folder) throws IOException {
        Path builtIn = BuiltIn.FASHION.folder();
        for (String component : List.of("scheduler", "text_encoder", "tokenizer", "vae")) {
            copy(builtIn.resolve(component), folder.resolve(component));
        }
        copy(Golden.folder("unet-sdxl"), folder.resolve("unet"));
        Files.delete(folder.resolve("unet/golden.safetensors"));
        Files.copy(builtIn.resolve("model_index.json"), folder.resolve("model_index.json"));
        CheckpointFolder checkpoint = CheckpointFolder.open(folder);
        assertThatThrownBy(() -> Models.check(checkpoint))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("StableDiffusionPipeline cannot take text_embeds and time_ids");
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    @Test
    void theSameBatchGivesTheSameBytesAtEveryCallAndOnEveryThread() throws Exception {
        float[] once = predict(32);
        assertThat(predict(32)).isEqualTo(once);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            List<Future<float[]>> others = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                others.add(threads.submit(() -> predict(32)));
            }
            for (Future<float[]> other : others) {
                assertThat(other.get()).isEqualTo(once);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void anotherBatchSizeGivesTheSameUpToRounding() {
        float[] batch = predict(32);
        float[] few = predict(3);
        Golden.assertForward("3 of 32 rows", few, java.util.Arrays.copyOf(batch, few.length));
    }

    @Test
    void bfloat16GivesTheSameToItsPrecision() {
        Golden golden = Golden.open("unet-sd15");
        try (NDManager manager = NDManager.newBaseManager();
                Network network =
                        Models.load(Golden.folder("unet-sd15"), Part.DENOISER, Device.cpu(), Dtype.BFLOAT16)) {
            float[] output = network.forward(
                            manager,
                            golden.array(manager, "t1.sample"),
                            manager.create(golden.longs("t1.timestep")[0]),
                            golden.array(manager, "t1.encoder_hidden_states"))
                    .singletonOrThrow()
                    .toFloatArray();
            float[] expected = golden.floats("t1.out");
            double squares = IntStream.range(0, output.length)
                    .mapToDouble(i -> Math.pow(output[i] - expected[i], 2))
                    .sum();
            double rms = Math.sqrt(squares / output.length);
            assertThat(rms).isBetween(1e-4, 0.02); // the outputs' rms is 0.59; 8 bits of precision
        }
    }

    @Test
    void float16IsRefusedOnTheCpuWithTheReason() {
        assertThatThrownBy(() -> Models.denoiser(FASHION, Device.cpu(), Dtype.FLOAT16))
                .hasMessageContaining("float16 needs a GPU")
                .hasMessageContaining("choose float32 or bfloat16");
    }

    @Test
    void dtypesAreReadByTheirNames() {
        assertThat(Dtype.parse("bfloat16")).isEqualTo(Dtype.BFLOAT16);
        assertThatThrownBy(() -> Dtype.parse("fp16"))
                .hasMessageContaining("must be one of [float32, bfloat16, float16], cannot be: fp16");
    }
}
