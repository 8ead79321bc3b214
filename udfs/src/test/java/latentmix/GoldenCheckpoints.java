package latentmix;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Whole checkpoints put together of golden components with random weights. Their tokenizers read ids from words: "w5"
 * is the id 5 of the CLIP encoders, "t11" the id 11 of T5, each of which overlooks the other's words.
 */
public final class GoldenCheckpoints {
    /** The prompt of golden/e2e-sd3. */
    public static final String PROMPT = "w5 w17 w17 w200 w43 t11 t45 t45 t160 t9 t77 t31";

    private static final ObjectMapper JSON = new ObjectMapper();

    private GoldenCheckpoints() {}

    /** A StableDiffusion3Pipeline in an empty folder. */
    public static Path stableDiffusion3(Path folder) throws IOException {
        copy("mmdit-sd35-medium", folder.resolve("transformer"));
        copy("vae-sd3", folder.resolve("vae"));
        copy("clip-text-proj-l", folder.resolve("text_encoder"));
        copy("clip-text-proj-g", folder.resolve("text_encoder_2"));
        copy("t5", folder.resolve("text_encoder_3"));
        clipTokenizer(folder.resolve("tokenizer"), "w299");
        clipTokenizer(folder.resolve("tokenizer_2"), "w0");
        t5Tokenizer(folder.resolve("tokenizer_3"));
        scheduler(
                folder,
                """
                {"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": 3.0}""");
        index(
                folder,
                "StableDiffusion3Pipeline",
                Map.of(
                        "transformer", "SD3Transformer2DModel",
                        "vae", "AutoencoderKL",
                        "text_encoder", "CLIPTextModelWithProjection",
                        "text_encoder_2", "CLIPTextModelWithProjection",
                        "text_encoder_3", "T5EncoderModel",
                        "tokenizer", "CLIPTokenizer",
                        "tokenizer_2", "CLIPTokenizer",
                        "tokenizer_3", "T5TokenizerFast",
                        "scheduler", "FlowMatchEulerDiscreteScheduler"));
        return folder;
    }

    /** A StableDiffusionPipeline like Stable Diffusion 1.5 in an empty folder, that of golden/e2e-sd15. */
    public static Path stableDiffusion15(Path folder) throws IOException {
        return stableDiffusion(folder, "unet-sd15", "clip-text-sd15", "w299", "sd15-eps");
    }

    /**
     * A StableDiffusionPipeline like Stable Diffusion 2.1 in an empty folder: v-prediction, an encoder with exact gelu.
     */
    public static Path stableDiffusion21(Path folder) throws IOException {
        return stableDiffusion(folder, "unet-sd21", "clip-text-proj-g", "w0", "sd21-v");
    }

    /** A Stable Diffusion checkpoint with betas rescaled to zero terminal SNR and trailing spacing. */
    public static Path zeroTerminalSnr(Path folder) throws IOException {
        return stableDiffusion(folder, "unet-sd21", "clip-text-proj-g", "w0", "zsnr-v-trailing");
    }

    /** A StableDiffusionXLPipeline in an empty folder, that of golden/e2e-sdxl. */
    public static Path stableDiffusionXl(Path folder) throws IOException {
        copy("unet-sdxl", folder.resolve("unet"));
        copy("vae-sd15", folder.resolve("vae"));
        edit(folder.resolve("vae/config.json"), "{\"scaling_factor\": 0.13025}");
        copy("clip-text-sd15", folder.resolve("text_encoder"));
        copy("clip-text-xl-g", folder.resolve("text_encoder_2"));
        clipTokenizer(folder.resolve("tokenizer"), "w299");
        clipTokenizer(folder.resolve("tokenizer_2"), "w0");
        scheduler(folder, Files.readString(Golden.folder("e2e-sdxl").resolve("scheduler_config.json")));
        index(
                folder,
                "StableDiffusionXLPipeline",
                Map.of(
                        "unet", "UNet2DConditionModel",
                        "vae", "AutoencoderKL",
                        "text_encoder", "CLIPTextModel",
                        "text_encoder_2", "CLIPTextModelWithProjection",
                        "tokenizer", "CLIPTokenizer",
                        "tokenizer_2", "CLIPTokenizer",
                        "scheduler", "EulerDiscreteScheduler"));
        edit(folder.resolve("model_index.json"), "{\"force_zeros_for_empty_prompt\": true}");
        return folder;
    }

