package latentmix.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import latentmix.Golden;
import latentmix.GoldenCheckpoints;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.inversion.DdimInversion;
import latentmix.model.Denoiser;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.PromptEmbeds;
import latentmix.model.TextEncoder;
import latentmix.model.Vae;
import latentmix.schedule.Scheduler;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A small DiT with random weights against diffusers' DiTPipeline (golden/e2e-dit): from classes and noise to images,
 * and from an image to its noise.
 */
class DitRunTest {
    private static final Golden PIPELINE = Golden.open("e2e-dit");
    private static final int STEPS = 10;

    @TempDir
    private static Path directory;

    private static CheckpointFolder checkpoint;

    @BeforeAll
    static void assembleCheckpoint() throws IOException {
        checkpoint = CheckpointFolder.open(GoldenCheckpoints.dit(directory));
        Models.check(checkpoint);
    }

    private static PromptEmbeds embeds(String prompt, NDManager manager) {
        try (TextEncoder encoder = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            return encoder.encode(prompt).onto(manager);
        }
    }

    /** One class is told by a label and the other by its number. */
    private static PromptEmbeds classes(NDManager manager) {
        return embeds("seven", manager).concat(embeds("207", manager));
    }

    @Test
    void classesAndNoiseMakeTheImagesThatDiffusersMakes() {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                Denoiser transformer = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
                Vae decoder = Models.decoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            NDArray latents = new DenoisingLoop(
                            Scheduler.of(checkpoint.schedulerConfig()).sampling(STEPS), transformer, new Guidance(4))
                    .run(
                            PIPELINE.array(manager, "noise"),
                            classes(manager),
                            embeds("", manager),
                            (step, output, next) -> {
                                String name = "gen.latent_" + step;
                                Golden.assertTrace(name, next.toFloatArray(), PIPELINE.floats(name));
                            });
            float[] first = decoder.decode(latents.get("0:1")).clip(-1, 1).toFloatArray();
            Golden.assertTrace("gen.image", first, PIPELINE.floats("gen.image"));
        }
    }

    @Test
    void withoutGuidanceTheClassAloneIsTold() {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                Denoiser transformer = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            PromptEmbeds told = classes(manager);
            NDArray latents = new DenoisingLoop(
                            Scheduler.of(checkpoint.schedulerConfig()).sampling(STEPS), transformer, Guidance.NONE)
                    .run(PIPELINE.array(manager, "noise"), told, told);
            Golden.assertTrace("plain.latents", latents.toFloatArray(), PIPELINE.floats("plain.latents"));
        }
    }

    @Test
    void anImageBecomesTheNoiseThatDiffusersFinds() {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                Denoiser transformer = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
                Vae encoder = Models.encoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            NDArray latents = encoder.encode(PIPELINE.array(manager, "gen.image"));
            Golden.assertForward("latents", latents.toFloatArray(), PIPELINE.floats("invert.latents"));
            DdimInversion inversion =
                    new DdimInversion(Scheduler.of(checkpoint.schedulerConfig()), STEPS, Guidance.NONE);
            PromptEmbeds seven = embeds("7", manager);
            NDArray noise = inversion.with(transformer).run(latents, seven, seven, (step, output, next) -> {
                String name = "invert.latent_" + step;
                Golden.assertTrace(name, next.toFloatArray(), PIPELINE.floats(name));
            });
            PromptEmbeds none = embeds("", manager);
            NDArray untold = inversion.with(transformer).run(latents, none, none);
            assertThat(noise.sub(untold).abs().max().getFloat()).isGreaterThan(1e-2f);
        }
    }
}
