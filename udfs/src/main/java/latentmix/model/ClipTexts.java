package latentmix.model;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import latentmix.architecture.ClipTextModel;
import latentmix.architecture.Part;
import latentmix.checkpoint.CheckpointException;

/**
 * The text model of a folder of both of CLIP's models: its embeddings lie in the same space as those that the
 * {@link ImageEncoder} of the folder gives. The caller closes it.
 */
public final class ClipTexts implements AutoCloseable {
    private final PromptNetwork network;

    /**
     * Compiles the model, where that is not done, and loads it onto a device.
     *
     * @param folder with {@code config.json}, weights and CLIP's tokenizer beside each other, as they are published
     * @throws CheckpointException if it lacks one of them
     */
    public ClipTexts(Path folder, Device device) {
        Tokenizer tokenizer = ClipTokenizer.open(folder);
        try {
            Network loaded = Network.load(compile(folder), device);
            this.network = new PromptNetwork(tokenizer, loaded, device, loaded::close);
        } catch (RuntimeException | Error e) {
            tokenizer.close();
            throw e;
        }
    }

    /**
     * Compiles the model where that is not done.
     *
     * @throws CheckpointException if the folder does not have both models and a tokenizer
     */
    public static Path compile(Path folder) {
        ClipTokenizer.open(folder).close();
        ClipTextModel model = ClipTextModel.ofBoth(folder);
        return CompiledPrograms.of(folder, model, model.parts().get(Part.TEXT_ENCODER), Dtype.FLOAT32.elementType());
    }

    /** Transformers' {@code text_embeds} of each text, not normalised. */
    public List<float[]> embeds(List<String> texts) {
        List<float[]> embeds = new ArrayList<>();
        for (String text : texts) {
            try (NDManager manager = NDManager.newBaseManager(network.device())) {
                embeds.add(network.forward(text, manager).get(1).toFloatArray());
            }
        }
        return embeds;
    }

    @Override
    public void close() {
        network.close();
    }
}