    /**
     * A DiTPipeline in an empty folder, that of golden/e2e-dit, of 1000 classes. The class 7 is "seven" and "first 7",
     * 207 "retriever" and "first 207", and so on; 3 and 4 are both "crane".
     */
    public static Path dit(Path folder) throws IOException {
        copy("dit", folder.resolve("transformer"));
        copy("vae-sd15", folder.resolve("vae"));
        scheduler(folder, Files.readString(Golden.folder("e2e-dit").resolve("scheduler_config.json")));
        index(
                folder,
                "DiTPipeline",
                Map.of(
                        "transformer", "DiTTransformer2DModel",
                        "vae", "AutoencoderKL",
                        "scheduler", "DDIMScheduler"));
        ObjectNode labels = JSON.createObjectNode();
        Map<Integer, String> own = Map.of(3, "crane, ", 4, "crane, ", 7, "seven, ", 207, "retriever, ");
        for (int id = 0; id < 1000; id++) {
            labels.put(Integer.toString(id), own.getOrDefault(id, "") + "first " + id);
        }
        edit(folder.resolve("model_index.json"), "{\"id2label\": " + labels + "}");
        return folder;
    }

    private static Path stableDiffusion(Path folder, String unet, String textEncoder, String padding, String scheduler)
            throws IOException {
        copy(unet, folder.resolve("unet"));
        copy("vae-sd15", folder.resolve("vae"));
        copy(textEncoder, folder.resolve("text_encoder"));
        clipTokenizer(folder.resolve("tokenizer"), padding);
        Files.createDirectory(folder.resolve("scheduler"));
        Files.copy(
                Golden.folder("schedulers-ddim").resolve(scheduler + "/scheduler/scheduler_config.json"),
                folder.resolve("scheduler/scheduler_config.json"));
        index(
                folder,
                "StableDiffusionPipeline",
                Map.of(
                        "unet", "UNet2DConditionModel",
                        "vae", "AutoencoderKL",
                        "text_encoder", "CLIPTextModel",
                        "tokenizer", "CLIPTokenizer",
                        "scheduler", "DDIMScheduler"));
        return folder;
    }

    /** Replaces values of a JSON file. */
    public static void edit(Path file, String values) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(file.toFile());
        json.setAll((ObjectNode) JSON.readTree(values));
        JSON.writeValue(file.toFile(), json);
    }

    private static void copy(String golden, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(Golden.folder(golden))) {
            for (Path file :
                    files.filter(file -> !file.endsWith("golden.safetensors")).toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    private static void scheduler(Path folder, String config) throws IOException {
        Files.createDirectory(folder.resolve("scheduler"));
        Files.writeString(folder.resolve("scheduler/scheduler_config.json"), config);
    }

    private static void index(Path folder, String pipeline, Map<String, String> components) throws IOException {
        ObjectNode index = JSON.createObjectNode().put("_class_name", pipeline);
        new TreeMap<>(components).forEach((name, type) -> index.putArray(name)
                .add(type.matches("CLIP.*|T5.*") ? "transformers" : "diffusers")
                .add(type));
        JSON.writeValue(folder.resolve("model_index.json").toFile(), index);
    }

    /** A tokenizer of 300 words in a folder. */
    public static void clipTokenizer(Path folder, String padding) throws IOException {
        ObjectNode words = words(
                "t[0-9]+",
                """
                {"type": "RobertaProcessing", "cls": ["w298", 298], "sep": ["w299", 299],
                 "add_prefix_space": false, "trim_offsets": false}""");
        vocabulary(words, "w", 300);
        Files.createDirectories(folder);
        JSON.writeValue(folder.resolve("tokenizer.json").toFile(), words);
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"pad_token\": \"" + padding + "\"}");
    }

    private static void t5Tokenizer(Path folder) throws IOException {
        ObjectNode words = words(
                "w[0-9]+",
                """
                {"type": "TemplateProcessing", "pair": [],
                 "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
                 "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}}""");
        vocabulary(words, "t", 200).put("<pad>", 0).put("</s>", 1);
        Files.createDirectories(folder);
        JSON.writeValue(folder.resolve("tokenizer.json").toFile(), words);
    }

    private static ObjectNode words(String overlooked, String postProcessor) throws IOException {
        ObjectNode words = (ObjectNode)
                JSON.readTree(
                        """
                {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "WhitespaceSplit"},
                 "normalizer": {"type": "Replace", "pattern": {"Regex": ""}, "content": ""},
                 "model": {"type": "WordLevel", "vocab": {}, "unk_token": "0"}}
                """);
        ((ObjectNode) words.path("normalizer").path("pattern")).put("Regex", overlooked);
        words.set("post_processor", JSON.readTree(postProcessor));
        return words;
    }

    private static ObjectNode vocabulary(ObjectNode tokenizer, String prefix, int size) {
        ObjectNode vocab = (ObjectNode) tokenizer.path("model").path("vocab");
        for (int id = 0; id < size; id++) {
            vocab.put(prefix + id, id);
        }
        ((ObjectNode) tokenizer.path("model")).put("unk_token", prefix + 0);
        return vocab;
    }
}
