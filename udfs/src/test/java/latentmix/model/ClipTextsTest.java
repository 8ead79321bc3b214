package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import latentmix.Golden;
import latentmix.GoldenCheckpoints;
import latentmix.architecture.Part;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClipTextsTest {
    @TempDir
    Path folder;

    /** A published folder has one config, one file of weights and the tokenizer. */
    private Path both() throws IOException {
        String text = Files.readString(Golden.folder("clip-text-proj-l").resolve("config.json"))
                .replace("CLIPTextModelWithProjection", "CLIPTextModel")
                .replace("\"projection_dim\": 16", "\"projection_dim\": 512"); // there it has no meaning
        Files.writeString(
                folder.resolve("config.json"),
                "{\"architectures\": [\"CLIPModel\"], \"projection_dim\": 16, \"text_config\": " + text + "}");
        Tensors.of(Golden.folder("clip-text-proj-l").resolve("model.safetensors"))
                .put("vision_model.post_layernorm.bias", List.of(1L), 0)
                .put("visual_projection.weight", List.of(1L, 1L), 0)
                .put("logit_scale", List.of(), 0)
                .write(folder.resolve("model.safetensors"));
        GoldenCheckpoints.clipTokenizer(folder, "w299");
        return folder;
    }

    @Test
    void aTextsEmbeddingIsThatOfTheTextModelAlone() throws IOException {
        List<String> texts = List.of(GoldenCheckpoints.PROMPT, "w5 w17");
        try (ClipTexts clip = new ClipTexts(both(), Device.cpu());
                Tokenizer tokenizer = ClipTokenizer.open(folder);
                Network alone =
                        Models.load(Golden.folder("clip-text-proj-l"), Part.TEXT_ENCODER, Device.cpu(), Dtype.FLOAT32);
                PromptNetwork expected = new PromptNetwork(tokenizer, alone, Device.cpu(), () -> {});
                NDManager manager = NDManager.newBaseManager()) {
            List<float[]> embeds = clip.embeds(texts);
            assertThat(embeds).hasSize(2);
            for (int i = 0; i < texts.size(); i++) {
                assertThat(embeds.get(i))
                        .hasSize(16)
                        .isEqualTo(
                                expected.forward(texts.get(i), manager).get(1).toFloatArray());
            }
            assertThat(embeds.get(0)).isNotEqualTo(embeds.get(1));
        }
    }

    @Test
    void aFolderOfTheVisionModelAloneIsRefused() throws IOException {
        both();
        Files.copy(
                Golden.folder("clip-vision").resolve("config.json"),
                folder.resolve("config.json"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        assertThatThrownBy(() -> ClipTexts.compile(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(
                        "the architecture must be CLIPModel, whose folder has both of CLIP's models, cannot"
                                + " be: CLIPVisionModelWithProjection");
    }
}
