package latentmix.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * An object of a checkpoint's JSON file, read key by key with the library's defaults.
 *
 * <p>An absent key means the default, and so does null. A value of another type, or one that is not supported, is
 * refused: the message names the file, the key, what was expected and what came. Keys that nobody asks for are ignored,
 * as diffusers and transformers do; {@link #unasked} names them.
 */
public class JsonObject {
    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS) // Python writes -Infinity, as in lambda_min_clipped
            .build();

    private final JsonNode json;
    private final String where;
    private final Function<String, RuntimeException> refusal;
    private final Set<String> asked = new HashSet<>();

    /**
     * An object whose refusals are exceptions of the caller's kind.
     *
     * @param where the file and the place in it, for messages
     * @param refusal makes an exception of a message
     */
    public JsonObject(JsonNode json, String where, Function<String, RuntimeException> refusal) {
        this.json = Objects.requireNonNull(json, "json");
        this.where = where;
        this.refusal = refusal;
    }

    /**
     * An object whose refusals are {@link CheckpointException}s.
     *
     * @param where the file and the place in it, for messages
     */
    public JsonObject(JsonNode json, String where) {
        this(json, where, CheckpointException::new);
    }

    /** Reads a file that must hold a JSON object. */
    public static JsonObject read(Path path) {
        byte[] bytes = CheckpointFile.read(path, "a checkpoint in diffusers layout has it");
        try {
            return parse(bytes, path.toString());
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + path, e);
        }
    }

    /**
     * Reads bytes that must be a JSON object.
     *
     * @param where they come from, for messages
     */
    static JsonObject parse(byte[] bytes, String where) throws IOException {
        try {
            JsonNode node = MAPPER.readTree(bytes);
            if (!node.isObject()) {
                throw new CheckpointException(where + " should hold a JSON object, but holds " + node.getNodeType());
            }
            return new JsonObject(node, where);
        } catch (JsonProcessingException e) {
            throw new CheckpointException(where + " is not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    /** The object itself. */
    public final JsonNode json() {
        return json;
    }

    /** The file and the place in it, for messages. */
    public final String where() {
        return where;
    }

    /** Whether a value other than null is given. */
    public final boolean has(String key) {
        asked.add(key);
        return json.hasNonNull(key);
    }

    /** Whether null itself is written. */
    public final boolean isNull(String key) {
        return json.path(key).isNull();
    }

    /** The keys that no reader has asked for, in order. */
    public final List<String> unasked() {
        List<String> keys = new ArrayList<>();
        json.fieldNames().forEachRemaining(key -> {
            if (!asked.contains(key)) {
                keys.add(key);
            }
        });
        return keys;
    }

    /** The object under a key. */
    public final JsonObject object(String key) {
        if (!has(key) || !json.get(key).isObject()) {
            throw refused(key, "an object");
        }
        return new JsonObject(json.get(key), where + ": " + key, refusal);
    }

    /** A text. */
    public final String text(String key, String otherwise) {
        return has(key) ? typed(key, JsonNode::isTextual, "a text").textValue() : otherwise;
    }

    /** A text, one of those allowed; the first is the default. */
    public final String oneOf(String key, String... allowed) {
        String expected = allowed.length == 1 ? allowed[0] : "one of " + String.join(", ", allowed);
        return has(key)
                ? typed(key, value -> Arrays.asList(allowed).contains(value.asText()), expected)
                        .asText()
                : allowed[0];
    }

    public final boolean flag(String key, boolean otherwise) {
        return has(key) ? typed(key, JsonNode::isBoolean, "true or false").booleanValue() : otherwise;
    }

    /** A whole number, negative or not. */
    public final int whole(String key, int otherwise) {
        return has(key) ? typed(key, JsonNode::isInt, "a whole number").intValue() : otherwise;
    }

    /** A positive integer. */
    public final int integer(String key, int otherwise) {
        return has(key)
                ? typed(key, value -> isWhole(value) && value.intValue() >= 1, "a positive integer")
                        .intValue()
                : otherwise;
    }

    public final double number(String key, double otherwise) {
        return has(key) ? typed(key, JsonNode::isNumber, "a number").doubleValue() : otherwise;
    }

    /** A list of so many numbers. */
    public final List<Double> numbers(String key, List<Double> otherwise) {
        if (!has(key)) {
            return otherwise;
        }
        List<Double> values = new ArrayList<>();
        json.get(key).forEach(value -> values.add(value.isNumber() ? value.doubleValue() : Double.NaN));
        if (values.size() != otherwise.size() || values.contains(Double.NaN)) {
            throw refused(key, otherwise.size() + " numbers");
        }
        return values;
    }

    /** A list of positive integers, at least one. */
    public final List<Integer> integers(String key, List<Integer> otherwise) {
        if (!has(key)) {
            return otherwise;
        }
        List<Integer> values = new ArrayList<>();
        for (JsonNode value : json.get(key)) {
            if (!isWhole(value) || value.intValue() < 1) {
                throw refused(key, "a list of positive integers");
            }
            values.add(value.intValue());
        }
        if (values.isEmpty()) {
            throw refused(key, "a list of positive integers");
        }
        return values;
    }

    /** A list of indices below a count, perhaps an empty one. */
    public final List<Integer> indices(String key, int count) {
        List<Integer> values = new ArrayList<>();
        if (!has(key)) {
            return values;
        }
        for (JsonNode value : json.get(key)) {
            if (!value.isIntegralNumber() || value.asInt(-1) < 0 || value.asInt() >= count) {
                throw refused(key, "a list of indices from 0 to " + (count - 1));
            }
            values.add(value.intValue());
        }
        return values;
    }

    /** Refuses every value but those allowed, which all mean the same computation; an absent key and null do too. */
    public final void only(String key, Object... allowed) {
        if (!has(key)) {
            return;
        }
        JsonNode value = json.get(key);
        for (Object candidate : allowed) {
            boolean same = candidate instanceof Number number
                    ? value.isNumber() && value.asDouble() == number.doubleValue()
                    : value.equals(MAPPER.valueToTree(candidate));
            if (same) {
                return;
            }
        }
        throw refused(
                key,
                allowed.length == 0
                        ? "absent or null (others are not supported)"
                        : (allowed.length == 1 ? "" : "one of ") + Arrays.toString(allowed)
                                + " (others are not supported)");
    }

    /** Refuses the object where a condition between several values does not hold; the message names them. */
    public final void require(boolean holds, String message) {
        if (!holds) {
            throw refused(message);
        }
    }

    /** The value under a key, which must be there and of this kind. */
    public final JsonNode typed(String key, Predicate<JsonNode> kind, String expected) {
        JsonNode value = json.path(key);
        if (value.isMissingNode() || !kind.test(value)) {
            throw refused(key, expected);
        }
        return value;
    }

    /** The refusal of a key's value. */
    public final RuntimeException refused(String key, String expected) {
        return refused(key + " must be " + expected + ", cannot be: " + json.get(key));
    }

    private RuntimeException refused(String message) {
        return refusal.apply(where + ": " + message);
    }

    private static boolean isWhole(JsonNode value) {
        return value.isIntegralNumber() && value.canConvertToInt();
    }
}
