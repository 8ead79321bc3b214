package latentmix.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.ObjectMapper;
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
import latentmix.model.Vae;
import latentmix.schedule.Scheduler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whole runs of a small Stable Diffusion 1.5 with random weights against diffusers: golden/schedulers-ddim and
 * golden/e2e-sd15.
 */
class StableDiffusionTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Golden TRACES = Golden.open("schedulers-ddim");
    private static final Golden PIPELINE = Golden.open("e2e-sd15");

    @TempDir
    private static Path directory;

    private static CheckpointFolder checkpoint;

    private NDManager manager;

    @BeforeAll
    static void assembleCheckpoint() throws IOException {
        checkpoint = CheckpointFolder.open(GoldenCheckpoints.stableDiffusion15(directory));
    }

    @BeforeEach
    void openManager() {
        manager = NDManager.newBaseManager(Device.cpu());
    }

    @AfterEach
    void closeManager() {
        manager.close();
    }

    static List<String> traces() {
        return TRACES.names(".*\\.0\\.model_out").stream()
                .map(name -> name.replace(".0.model_out", ""))
                .toList();
    }

    /** The network's output is read as v in the variants of v-prediction. */
    @ParameterizedTest
    @MethodSource("traces")
    void everyStepOfATraceIsThatOfDiffusers(String trace) throws IOException {
        String variant = trace.substring(0, trace.indexOf('.'));
        boolean inverts = trace.contains(".invert_");
        Guidance guidance = new Guidance(Double.parseDouble(trace.substring(trace.indexOf("_g") + 2)));
        Scheduler scheduler = Scheduler.of(JSON.readTree(Golden.folder("schedulers-ddim")
                .resolve(variant + "/scheduler/scheduler_config.json")
                .toFile()));
        NDArray start = TRACES.array(manager, inverts ? "x0" : variant + ".invert_g1.9.latent");

        try (Denoiser unet = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            DenoisingLoop loop = inverts
                    ? new DdimInversion(scheduler, 10, guidance).with(unet)
                    : new DenoisingLoop(scheduler.sampling(10), unet, guidance);
            PromptEmbeds conditional = PromptEmbeds.of(TRACES.array(manager, "cond"));
            PromptEmbeds unconditional = PromptEmbeds.of(TRACES.array(manager, "uncond"));
            loop.run(start, conditional, unconditional, (step, output, latents) -> {
                String name = trace + "." + step;
                Golden.assertTrace(name, output.toFloatArray(), TRACES.floats(name + ".model_out"));
                Golden.assertTrace(name, latents.toFloatArray(), TRACES.floats(name + ".latent"));
            });
        }
    }

    @ParameterizedTest
    @CsvSource({"gen.g1, 1", "gen.g7.5, 7.5"})
    void aPromptAndNoiseMakeTheImageThatDiffusersMakes(String run, double scale) {
        PromptEmbeds conditional = embeds("w5 w17 w17 w200 w43");
        PromptEmbeds unconditional = embeds("");
        Golden.assertForward("prompt", conditional.hiddenStates().toFloatArray(), PIPELINE.floats("prompt_embeds"));
        Golden.assertForward(
                "no prompt", unconditional.hiddenStates().toFloatArray(), PIPELINE.floats("negative_prompt_embeds"));

        NDArray latents = sample(PIPELINE.array(manager, "latents_T"), scale, conditional, unconditional, run);
        NDArray image = decode(latents);

        Golden.assertTrace(run + ".decoded", image.toFloatArray(), PIPELINE.floats(run + ".decoded"));
        Golden.assertTrace(run + ".image01", unit(image).toFloatArray(), PIPELINE.floats(run + ".image01"));
        assertBytes(run + ".image_u8", image);
    }

    @Test
    void anImageInvertsToTheNoiseThatDiffusersFindsAndComesBack() {
        PromptEmbeds conditional = embeds("w5 w17 w17 w200 w43");
        NDArray image = PIPELINE.array(manager, "inv.image");
        DdimInversion inversion = new DdimInversion(scheduler(), 10, Guidance.NONE);

        NDArray latents;
        try (Vae encoder = Models.encoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            latents = encoder.encode(image);
        }
        Golden.assertForward("inv.latents_0", latents.toFloatArray(), PIPELINE.floats("inv.latents_0"));
        Golden.assertForward("inv.vae_recon", decode(latents).toFloatArray(), PIPELINE.floats("inv.vae_recon"));

        NDArray noise;
        try (Denoiser unet = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            noise = inversion.with(unet).run(latents, conditional, conditional, observer("inv"));
        }
        NDArray back = sample(noise, 1, conditional, conditional, "");

        Golden.assertTrace("inv.recon_latents", back.toFloatArray(), PIPELINE.floats("inv.recon_latents"));
        Golden.assertTrace(
                "inv.recon_image01", unit(decode(back)).toFloatArray(), PIPELINE.floats("inv.recon_image01"));
    }

    private PromptEmbeds embeds(String prompt) {
        try (TextEncoder encoder = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            TextEncoder.Embeds embeds = encoder.encode(prompt);
            NDArray hiddenStates = manager.create(embeds.values(), new Shape(1, embeds.tokens(), embeds.width()));
            return PromptEmbeds.of(hiddenStates);
        }
    }

    private NDArray sample(
            NDArray noise, double scale, PromptEmbeds conditional, PromptEmbeds unconditional, String run) {
        try (Denoiser unet = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            return new DenoisingLoop(scheduler().sampling(10), unet, new Guidance(scale))
                    .run(noise, conditional, unconditional, observer(run));
        }
    }

    private static DenoisingLoop.Observer observer(String run) {
        return (step, output, latents) -> {
            String name = run + ".latent_" + step;
            if (!run.isEmpty()) {
                Golden.assertTrace(name, latents.toFloatArray(), PIPELINE.floats(name));
            }
        };
    }

    private NDArray decode(NDArray latents) {
        try (Vae decoder = Models.decoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            return decoder.decode(latents);
        }
    }

    private static Scheduler scheduler() {
        return Scheduler.of(checkpoint.schedulerConfig());
    }

    private static NDArray unit(NDArray image) {
        return image.div(2).addi(0.5).clip(0, 1);
    }

    /** Bytes (1, H, W, 3) may differ by one where x · 255 is near a half. */
    private static void assertBytes(String name, NDArray image) {
        int[] bytes = unit(image)
                .transpose(0, 2, 3, 1)
                .mul(255)
                .round()
                .toType(DataType.INT32, false)
                .toIntArray();
        int[] expected = PIPELINE.ints(name);
        assertThat(bytes).as(name).hasSameSizeAs(expected);
        for (int i = 0; i < bytes.length; i++) {
            assertThat(Math.abs(bytes[i] - expected[i]))
                    .as("%s, byte %d", name, i)
                    .isLessThanOrEqualTo(1);
        }
    }
}
