package latentmix.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A small Stable Diffusion 2.1 with random weights from image to noise and back: every step by the formulas of
 * v-prediction.
 */
class StableDiffusion21RunTest {
    private static final int STEPS = 10;
    private static final int STRIDE = 1000 / STEPS;
    private static final double[] ALPHAS_CUMPROD =
            Golden.open("schedulers-ddim").doubles("sd21-v.alphas_cumprod");

    @TempDir
    Path folder;

    /** Level of a timestep; before the first one lies that of timestep 0. */
    private static double alpha(int timestep) {
        return ALPHAS_CUMPROD[Math.max(timestep, 0)];
    }

    /** x at the second level from x and v at the first. */
    private static float[] step(float[] x, float[] v, double from, double to) {
        float[] next = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            double x0 = Math.sqrt(from) * x[i] - Math.sqrt(1 - from) * v[i];
            double epsilon = Math.sqrt(from) * v[i] + Math.sqrt(1 - from) * x[i];
            next[i] = (float) (Math.sqrt(to) * x0 + Math.sqrt(1 - to) * epsilon);
        }
        return next;
    }

    private static PromptEmbeds embeds(CheckpointFolder checkpoint, String prompt, NDManager manager) {
        try (TextEncoder encoder = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            TextEncoder.Embeds embeds = encoder.encode(prompt);
            return PromptEmbeds.of(manager.create(embeds.values(), new Shape(1, embeds.tokens(), embeds.width())));
        }
    }

    @Test
    void anImageGoesToNoiseAndBackByTheFormulasOfVPrediction() throws IOException {
        CheckpointFolder checkpoint = CheckpointFolder.open(GoldenCheckpoints.stableDiffusion21(folder));
        Models.check(checkpoint);
        Scheduler scheduler = Scheduler.of(checkpoint.schedulerConfig());
        try (NDManager owner = NDManager.newBaseManager(Device.cpu());
                Vae encoder = Models.encoder(checkpoint, Device.cpu(), Dtype.FLOAT32);
                Vae decoder = Models.decoder(checkpoint, Device.cpu(), Dtype.FLOAT32);
                Denoiser unet = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            PromptEmbeds prompt = embeds(checkpoint, "w5 w17 w200", owner);
            PromptEmbeds none = embeds(checkpoint, "", owner);
            NDArray latents = encoder.encode(Golden.open("vae-sd15").array(owner, "sq.image"));

            List<float[]> trace = new ArrayList<>(List.of(latents.toFloatArray()));
            NDArray noise = new DdimInversion(scheduler, STEPS, Guidance.NONE)
                    .with(unet)
                    .run(latents, prompt, none, (i, v, x) -> {
                        int timestep = 1 + i * STRIDE;
                        check(trace, v, x, alpha(timestep - STRIDE), alpha(timestep));
                    });
            assertThat(trace).hasSize(STEPS + 1);

            trace.clear();
            trace.add(noise.toFloatArray());
            NDArray back = new DenoisingLoop(scheduler.sampling(STEPS), unet, new Guidance(7.5))
                    .run(noise, prompt, none, (i, v, x) -> {
                        int timestep = 1 + (STEPS - 1 - i) * STRIDE;
                        check(trace, v, x, alpha(timestep), alpha(timestep - STRIDE));
                    });
            assertThat(trace).hasSize(STEPS + 1);
            assertThat(decoder.decode(back).getShape()).isEqualTo(new Shape(1, 3, 64, 64));
        }
    }

    /** The new latents are the step from the trace's last with the given v; they are added to it. */
    private static void check(List<float[]> trace, NDArray v, NDArray x, double from, double to) {
        float[] expected = step(trace.get(trace.size() - 1), v.toFloatArray(), from, to);
        Golden.assertForward("latents " + trace.size(), x.toFloatArray(), expected);
        trace.add(x.toFloatArray());
    }
}
