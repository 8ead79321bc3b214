package latentmix.model;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import latentmix.Golden;
import latentmix.GoldenCheckpoints;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A small Stable Diffusion 2.1 with random weights as a whole checkpoint. */
class StableDiffusion21Test {
    @TempDir
    Path folder;

    @Test
    void itsPromptsAreTheLastHiddenStatesOfItsEncoderWithExactGelu() throws IOException {
        CheckpointFolder checkpoint = CheckpointFolder.open(GoldenCheckpoints.stableDiffusion21(folder));
        Models.check(checkpoint);
        Golden golden = Golden.open("clip-text-proj-g");
        long[] ids = golden.longs("pad0.input_ids");
        StringBuilder prompt = new StringBuilder();
        for (int i = 1; ids[i] != 299; i++) {
            prompt.append("w").append(ids[i]).append(" ");
        }
        try (TextEncoder encoder = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            float[] expected = Arrays.copyOf(golden.floats("pad0.last_hidden_state"), 77 * 40);
            Golden.assertForward("prompt", encoder.encode(prompt.toString()).values(), expected);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            unet/config.json      | "cross_attention_dim": 48 \
                | cross_attention_dim of the U-Net must be the text encoder's hidden_size, 40, cannot be: 48 \
                | take all components from one checkpoint
            vae/config.json       | "latent_channels": 16 \
                | of the unet must be the autoencoder's latent_channels, 16, cannot be: 4 and 4 \
                | take all components from one checkpoint
            unet/config.json      | "in_channels": 9 \
                | must be the autoencoder's latent_channels, 4, cannot be: 9, as of a model that takes more \
                | those for inpainting, depth and editing are not supported
            scheduler/scheduler_config.json | "_class_name": "FlowMatchEulerDiscreteScheduler" \
                | such as DDIMScheduler, cannot be: FlowMatchEulerDiscreteScheduler \
                | take the scheduler of the checkpoint that the network is of
            scheduler/scheduler_config.json | "prediction_type": "flow_prediction" \
                | cannot be: DDIMScheduler of prediction_type flow_prediction \
                | take the scheduler of the checkpoint that the network is of
            """)
    void partsThatDoNotFitAreRefused(String file, String values, String message, String remedy) throws IOException {
        GoldenCheckpoints.edit(GoldenCheckpoints.stableDiffusion21(folder).resolve(file), "{" + values + "}");
        CheckpointFolder checkpoint = CheckpointFolder.open(folder);
        assertThatThrownBy(() -> Models.checkParts(checkpoint))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(message)
                .hasMessageEndingWith(remedy);
    }
}
