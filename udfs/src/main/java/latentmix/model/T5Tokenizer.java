package latentmix.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFile;
import latentmix.checkpoint.JsonObject;

/**
 * T5's tokenizer: the pieces of text with the largest product of probabilities, then an end token.
 *
 * <p>The Hugging Face tokenizers library runs the checkpoint's {@code tokenizer.json}, or where that is missing what
 * transformers would make of {@code spiece.model}. The ids are those of {@code T5TokenizerFast}.
 *
 * @see <a href="https://arxiv.org/abs/1804.10959">Kudo's unigram language model</a>
 */
public final class T5Tokenizer {
    private static final String FILE = "tokenizer.json";
    private static final String MODEL = "spiece.model";
    private static final int SENTINELS = 100;

    private T5Tokenizer() {}

    /**
     * Opens a checkpoint's tokenizer folder.
     *
     * @param maxLength the pipeline's max_sequence_length
     * @throws CheckpointException if a file is missing or does not fit; the message names it
     */
    public static Tokenizer open(Path folder, int maxLength) {
        return TokenizerJson.of(description(folder), maxLength, "<pad>", folder, Map.of());
    }

    /** The {@code tokenizer.json} of a folder, written or made. */
    static JsonNode description(Path folder) {
        Path model = folder.resolve(MODEL);
        if (Files.exists(folder.resolve(FILE)) || !Files.exists(model)) {
            return JsonObject.read(folder.resolve(FILE)).json();
        }
        Path config = folder.resolve("tokenizer_config.json");
        int sentinels = Files.exists(config) ? JsonObject.read(config).whole("extra_ids", SENTINELS) : SENTINELS;
        return SentencePiece.of(CheckpointFile.read(model, "a T5 tokenizer has it"), model)
                .tokenizerJson(sentinels);
    }
}
