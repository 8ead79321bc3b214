package latentmix.sampling;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import latentmix.Golden;
import latentmix.GoldenCheckpoints;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.model.Denoiser;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.PromptEmbeds;
import latentmix.model.Vae;
import latentmix.schedule.Scheduler;
import latentmix.schedule.Solver;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A small Stable Diffusion 3.5 with random weights against diffusers: from noise to image (golden/e2e-sd3, whose
 * prompts {@code StableDiffusion3Test} encodes), and both ways along its flow (golden/schedulers-flow).
 */
class StableDiffusion3RunTest {
    private static final Golden PIPELINE = Golden.open("e2e-sd3");
    private static final Golden TRACES = Golden.open("schedulers-flow");

    @TempDir
    Path folder;

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
            NDArray latents = new DenoisingLoop(
                            Scheduler.of(checkpoint.schedulerConfig()).sampling(8), transformer, new Guidance(scale))
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

    @ParameterizedTest
    @CsvSource({"sample_g1, 1", "sample_g4.5, 4.5"})
    void everyStepFromNoiseIsThatOfDiffusers(String trace, double scale) throws IOException {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
            run(trace, "euler", TRACES.array(manager, "noise"), scale, manager);
        }
    }

    @ParameterizedTest
    @CsvSource({"invert_source10, euler", "invert_target10, euler-at-target"})
    void everyStepToNoiseAndBackIsThatOfTheReference(String trace, String solver) throws IOException {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
            NDArray noise = run(trace, solver, TRACES.array(manager, "x0"), 1, manager);
            run(trace + "_then_sample", solver, noise, 1, manager);
        }
    }

    /** Runs a trace of golden/schedulers-flow, each of whose latents is held to its own. */
    private NDArray run(String trace, String solver, NDArray start, double scale, NDManager manager)
            throws IOException {
        Path assembled = folder.resolve("model_index.json").toFile().exists()
                ? folder
                : GoldenCheckpoints.stableDiffusion3(folder);
        CheckpointFolder checkpoint = CheckpointFolder.open(assembled);
        Scheduler scheduler = Scheduler.of(checkpoint.schedulerConfig(), Solver.parse(solver));
        int steps = TRACES.names(Pattern.quote(trace) + "\\.\\d+\\.latent").size();
        PromptEmbeds conditional = PromptEmbeds.of(TRACES.array(manager, "cond"), TRACES.array(manager, "pooled"));
        PromptEmbeds unconditional =
                PromptEmbeds.of(TRACES.array(manager, "uncond"), TRACES.array(manager, "uncond_pooled"));
        try (Denoiser transformer = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            return new DenoisingLoop(
                            trace.matches("invert_[a-z]+10") ? scheduler.inversion(steps) : scheduler.sampling(steps),
                            transformer,
                            new Guidance(scale))
                    .run(start, conditional, unconditional, (step, output, next) -> {
                        String name = trace + "." + step + ".latent";
                        Golden.assertTrace(name, next.toFloatArray(), TRACES.floats(name));
                    });
        }
    }
}
