package latentmix;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Whole checkpoints put together from the golden folders' parts: small networks of published architectures, with random weights. */
public final class GoldenCheckpoint {
    private static final ObjectMapper JSON = new ObjectMapper();

    private GoldenCheckpoint() {}

    /** Stable Diffusion 1.5: epsilon prediction, a CLIP-L text encoder. */
    public static Path sd15(Path folder) {
        return assemble(folder, "unet-sd15", "clip-text-sd15", "sd15-eps");
    }

    /** Stable Diffusion 2.1: v-prediction, linear projections, an OpenCLIP text encoder (exact gelu). */
    public static Path sd21(Path folder) {
        return assemble(folder, "unet-sd21", "clip-text-proj-g", "sd21-v");
    }

    /** The same with betas rescaled to zero terminal SNR and trailing spacing. */
    public static Path zeroTerminalSnr(Path folder) {
        return assemble(folder, "unet-sd21", "clip-text-proj-g", "zsnr-v-trailing");
    }

    private static Path assemble(Path folder, String unet, String textEncoder, String scheduler) {
        try {
            copy(Golden.folder(unet), folder.resolve("unet"));
            copy(Golden.folder("vae-sd15"), folder.resolve("vae"));
            copy(Golden.folder(textEncoder), folder.resolve("text_encoder"));
            copy(Golden.folder("schedulers-ddim").resolve(scheduler + "/scheduler"), folder.resolve("scheduler"));
            ObjectNode index = (ObjectNode) JSON.readTree(
                    Golden.folder("e2e-sd15").resolve("model_index.json").toFile());
            index.putArray("tokenizer").add("transformers").add("CLIPTokenizer");
            JSON.writeValue(folder.resolve("model_index.json").toFile(), index);
            tokenizer(folder.resolve("tokenizer"));
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Copies a component without its reference file. */
    public static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file :
                    files.filter(file -> !file.endsWith("golden.safetensors")).toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    /** A tokenizer that reads ids from words: "w5 w17" are the ids 5 and 17, other words the id 0. */
    private static void tokenizer(Path folder) throws IOException {
        Files.createDirectory(folder);
        ObjectNode words = (ObjectNode)
                JSON.readTree(
                        """
                {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "WhitespaceSplit"},
                 "post_processor": {"type": "RobertaProcessing", "cls": ["w298", 298], "sep": ["w299", 299],
                                    "add_prefix_space": false, "trim_offsets": false},
                 "model": {"type": "WordLevel", "vocab": {}, "unk_token": "w0"}}
                """);
        ObjectNode vocab = (ObjectNode) words.path("model").path("vocab");
        for (int id = 0; id < 300; id++) {
            vocab.put("w" + id, id);
        }
        JSON.writeValue(folder.resolve("tokenizer.json").toFile(), words);
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"pad_token\": \"w299\"}");
    }
}
