package latentmix.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import latentmix.Golden;
import latentmix.GoldenCheckpoints;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.inversion.DdimInversion;
import latentmix.model.Denoiser;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.PromptEmbeds;
import latentmix.model.TextEncoder;
import latentmix.model.TimeIds;
import latentmix.model.Vae;
import latentmix.schedule.Scheduler;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A small Stable Diffusion XL with random weights against diffusers (golden/e2e-sdxl): from a prompt and noise to an
 * image, and from an image to its noise.
 */
class StableDiffusionXLRunTest {
    private static final Golden PIPELINE = Golden.open("e2e-sdxl");
    private static final String PROMPT = "w5 w17 w17 w200 w43";
    private static final int STEPS = 10;

    @TempDir
    private static Path directory;

    private static CheckpointFolder checkpoint;

    @BeforeAll
    static void assembleCheckpoint() throws IOException {
        checkpoint = CheckpointFolder.open(GoldenCheckpoints.stableDiffusionXl(directory));
        Models.check(checkpoint);
    }

    private static PromptEmbeds embeds(String prompt, NDManager manager) {
        try (TextEncoder encoder = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            return encoder.encode(prompt).onto(manager);
        }
    }

    /** The first says no size, so that the images are told to be 64 pixels high and 48 wide. */
    @ParameterizedTest
    @CsvSource({"gen.g5, 5, ''", "gen.told, 2, w91 w8"})
    void aPromptAndNoiseMakeTheImageThatDiffusersMakes(String run, double scale, String negative) {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                Denoiser unet = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
                Vae decoder = Models.decoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            PromptEmbeds conditional = embeds(PROMPT, manager);
            PromptEmbeds unconditional = embeds(negative, manager);
            if (!negative.isEmpty()) {
                List<TimeIds> sizes = List.of(new TimeIds(90, 41, 7, 3, 64, 48));
                conditional = unet.sized(conditional, sizes, manager);
                unconditional = unet.sized(unconditional, sizes, manager);
            }
            NDArray latents = new DenoisingLoop(
                            Scheduler.of(checkpoint.schedulerConfig()).sampling(STEPS), unet, new Guidance(scale))
                    .run(PIPELINE.array(manager, "noise"), conditional, unconditional, (step, output, next) -> {
                        String name = run + ".latent_" + step;
                        Golden.assertTrace(name, next.toFloatArray(), PIPELINE.floats(name));
                    });
            Golden.assertTrace(
                    run + ".decoded", decoder.decode(latents).toFloatArray(), PIPELINE.floats(run + ".decoded"));
        }
    }

    /** Turbo and Lightning are sampled so: Euler's steps from a noisy level to a less noisy one are DDIM's. */
    @Test
    void fourTrailingStepsWithoutGuidanceEndWhereEulersDo() {
        ObjectNode config = checkpoint.schedulerConfig().deepCopy();
        config.put("timestep_spacing", "trailing").put("set_alpha_to_one", true);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                Denoiser unet = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            PromptEmbeds prompt = embeds(PROMPT, manager);
            NDArray latents = new DenoisingLoop(Scheduler.of(config).sampling(4), unet, Guidance.NONE)
                    .run(PIPELINE.array(manager, "noise"), prompt, prompt);
            Golden.assertTrace("few.final", latents.toFloatArray(), PIPELINE.floats("few.final"));
        }
    }

    /** The middle of an image of 96 × 70 pixels, which the network is told. */
    @Test
    void anImageBecomesTheNoiseThatDiffusersFinds() {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                Denoiser unet = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
                Vae encoder = Models.encoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            PromptEmbeds prompt = embeds(PROMPT, manager);
            PromptEmbeds sized = unet.sized(prompt, List.of(TimeIds.square(96, 70, 64)), manager);
            assertThat(sized.arrays().get(2).toFloatArray()).isEqualTo(PIPELINE.floats("invert.time_ids"));
            NDArray latents = encoder.encode(PIPELINE.array(manager, "image"));
            Golden.assertForward("latents", latents.toFloatArray(), PIPELINE.floats("invert.latents"));
            DdimInversion inversion =
                    new DdimInversion(Scheduler.of(checkpoint.schedulerConfig()), STEPS, Guidance.NONE);
            NDArray noise = inversion.with(unet).run(latents, sized, sized, (step, output, next) -> {
                String name = "invert.latent_" + step;
                Golden.assertTrace(name, next.toFloatArray(), PIPELINE.floats(name));
            });
            NDArray untold = inversion.with(unet).run(latents, prompt, prompt);
            assertThat(noise.sub(untold).abs().max().getFloat()).isGreaterThan(1e-2f);
        }
    }
}
