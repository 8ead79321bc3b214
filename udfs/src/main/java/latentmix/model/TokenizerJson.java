package latentmix.model;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.LongStream;
import java.util.stream.StreamSupport;
import latentmix.checkpoint.CheckpointException;

/**
 * A {@code tokenizer.json} that the Hugging Face tokenizers library runs; its ids are cut and padded here, not there,
 * so that a prompt's whole length is known.
 *
 * @see <a href="https://huggingface.co/docs/tokenizers/components">The components of a tokenizer.json</a>
 */
record TokenizerJson(HuggingFaceTokenizer tokenizer, int maxLength, long padId, long vocabSize) implements Tokenizer {
    /**
     * Loads a description.
     *
     * @param folder where it comes from, for messages
     */
    static TokenizerJson of(JsonNode description, int maxLength, String padToken, Path folder) {
        Torch.configure();
        long padId = id(description, padToken, folder);
        try {
            return new TokenizerJson(
                    HuggingFaceTokenizer.newInstance(
                            new ByteArrayInputStream(new ObjectMapper().writeValueAsBytes(description)),
                            Map.of("truncation", "false", "padding", "false")),
                    maxLength,
                    padId,
                    vocabSize(description));
        } catch (IOException | RuntimeException e) {
            throw new CheckpointException("The tokenizer of " + folder + " cannot be loaded: " + e.getMessage(), e);
        }
    }

    @Override
    public long[] encode(String text) {
        long[] ids = tokenizer.encode(text).getIds();
        long[] fitted = Arrays.copyOf(ids, maxLength);
        if (ids.length < maxLength) {
            Arrays.fill(fitted, ids.length, maxLength, padId);
        } else {
            fitted[maxLength - 1] = ids[ids.length - 1];
        }
        return fitted;
    }

    @Override
    public int length(String text) {
        return tokenizer.encode(text).getIds().length;
    }

    @Override
    public String kept(String text) {
        CharSpan[] spans = tokenizer.encode(text).getCharTokenSpans();
        if (spans.length <= maxLength) {
            return text;
        }
        int end = 0; // in code points; start and end have no span
        for (int i = 0; i < maxLength - 1; i++) {
            end = spans[i] == null ? end : Math.max(end, spans[i].getEnd());
        }
        return text.substring(0, text.offsetByCodePoints(0, end));
    }

    @Override
    public void close() {
        tokenizer.close();
    }

    /** One more than the largest id; a unigram model's vocabulary is a list, in which places are ids. */
    private static long vocabSize(JsonNode description) {
        JsonNode vocab = description.path("model").path("vocab");
        LongStream ids = vocab.isObject()
                ? StreamSupport.stream(vocab.spliterator(), false).mapToLong(JsonNode::longValue)
                : LongStream.of(vocab.size() - 1);
        LongStream added = StreamSupport.stream(description.path("added_tokens").spliterator(), false)
                .mapToLong(token -> token.path("id").longValue());
        return LongStream.concat(ids, added).max().orElse(-1) + 1;
    }

    /** The id of a token of a description, added or in its vocabulary. */
    static long id(JsonNode description, String token, Path folder) {
        return added(description.path("added_tokens"), token).orElseGet(() -> {
            JsonNode id = description.path("model").path("vocab").path(token);
            if (!id.isIntegralNumber()) {
                throw new CheckpointException(
                        "The vocabulary of " + folder + " must have the special token " + token + ", has none");
            }
            return id.longValue();
        });
    }

    /** The id of a token among the added ones. */
    static OptionalLong added(JsonNode addedTokens, String token) {
        return StreamSupport.stream(addedTokens.spliterator(), false)
                .filter(added -> added.path("content").asText().equals(token))
                .mapToLong(added -> added.path("id").longValue())
                .findFirst();
    }
}
