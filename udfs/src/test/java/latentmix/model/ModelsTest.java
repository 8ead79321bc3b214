package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
import org.junit.jupiter.api.Test;

class ModelsTest {
    private static final CheckpointFolder FASHION = CheckpointFolder.open(BuiltIn.FASHION.folder());

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
            NDArray output = denoiser.predict(latents, 500, prompt.repeat(0, 2));
            NDArray images = decoder.decode(output);
            assertThat(latents.getShape()).isEqualTo(new Shape(2, 4, 8, 8));
            assertThat(output.getShape()).isEqualTo(new Shape(2, 4, 8, 8));
            assertThat(images.getShape()).isEqualTo(new Shape(2, 3, 32, 32));
            assertThat(images.toFloatArray()).doesNotContain(Float.NaN);
            assertThat(denoiser.latentShape()).isEqualTo(Models.latentShape(FASHION));
        }
    }

    @Test
    void float16IsRefusedOnTheCpuWithTheReason() {
        assertThatThrownBy(() -> Models.denoiser(FASHION, Device.cpu(), Dtype.FLOAT16))
                .hasMessageContaining("float16 needs a GPU")
                .hasMessageContaining("choose float32 or bfloat16");
    }
}
