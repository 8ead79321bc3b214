package latentmix.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.JsonObject;

/** A component's config.json: its class, and the lists that have an entry for each level of a network. */
final class ModelConfig extends JsonObject {
    /** Keys of diffusers' configs that change no output here, or are the details of what is not used. */
    private static final Set<String> WITHOUT_EFFECT = Set.of(
            "addition_embed_type_num_heads",
            "addition_time_embed_dim",
            "force_upcast",
            "projection_class_embeddings_input_dim",
            "upcast_attention");

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

    /** The keys that a library does not know either; transformers puts in what it likes, and knows all. */
    List<String> unknown() {
        return has("_class_name")
                ? unasked().stream()
                        .filter(key -> !key.startsWith("_") && !WITHOUT_EFFECT.contains(key))
                        .toList()
                : List.of();
    }

    /** The config of a part, which is an object under this key. */
    ModelConfig member(String key) {
        JsonObject part = object(key);
        return new ModelConfig(part.json(), part.where());
    }

    /** Refuses every value but this one and a list of nothing else. */
    void onlyInAll(String key, Object allowed) {
        JsonNode list = json().path(key);
        if (!list.isArray() || list.isEmpty()) {
            only(key, allowed);
            return;
        }
        for (JsonNode value : list) {
            new ModelConfig(JsonNodeFactory.instance.objectNode().set(key, value), where()).only(key, allowed);
        }
        has(key);
    }

    /** The side of a square, which may be given as height and width. */
    int side(String key, int otherwise) {
        if (!json().path(key).isArray()) {
            return integer(key, otherwise);
        }
        List<Integer> sides = integers(key, List.of());
        if (sides.size() != 2 || !sides.get(0).equals(sides.get(1))) {
            throw refused(key, "a side or two equal ones: other shapes than squares are not supported");
        }
        return sides.get(0);
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
