package latentmix.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import latentmix.checkpoint.CheckpointException;

/**
 * A component's config.json, read with the library's defaults: an absent key means the default, a value that is not
 * supported is refused by name, keys that nobody asks for are ignored (as diffusers and transformers do).
 */
record ModelConfig(JsonNode json, String where) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** The class that wrote this config: diffusers' _class_name or transformers' architectures. */
    String className() {
        JsonNode name = json.has("_class_name")
                ? json.path("_class_name")
                : json.path("architectures").path(0);
        if (!name.isTextual()) {
            throw new CheckpointException(where + " should name its class as _class_name (diffusers) or architectures"
                    + " (transformers), and has neither");
        }
        return name.asText();
    }

    /** The config of a part, which is an object under this key. */
    ModelConfig member(String key) {
        if (!json.path(key).isObject()) {
            throw wrong(key, "an object");
        }
        return new ModelConfig(json.get(key), where + ": " + key);
    }

    private CheckpointException wrong(String key, String expected) {
        return new CheckpointException(where + ": " + key + " must be " + expected + ", cannot be: " + json.get(key));
    }

    /** A positive integer. */
    int integer(String key, int otherwise) {
        if (!json.has(key)) {
            return otherwise;
        }
        if (!json.get(key).isIntegralNumber()
                || !json.get(key).canConvertToInt()
                || json.get(key).asInt() < 1) {
            throw wrong(key, "a positive integer");
        }
        return json.get(key).asInt();
    }

    /** A positive integer, or the fallback where the key is absent or null. */
    int integerOrNull(String key, int fallback) {
        return json.path(key).isNull() ? fallback : integer(key, fallback);
    }

    double number(String key, double otherwise) {
        if (!json.has(key)) {
            return otherwise;
        }
        if (!json.get(key).isNumber()) {
            throw wrong(key, "a number");
        }
        return json.get(key).asDouble();
    }

    /** A number, or the fallback where the key is absent or null. */
    double numberOrNull(String key, double fallback) {
        return json.path(key).isNull() ? fallback : number(key, fallback);
    }

    boolean flag(String key, boolean otherwise) {
        if (!json.has(key)) {
            return otherwise;
        }
        if (!json.get(key).isBoolean()) {
            throw wrong(key, "true or false");
        }
        return json.get(key).asBoolean();
    }

    /** A text, one of those allowed; the first is the default. */
    String oneOf(String key, String... allowed) {
        if (!json.has(key)) {
            return allowed[0];
        }
        if (!Arrays.asList(allowed).contains(json.get(key).asText())) {
            throw wrong(key, allowed.length == 1 ? allowed[0] : "one of " + String.join(", ", allowed));
        }
        return json.get(key).asText();
    }

    /** Refuses every value but those allowed, which all mean the same computation; absent is allowed too. */
    void only(String key, Object... allowed) {
        if (!json.has(key)) {
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
        throw wrong(
                key, (allowed.length == 1 ? "" : "one of ") + Arrays.toString(allowed) + " (others are not supported)");
    }

    /** A list of positive integers, at least one. */
    List<Integer> integers(String key, List<Integer> otherwise) {
        if (!json.has(key)) {
            return otherwise;
        }
        List<Integer> values = new ArrayList<>();
        for (JsonNode value : json.get(key)) {
            if (!value.isIntegralNumber() || !value.canConvertToInt() || value.asInt() < 1) {
                throw wrong(key, "a list of positive integers");
            }
            values.add(value.asInt());
        }
        if (values.isEmpty()) {
            throw wrong(key, "a list of positive integers");
        }
        return values;
    }

    /** A list of indices below a count, perhaps none. */
    List<Integer> indices(String key, int count) {
        List<Integer> values = new ArrayList<>();
        for (JsonNode value : json.path(key)) {
            if (!value.isIntegralNumber() || value.asInt(-1) < 0 || value.asInt() >= count) {
                throw wrong(key, "a list of indices from 0 to " + (count - 1));
            }
            values.add(value.asInt());
        }
        return values;
    }

    /** One positive integer a level: a list of that length, or one integer for all. */
    List<Integer> perLevel(String key, int otherwise, int levels) {
        if (!json.path(key).isArray()) {
            return Collections.nCopies(levels, integer(key, otherwise));
        }
        List<Integer> values = integers(key, List.of());
        if (values.size() != levels) {
            throw wrong(key, "one integer or a list of " + levels + ", one for each entry of block_out_channels");
        }
        return values;
    }

    /** A list of block types, one a level, each of those allowed. */
    List<String> blockTypes(String key, List<String> otherwise, int levels, String... allowed) {
        List<String> types = new ArrayList<>();
        if (json.has(key)) {
            json.get(key).forEach(type -> types.add(type.asText()));
        } else {
            types.addAll(otherwise);
        }
        if (types.size() != levels || !Arrays.asList(allowed).containsAll(types)) {
            throw new CheckpointException(where + ": " + key + " must be a list of " + levels
                    + " (one for each entry of block_out_channels) of " + String.join(", ", allowed) + ", cannot be: "
                    + types);
        }
        return types;
    }

    /** A check between several values, with a message that names them. */
    void require(boolean holds, String message) {
        if (!holds) {
            throw new CheckpointException(where + ": " + message);
        }
    }
}
