package latentmix.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.JsonObject;

/** A component's config.json: its class, and the lists that have an entry for each level of a network. */
final class ModelConfig extends JsonObject {
    ModelConfig(JsonNode json, String where) {
        super(json, where);
    }

    /** The class that wrote this config: diffusers' _class_name or transformers' architectures. */
    String className() {
        JsonNode name = has("_class_name")
                ? json().path("_class_name")
                : json().path("architectures").path(0);
        if (!name.isTextual()) {
            throw new CheckpointException(where() + " should name its class as _class_name (diffusers) or architectures"
                    + " (transformers), and has neither");
        }
        return name.asText();
    }

    /** The config of a part, which is an object under this key. */
    ModelConfig member(String key) {
        JsonObject part = object(key);
        return new ModelConfig(part.json(), part.where());
    }

    /** One positive integer a level: a list of that length, or one integer for all. */
    List<Integer> perLevel(String key, int otherwise, int levels) {
        if (!json().path(key).isArray()) {
            return Collections.nCopies(levels, integer(key, otherwise));
        }
        List<Integer> values = integers(key, List.of());
        if (values.size() != levels) {
            throw refused(key, "one integer or a list of " + levels + ", one for each entry of block_out_channels");
        }
        return values;
    }

    /** A list of block types, one a level, each of those allowed. */
    List<String> blockTypes(String key, List<String> otherwise, int levels, String... allowed) {
        List<String> types = new ArrayList<>();
        if (has(key)) {
            json().get(key).forEach(type -> types.add(type.asText()));
        } else {
            types.addAll(otherwise);
        }
        if (types.size() != levels || !Arrays.asList(allowed).containsAll(types)) {
            throw new CheckpointException(where() + ": " + key + " must be a list of " + levels
                    + " (one for each entry of block_out_channels) of " + String.join(", ", allowed) + ", cannot be: "
                    + types);
        }
        return types;
    }
}
