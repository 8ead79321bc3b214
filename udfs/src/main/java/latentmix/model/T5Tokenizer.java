package latentmix.model;

import java.nio.file.Files;
import java.nio.file.Path;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.JsonObject;

/**
 * T5's tokenizer: the pieces of text with the largest product of probabilities, then an end token.
 *
 * <p>The Hugging Face tokenizers library runs the checkpoint's {@code tokenizer.json}. The ids are those of
 * {@code T5TokenizerFast}.
 *
 * @see <a href="https://arxiv.org/abs/1804.10959">Kudo's unigram language model</a>
 */
public final class T5Tokenizer {
    private static final String FILE = "tokenizer.json";

    private T5Tokenizer() {}

    /**
     * Opens a checkpoint's tokenizer folder.
     *
     * @param maxLength the pipeline's max_sequence_length
     * @throws CheckpointException if a file is missing or does not fit; the message names it
     */
    public static Tokenizer open(Path folder, int maxLength) {
        if (!Files.exists(folder.resolve(FILE)) && Files.exists(folder.resolve("spiece.model"))) {
            throw new CheckpointException("The tokenizer of " + folder + " should have " + FILE
                    + ", has only spiece.model, which is not read; fetch the checkpoint's " + FILE
                    + ", or write it with transformers:"
                    + " T5TokenizerFast.from_pretrained(folder).save_pretrained(folder)");
        }
        return TokenizerJson.of(JsonObject.read(folder.resolve(FILE)).json(), maxLength, "<pad>", folder);
    }
}
