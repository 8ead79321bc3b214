package latentmix.model;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;

/**
 * A {@code tokenizer.json} that the Hugging Face tokenizers library runs; its ids are cut and padded here, not there,
 * so that a prompt's whole length is known.
 *
 * @param expansions the ids that one of the library's ids stands for, where they are others
 * @see <a href="https://huggingface.co/docs/tokenizers/components">The components of a tokenizer.json</a>
 */
record TokenizerJson(
        HuggingFaceTokenizer tokenizer, int maxLength, long padId, long vocabSize, Map<Long, List<Long>> expansions)
        implements Tokenizer {
    /** Ids, and for each the place of what it stands for among the library's own. */
    private record Ids(long[] ids, int[] places) {}

    /**
     * Loads a description.
     *
     * @param folder where it comes from, for messages; a view's may add tokens that stand for several ids each
     * @param tokens further ones
     */
    static TokenizerJson of(
            JsonNode description, int maxLength, String padToken, Path folder, Map<String, List<Long>> tokens) {
        Torch.configure();
        long padId = id(description, padToken, folder);
        Map<String, List<Long>> all = new LinkedHashMap<>(CheckpointFolder.addedTokens(folder));
        tokens.forEach((token, ids) -> {
            if (all.put(token, ids) != null) {
                throw new CheckpointException("with the token " + token + ": expected one of its own, got that of an"
                        + " embedding; give the embedding another token");
            }
        });
        Map<String, List<Long>> added = withVectors(all);
        JsonNode whole = added.isEmpty() ? description : with(added.keySet(), description, folder);
        try {
            HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(
                    new ByteArrayInputStream(new ObjectMapper().writeValueAsBytes(whole)),
                    Map.of("truncation", "false", "padding", "false"));
            Map<Long, List<Long>> expansions = new HashMap<>();
            added.forEach((token, ids) -> expansions.put(idOf(token, tokenizer), ids));
            long vocabSize = LongStream.concat(
                            LongStream.of(vocabSize(description)),
                            added.values().stream().flatMap(List::stream).mapToLong(id -> id + 1))
                    .max()
                    .orElseThrow();
            return new TokenizerJson(tokenizer, maxLength, padId, vocabSize, expansions);
        } catch (CheckpointException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            throw new CheckpointException("The tokenizer of " + folder + " cannot be loaded: " + e.getMessage(), e);
        }
    }

    /** The tokens, and as diffusers does it token_1, token_2 and so on for one vector each behind the first. */
    private static Map<String, List<Long>> withVectors(Map<String, List<Long>> tokens) {
        Map<String, List<Long>> all = new LinkedHashMap<>(tokens);
        tokens.forEach((token, ids) -> {
            for (int i = 1; i < ids.size(); i++) {
                all.putIfAbsent(token + "_" + i, List.of(ids.get(i)));
            }
        });
        return all;
    }

    /** The description with further tokens, which must be none of its own. */
    private static JsonNode with(Set<String> tokens, JsonNode description, Path folder) {
        ObjectNode whole = description.deepCopy();
        ArrayNode all = whole.withArray("added_tokens");
        JsonNode vocab = description.path("model").path("vocab");
        String end = description.path("model").path("end_of_word_suffix").asText("");
        for (String token : tokens) {
            String lower = token.toLowerCase(Locale.ROOT);
            if (added(all, token).isPresent()
                    || Stream.of(token, lower, token + end, lower + end).anyMatch(vocab::has)) {
                throw new CheckpointException(
                        "with embedding's token = " + token + ": expected one that the vocabulary of " + folder
                                + " does not have, got one that it has; choose another, such as <" + token + ">");
            }
            all.addObject()
                    .put("id", vocabSize(whole))
                    .put("content", token)
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", true)
                    .put("special", false);
        }
        return whole;
    }

    /** The library's id of an added token, which it counts by itself. */
    private static long idOf(String token, HuggingFaceTokenizer tokenizer) {
        long[] ids = tokenizer.encode(token, false, false).getIds();
        if (ids.length != 1) {
            throw new CheckpointException("with embedding's token = " + token + ": expected a text that the tokenizer"
                    + " takes for one token, got one that it cuts into " + ids.length
                    + "; choose another, such as <word>");
        }
        return ids[0];
    }

    private Ids ids(Encoding encoding) {
        long[] ids = encoding.getIds();
        long[] all = LongStream.of(ids)
                .flatMap(id -> expansions.getOrDefault(id, List.of(id)).stream().mapToLong(Long::longValue))
                .toArray();
        int[] places = IntStream.range(0, ids.length)
                .flatMap(i -> expansions.getOrDefault(ids[i], List.of(ids[i])).stream()
                        .mapToInt(id -> i))
                .toArray();
        return new Ids(all, places);
    }

    @Override
    public long[] encode(String text) {
        long[] ids = ids(tokenizer.encode(text)).ids();
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
        return ids(tokenizer.encode(text)).ids().length;
    }

    @Override
    public String kept(String text) {
        Encoding encoding = tokenizer.encode(text);
        CharSpan[] spans = encoding.getCharTokenSpans();
        int[] places = ids(encoding).places();
        if (places.length <= maxLength) {
            return text;
        }
        int end = 0; // in code points; start and end have no span
        for (int i = 0; i < maxLength - 1; i++) {
            CharSpan span = spans[places[i]];
            end = span == null ? end : Math.max(end, span.getEnd());
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
