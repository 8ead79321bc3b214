package latentmix.checkpoint;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A token with vectors of its own that others trained, by textual inversion.
 *
 * <p>The file has one tensor (count, width) or (width): under the token's name as diffusers writes it, or as
 * {@code emb_params}. Or it has two, {@code clip_l} and {@code clip_g}, for a checkpoint of two CLIP encoders.
 *
 * @param location a safetensors file, wherever a checkpoint may lie
 * @param token what prompts call it
 * @see <a href="https://arxiv.org/abs/2208.01618">Gal et al., An Image is Worth One Word</a>
 */
public record Embedding(String location, String token) implements Serializable {
    private static final String FIRST = "text_encoder";
    private static final String SECOND = "text_encoder_2";
    private static final Set<String> PAIR = Set.of("clip_l", "clip_g");
    private static final String TABLE = "embeddings.token_embedding.weight";

    /**
     * Finds the rows that the token has in each text encoder.
     *
     * @param file the file, opened
     * @param link what the file will be called beside a component's weights
     * @param weights the components by name
     * @return by component
     * @throws CheckpointException if the file holds something else or does not fit the encoders
     */
    SortedMap<String, Merges> merges(Safetensors file, String link, Map<String, StateDict> weights) {
        Map<String, Safetensors.Tensor> tensors = file.tensors();
        SortedMap<String, Merges> merges = new TreeMap<>();
        if (tensors.keySet().equals(PAIR)) {
            if (!weights.containsKey(SECOND)) {
                throw refused(
                        "expected vectors for one text encoder, got clip_l and clip_g for two, as Stable Diffusion"
                                + " XL has them; take an embedding that was trained on this checkpoint's family");
            }
            merges.put(FIRST, rows(tensors.get("clip_l"), link, FIRST, weights));
            merges.put(SECOND, rows(tensors.get("clip_g"), link, SECOND, weights));
        } else if (tensors.size() == 1) {
            Safetensors.Tensor tensor = tensors.values().iterator().next();
            if (weights.containsKey(SECOND)) {
                throw refused("expected clip_l and clip_g for this checkpoint's two CLIP encoders, got " + tensor.name()
                        + " alone; take an embedding that was trained for both");
            }
            merges.put(FIRST, rows(tensor, link, FIRST, weights));
        } else {
            throw refused("expected one tensor of vectors, as diffusers' {token: vectors} and emb_params are, or clip_l"
                    + " and clip_g, got " + StateDict.abbreviate(List.copyOf(tensors.keySet())) + "; "
                    + (tensors.keySet().stream().anyMatch(name -> name.contains("lora"))
                            ? "name a LoRA in model.loras"
                            : "take the file of an embedding"));
        }
        return merges;
    }

    private Merges rows(Safetensors.Tensor tensor, String link, String component, Map<String, StateDict> weights) {
        StateDict dict = weights.get(component);
        String table = table(dict)
                .orElseThrow(() -> refused("expected a text encoder with a table of tokens, got none of them in "
                        + dict.folder() + "; take a checkpoint whose prompts CLIP reads"));
        long width = dict.tensor(table).shape().get(1);
        List<Long> shape = tensor.shape();
        boolean fits =
                (shape.size() == 1 || (shape.size() == 2 && shape.get(0) > 0)) && shape.get(shape.size() - 1) == width;
        if (!fits || !tensor.type().isFloating()) {
            throw refused("expected vectors of " + component + "'s width, " + width + ", got " + tensor.name()
                    + " of the shape " + shape + " and type " + tensor.type()
                    + "; take an embedding that was trained on this checkpoint's family");
        }
        Merges merges = Merges.none();
        merges.add(table, new Merges.Rows(link, tensor.name()));
        return merges;
    }

    /** The name of a text encoder's table of tokens. */
    static Optional<String> table(StateDict dict) {
        return dict.keys().stream().filter(key -> key.endsWith(TABLE)).findFirst();
    }

    private CheckpointException refused(String why) {
        return new CheckpointException("with embedding = " + location + ": " + why);
    }
}
