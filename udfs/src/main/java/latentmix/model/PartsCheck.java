package latentmix.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.SortedMap;
import latentmix.architecture.Architecture;
import latentmix.architecture.AutoencoderKL;
import latentmix.architecture.ClipTextModel;
import latentmix.architecture.DenoisingNetwork;
import latentmix.architecture.DiTTransformer2DModel;
import latentmix.architecture.SD3Transformer2DModel;
import latentmix.architecture.T5EncoderModel;
import latentmix.architecture.UNet2DConditionModel;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;

/** Checks that the parts of a checkpoint fit each other, by the widths and the purpose that their configs name. */
record PartsCheck(CheckpointFolder folder, DenoisingNetwork denoiser, AutoencoderKL vae) {
    /** Refuses a checkpoint whose parts do not fit. */
    void run() {
        int channels = vae.latentChannels();
        require(
                denoiser.inChannels() == channels || denoiser.inChannels() <= denoiser.outChannels(),
                "in_channels of the " + folder.denoiser() + " must be the autoencoder's latent_channels, " + channels
                        + ", cannot be: " + denoiser.inChannels() + ", as of a model that takes more than latents",
                "choose a checkpoint for text to image: those for inpainting, depth and editing are not supported");
        require(
                denoiser.inChannels() == channels && denoiser.outChannels() == channels,
                "in_channels and out_channels of the " + folder.denoiser()
                        + " must be the autoencoder's latent_channels, " + channels + ", cannot be: "
                        + denoiser.inChannels() + " and " + denoiser.outChannels());
        if (denoiser instanceof UNet2DConditionModel unet) {
            scheduler("a U-Net", "DDIMScheduler", !isFlow());
            boolean isXl = folder.isStableDiffusionXl();
            require(
                    unet.textTime().isPresent() == isXl,
                    "the U-Net of a " + folder.pipeline() + (isXl ? " must take" : " cannot take")
                            + " text_embeds and time_ids, but its addition_embed_type is: "
                            + (isXl ? "null" : "text_time"),
                    "take the model_index.json of the checkpoint that the U-Net is of");
            int width = isXl ? clip("").hiddenSize() + clip("_2").hiddenSize() : clip("").hiddenSize();
            for (int attended : unet.crossAttentionDims()) {
                require(
                        attended == width,
                        "cross_attention_dim of the U-Net must be "
                                + (isXl
                                        ? "the sum of the text encoders' hidden_size, "
                                        : "the text encoder's hidden_size, ")
                                + width + ", cannot be: " + attended);
            }
            if (isXl) {
                added(unet);
            }
        } else if (denoiser instanceof SD3Transformer2DModel transformer) {
            scheduler("a SD3Transformer2DModel", "FlowMatchEulerDiscreteScheduler", isFlow());
            texts(transformer);
        } else if (denoiser instanceof DiTTransformer2DModel dit) {
            require(
                    folder.isDit(),
                    "a DiTTransformer2DModel must be the transformer of a DiTPipeline, cannot be that of a "
                            + folder.pipeline());
            scheduler("a DiTTransformer2DModel", "DDIMScheduler", !isFlow());
            labels(dit);
        }
        tokenizers();
    }

    /** What Stable Diffusion XL's U-Net is told beside the prompt: a pooled embedding and numbers about a size. */
    private void added(UNet2DConditionModel unet) {
        int pooled = clip("_2").projection();
        require(
                pooled > 0,
                "text_encoder_2 must be of the architecture CLIPTextModelWithProjection",
                "correct architectures in its config.json if its weights have text_projection.weight");
        int width = unet.textTime().orElseThrow().width();
        int numbers = TimeIds.COUNT * unet.textTime().orElseThrow().numberWidth();
        require(
                width == pooled + numbers,
                "projection_class_embeddings_input_dim of the U-Net must be text_encoder_2's projection_dim, " + pooled
                        + ", and " + TimeIds.COUNT + " times addition_time_embed_dim, " + numbers + ", cannot be: "
                        + width,
                "take all components from one checkpoint that makes images of prompts");
    }

