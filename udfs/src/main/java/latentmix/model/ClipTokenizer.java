package latentmix.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFile;
import latentmix.checkpoint.JsonObject;

/**
 * CLIP's tokenizer: lower-cased byte-level BPE whose words end in {@code </w>}, between a start and an end token.
 *
 * <p>A checkpoint's {@code vocab.json} and {@code merges.txt} become a {@code tokenizer.json} in memory, which the
 * Hugging Face tokenizers library runs; the ids are those of {@code CLIPTokenizerFast}. A {@code tokenizer.json} that
 * is there already is used as it is.
 *
 * @see <a href="https://github.com/openai/CLIP/blob/main/clip/simple_tokenizer.py">CLIP's simple_tokenizer.py</a>
 */
public final class ClipTokenizer {
    private static final ObjectMapper JSON = new ObjectMapper();
    static final int USUAL_LENGTH = 77;

    /**
     * A tokenizer.json without its tokens. The regex: contractions, words, single digits, runs of anything but space.
     */
    private static final String LAYOUT =
            """
            {
              "version": "1.0",
              "added_tokens": [],
              "normalizer": {"type": "Sequence", "normalizers": [
                {"type": "NFC"},
                {"type": "Replace", "pattern": {"Regex": "\\\\s+"}, "content": " "},
                {"type": "Lowercase"}]},
              "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Split", "behavior": "Removed", "invert": true, "pattern": {"Regex":
                  "'s|'t|'re|'ve|'m|'ll|'d|[\\\\p{L}]+|[\\\\p{N}]|[^\\\\s\\\\p{L}\\\\p{N}]+"}},
                {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true}]},
              "model": {"type": "BPE", "continuing_subword_prefix": "", "end_of_word_suffix": "</w>"},
              "post_processor": {"type": "RobertaProcessing", "add_prefix_space": false, "trim_offsets": false},
              "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true}
            }
            """;

    private ClipTokenizer() {}

    /**
     * Opens a checkpoint's {@code tokenizer} folder.
     *
     * @throws CheckpointException if a file is missing or does not fit; the message names it
     */
    public static Tokenizer open(Path folder) {
        return open(folder, USUAL_LENGTH, Map.of());
    }

    /**
     * The same for a text encoder of so many positions: without a {@code model_max_length} a prompt has as many tokens,
     * but no more than 77.
     *
     * @param tokens further ones that it knows, each with the ids of its vectors
     */
    static Tokenizer open(Path folder, int positions, Map<String, List<Long>> tokens) {
        Path settings = folder.resolve("tokenizer_config.json");
        JsonNode config = Files.exists(settings, LinkOption.NOFOLLOW_LINKS)
                ? JsonObject.read(settings).json()
                : JSON.createObjectNode();
        int maxLength = maxLength(new JsonObject(config, settings.toString()), Math.min(USUAL_LENGTH, positions));
        Map<String, JsonNode> special = specialTokens(folder, config);
        Path existing = folder.resolve("tokenizer.json");
        JsonNode tokenizer =
                Files.exists(existing) ? JsonObject.read(existing).json() : describe(folder, config, special);
        return TokenizerJson.of(tokenizer, maxLength, content(special.get("pad_token")), folder, tokens);
    }

    /** A prompt's tokens: a number beyond all is transformers' way to write that none is known, 1e30. */
    private static int maxLength(JsonObject config, int usual) {
        JsonNode given = config.json().path("model_max_length");
        if (given.isNumber() && given.doubleValue() > Integer.MAX_VALUE) {
            return usual;
        }
        int maxLength = config.whole("model_max_length", usual);
        if (maxLength < 2) {
            throw config.refused("model_max_length", "a whole number of at least 2");
        }
        return maxLength;
    }

    /**
     * The special tokens by role, as texts or objects. A {@code tokenizer_config.json} without
     * {@code added_tokens_decoder} is of the older form, in which {@code special_tokens_map.json} has the last word:
     * Stable Diffusion 2.1's disagree on the padding.
     */
    private static Map<String, JsonNode> specialTokens(Path folder, JsonNode config) {
        Path map = folder.resolve("special_tokens_map.json");
        JsonNode first = Files.exists(map) && !config.has("added_tokens_decoder")
                ? JsonObject.read(map).json()
                : config;
        Map<String, JsonNode> tokens = new LinkedHashMap<>();
        for (String role : List.of("bos_token", "eos_token", "unk_token", "pad_token")) {
            JsonNode usual = TextNode.valueOf(role.equals("bos_token") ? "<|startoftext|>" : "<|endoftext|>");
            JsonNode named = first.hasNonNull(role) ? first.get(role) : config.path(role);
            tokens.put(role, content(named).isEmpty() ? usual : named);
        }
        return tokens;
    }

    private static ObjectNode layout() {
        try {
            return (ObjectNode) JSON.readTree(LAYOUT);
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }

    /** The {@code tokenizer.json} of a vocabulary and its merges. */
    private static JsonNode describe(Path folder, JsonNode config, Map<String, JsonNode> special) {
        ObjectNode root = layout();
        ObjectNode model = (ObjectNode) root.get("model");
        model.set("vocab", JsonObject.read(folder.resolve("vocab.json")).json());
        model.put("unk_token", content(special.get("unk_token")));
        ArrayNode merges = model.putArray("merges");
        lines(folder.resolve("merges.txt")).stream()
                .filter(line -> !line.isBlank() && !line.startsWith("#version"))
                .forEach(merges::add);

        ArrayNode added = (ArrayNode) root.get("added_tokens");
        config.path("added_tokens_decoder")
                .properties()
                .forEach(entry -> added.add(addedToken(Long.parseLong(entry.getKey()), entry.getValue())));
        Path more = folder.resolve("added_tokens.json");
        if (Files.exists(more)) {
            JsonObject.read(more)
                    .json()
                    .properties()
                    .forEach(entry ->
                            added.add(addedToken(entry.getValue().longValue(), TextNode.valueOf(entry.getKey()))));
        }
        for (JsonNode token : special.values()) {
            if (TokenizerJson.added(added, content(token)).isEmpty()) {
                added.add(addedToken(TokenizerJson.id(root, content(token), folder), token));
            }
        }

        ObjectNode template = (ObjectNode) root.get("post_processor");
        for (Map.Entry<String, String> end :
                Map.of("cls", "bos_token", "sep", "eos_token").entrySet()) {
            String token = content(special.get(end.getValue()));
            template.putArray(end.getKey()).add(token).add(TokenizerJson.id(root, token, folder));
        }
        return root;
    }

    /** A token that is matched before the text is split, given as its text or as an object with its rules. */
    private static ObjectNode addedToken(long id, JsonNode token) {
        ObjectNode node = JSON.createObjectNode().put("id", id).put("content", content(token));
        for (String rule : List.of("single_word", "lstrip", "rstrip", "normalized")) {
            node.put(rule, token.path(rule).asBoolean(false));
        }
        return node.put("special", true);
    }

    private static String content(JsonNode token) {
        return token.isObject() ? token.path("content").asText() : token.asText();
    }

    private static List<String> lines(Path file) {
        byte[] bytes = CheckpointFile.read(file, "a CLIP tokenizer has it beside vocab.json");
        return new String(bytes, StandardCharsets.UTF_8).lines().toList();
    }
}
