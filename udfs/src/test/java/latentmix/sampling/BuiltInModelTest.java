package latentmix.sampling;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import latentmix.Golden;
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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The built-in model, 50 steps both ways, against diffusers: golden/fashion-ldm. */
class BuiltInModelTest {
    private static final Golden GOLDEN = Golden.open("fashion-ldm");
    private static final List<String> CLASSES = List.of(
            "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot");

    private final CheckpointFolder checkpoint = CheckpointFolder.open(Golden.folder("fashion-ldm"));
    private final Scheduler scheduler = Scheduler.of(checkpoint.schedulerConfig());
    private NDManager manager;

    @BeforeEach
    void openManager() {
        manager = NDManager.newBaseManager(Device.cpu());
    }

    @AfterEach
    void closeManager() {
        manager.close();
    }

    @Test
    void tenPromptsAndNoisesMakeTheImagesThatDiffusersMakes() {
        PromptEmbeds conditional = embeds("a photo of a ");
        PromptEmbeds unconditional = PromptEmbeds.of(GOLDEN.array(manager, "negative_prompt_embeds"));
        Golden.assertForward("prompts", conditional.hiddenStates().toFloatArray(), GOLDEN.floats("prompt_embeds"));

        NDArray latents = sample(GOLDEN.array(manager, "gen.latents_T"), 2, conditional, unconditional);

        Golden.assertTrace("gen.latents_0", latents.toFloatArray(), GOLDEN.floats("gen.latents_0"));
        Golden.assertTrace("gen.decoded", decode(latents).toFloatArray(), GOLDEN.floats("gen.decoded"));
    }

    @Test
    void tenImagesInvertToTheNoiseThatDiffusersFindsAndComeBack() {
        PromptEmbeds conditional = PromptEmbeds.of(GOLDEN.array(manager, "prompt_embeds"));
        NDArray grey = manager.create(GOLDEN.ints("inv.image_u8"), new Shape(10, 1, 32, 32))
                .toType(DataType.FLOAT32, false)
                .div(127.5)
                .subi(1);

        NDArray latents;
        try (Vae encoder = Models.encoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            latents = encoder.encode(grey.repeat(1, 3));
        }
        Golden.assertForward("inv.latents_0", latents.toFloatArray(), GOLDEN.floats("inv.latents_0"));

        NDArray noise;
        try (Denoiser unet = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            noise = new DdimInversion(scheduler, 50, Guidance.NONE).with(unet).run(latents, conditional, conditional);
        }
        Golden.assertTrace("inv.latents_T", noise.toFloatArray(), GOLDEN.floats("inv.latents_T"));

        NDArray back = sample(noise, 1, conditional, conditional);
        Golden.assertTrace("inv.recon_latents", back.toFloatArray(), GOLDEN.floats("inv.recon_latents"));
        Golden.assertTrace("inv.recon_decoded", decode(back).toFloatArray(), GOLDEN.floats("inv.recon_decoded"));
    }

    /** (10, L, width). */
    private PromptEmbeds embeds(String prefix) {
        try (TextEncoder encoder = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            return CLASSES.stream()
                    .map(name -> encoder.encode(prefix + name))
                    .map(embeds -> PromptEmbeds.of(
                            manager.create(embeds.values(), new Shape(1, embeds.tokens(), embeds.width()))))
                    .reduce(PromptEmbeds::concat)
                    .orElseThrow();
        }
    }

    private NDArray sample(NDArray noise, double scale, PromptEmbeds conditional, PromptEmbeds unconditional) {
        try (Denoiser unet = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            return new DenoisingLoop(scheduler.sampling(50), unet, new Guidance(scale))
                    .run(noise, conditional, unconditional);
        }
    }

    private NDArray decode(NDArray latents) {
        try (Vae decoder = Models.decoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            return decoder.decode(latents);
        }
    }
}
