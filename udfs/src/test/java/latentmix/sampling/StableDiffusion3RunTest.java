package latentmix.sampling;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import latentmix.Golden;
import latentmix.GoldenCheckpoints;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.model.Denoiser;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.PromptEmbeds;
import latentmix.model.Vae;
import latentmix.schedule.Step;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A small Stable Diffusion 3.5 with random weights from noise to image against diffusers: golden/e2e-sd3, whose prompts
 * {@code StableDiffusion3Test} encodes.
 */
class StableDiffusion3RunTest {
    private static final Golden PIPELINE = Golden.open("e2e-sd3");

    @TempDir
    Path folder;

    /** Euler's x += (σ' - σ) v over the golden's sigmas. */
    private static List<Step> table() {
        double[] sigmas = PIPELINE.doubles("sigmas_8");
        double[] timesteps = PIPELINE.doubles("timesteps_8");
        return IntStream.range(0, timesteps.length)
                .mapToObj(i -> Step.of(timesteps[i], 1, sigmas[i + 1] - sigmas[i]))
                .toList();
    }

    private static PromptEmbeds embeds(String prefix, NDManager manager) {
        return PromptEmbeds.of(
                PIPELINE.array(manager, prefix + "prompt_embeds"),
                PIPELINE.array(manager, prefix + "pooled_prompt_embeds"));
    }

    @ParameterizedTest
    @CsvSource({"gen.g1, 1", "gen.g4.5, 4.5"})
    void aPromptAndNoiseMakeTheImageThatDiffusersMakes(String run, double scale) throws IOException {
        CheckpointFolder checkpoint = CheckpointFolder.open(GoldenCheckpoints.stableDiffusion3(folder));
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                Denoiser transformer = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
                Vae decoder = Models.decoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            NDArray latents = new DenoisingLoop(table(), transformer, new Guidance(scale))
                    .run(
                            PIPELINE.array(manager, "latents_T"),
                            embeds("", manager),
                            embeds("negative_", manager),
                            (step, output, next) -> {
                                String name = run + ".latent_" + step;
                                Golden.assertTrace(name, next.toFloatArray(), PIPELINE.floats(name));
                            });
            NDArray image = decoder.decode(latents);
            Golden.assertTrace(run + ".decoded", image.toFloatArray(), PIPELINE.floats(run + ".decoded"));
            NDArray unit = image.div(2).addi(0.5).clip(0, 1);
            Golden.assertTrace(run + ".image01", unit.toFloatArray(), PIPELINE.floats(run + ".image01"));
        }
    }
}