    private void texts(SD3Transformer2DModel transformer) {
        ClipTextModel l = clip("");
        ClipTextModel g = clip("_2");
        require(
                l.projection() > 0 && g.projection() > 0,
                "text_encoder and text_encoder_2 must be of the architecture CLIPTextModelWithProjection",
                "correct architectures in their config.json if their weights have text_projection.weight");
        int pooled = l.projection() + g.projection();
        require(
                transformer.pooledProjectionDim() == pooled,
                "pooled_projection_dim of the transformer must be the sum of the text encoders' projection_dim, "
                        + pooled + ", cannot be: " + transformer.pooledProjectionDim());
        int width = transformer.jointAttentionDim();
        require(
                l.hiddenSize() + g.hiddenSize() <= width,
                "joint_attention_dim of the transformer must be at least the sum of the CLIP encoders' hidden_size, "
                        + (l.hiddenSize() + g.hiddenSize()) + ", cannot be: " + width);
        if (folder.hasT5()) {
            int t5 = Models.architecture(folder.component("text_encoder_3"), T5EncoderModel.class)
                    .hiddenSize();
            require(
                    t5 == width,
                    "joint_attention_dim of the transformer must be text_encoder_3's d_model, " + t5 + ", cannot be: "
                            + width);
        }
    }

    /** What classes are called must be of classes that the network has. */
    private void labels(DiTTransformer2DModel dit) {
        SortedMap<Integer, String> labels = folder.labels();
        require(
                labels.isEmpty() || labels.lastKey() < dit.classes(),
                "the numbers of id2label must be below the transformer's num_embeds_ada_norm, " + dit.classes()
                        + ", but go up to: " + (labels.isEmpty() ? "" : labels.lastKey()),
                "take the model_index.json of the checkpoint that the transformer is of");
    }

    private ClipTextModel clip(String ending) {
        return Models.architecture(folder.component("text_encoder" + ending), ClipTextModel.class);
    }

    /** Whether the scheduler is made for a network that predicts a flow's velocity. */
    private boolean isFlow() {
        JsonNode config = folder.schedulerConfig();
        return config.path("_class_name").asText().startsWith("FlowMatch")
                || config.path("prediction_type").asText().equals("flow_prediction");
    }

    private void scheduler(String network, String usual, boolean fits) {
        String name = folder.schedulerConfig().path("_class_name").asText();
        String prediction = folder.schedulerConfig().path("prediction_type").asText("none");
        require(
                fits,
                "the scheduler of " + network + " must be one for what it predicts, such as " + usual + ", cannot be: "
                        + name + " of prediction_type " + prediction,
                "take the scheduler of the checkpoint that the network is of");
    }

    /** Opens every tokenizer, and refuses one whose ids or prompts are beyond its encoder. */
    private void tokenizers() {
        List<Tokenizer> tokenizers = Models.tokenizers(folder);
        try {
            for (int i = 0; i < tokenizers.size(); i++) {
                String name = folder.tokenizers().get(i);
                tokenizer(
                        name,
                        tokenizers.get(i),
                        Architecture.of(folder.component(name.replace("tokenizer", "text_encoder"))));
            }
        } finally {
            tokenizers.forEach(Tokenizer::close);
        }
    }

    private void tokenizer(String name, Tokenizer tokenizer, Architecture encoder) {
        if (encoder instanceof ClipTextModel clip) {
            require(
                    tokenizer.maxLength() <= clip.maxPositionEmbeddings(),
                    "model_max_length of " + name + " must be at most its text encoder's max_position_embeddings, "
                            + clip.maxPositionEmbeddings() + ", cannot be: " + tokenizer.maxLength(),
                    "correct it in " + name + "/tokenizer_config.json");
            vocabulary(name, tokenizer, clip.vocabSize());
        } else if (encoder instanceof T5EncoderModel t5) {
            vocabulary(name, tokenizer, t5.vocabSize());
        }
    }

    private void vocabulary(String name, Tokenizer tokenizer, int embeddings) {
        require(
                tokenizer.vocabSize() <= embeddings,
                "the ids of " + name + " must be below its text encoder's vocab_size, " + embeddings
                        + ", but go up to: " + (tokenizer.vocabSize() - 1));
    }

    /** What two components must agree on. */
    private void require(boolean holds, String message) {
        require(holds, message, "take all components from one checkpoint");
    }

    private void require(boolean holds, String message, String remedy) {
        if (!holds) {
            throw new CheckpointException(folder.path() + ": " + message + "; " + remedy);
        }
    }
}
