package latentmix.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.StateDict;
import latentmix.torchscript.ScriptModule;

/**
 * A network as its config describes it: one or more module trees whose keys are those of the checkpoint's state dict.
 *
 * <p>A further network is a further record with the library's class name, and a line in {@link #of}.
 */
public sealed interface Architecture
        permits DenoisingNetwork, AutoencoderKL, ClipTextModel, ClipVisionModel, T5EncoderModel, ConvClassifier {
    /** The module trees, each compiled to a program of its own, by name. */
    Map<Part, ScriptModule> parts();

    /** The present names of tensors that older files call otherwise, by pattern, for a file with these keys. */
    default Map<Pattern, String> renamings(Set<String> keys) {
        return Map.of();
    }

    /** Tensors that published files carry and no network uses. */
    default boolean ignores(String key) {
        return false;
    }

    /** Whether a tensor of this shape can stand for the declared one. */
    default boolean accepts(String key, List<Long> declared, List<Long> shape) {
        return shape.equals(declared);
    }

    /** Reads a component folder's config. */
    static Architecture of(Path component) {
        return of(
                CheckpointFolder.config(component),
                component.resolve("config.json").toString());
    }

    /** Reads a config. Messages name it by {@code where}. */
    static Architecture of(JsonNode json, String where) {
        ModelConfig config = new ModelConfig(json, where);
        return switch (config.className()) {
            case "UNet2DConditionModel" -> UNet2DConditionModel.of(config);
            case "SD3Transformer2DModel" -> SD3Transformer2DModel.of(config);
            case "AutoencoderKL" -> AutoencoderKL.of(config);
            case "CLIPTextModel", "CLIPTextModelWithProjection" -> ClipTextModel.of(config);
            case "CLIPVisionModel", "CLIPVisionModelWithProjection", "CLIPModel" -> ClipVisionModel.of(config);
            case "T5EncoderModel" -> T5EncoderModel.of(config);
            case "ConvClassifier" -> ConvClassifier.of(config);
            default ->
                throw new CheckpointException(where + ": the architecture must be one of UNet2DConditionModel,"
                        + " SD3Transformer2DModel, AutoencoderKL, CLIPTextModel, CLIPTextModelWithProjection,"
                        + " CLIPVisionModel, CLIPVisionModelWithProjection, CLIPModel, T5EncoderModel, ConvClassifier,"
                        + " cannot be: "
                        + config.className());
        };
    }

    /** Opens a component's weights under the names that the modules declare, and checks names and shapes. */
    default StateDict weights(Path component) {
        StateDict opened = StateDict.open(component);
        try {
            StateDict weights = opened.renamed(renamings(opened.keys()));
            Map<String, List<Long>> declared = new LinkedHashMap<>();
            parts().values().forEach(part -> part.forEachParameter(declared::put));
            List<String> missing = declared.keySet().stream()
                    .filter(key -> !weights.keys().contains(key))
                    .toList();
            List<String> extra = weights.keys().stream()
                    .filter(key -> !declared.containsKey(key) && !ignores(key))
                    .toList();
            List<String> misshapen = declared.keySet().stream()
                    .filter(key -> weights.keys().contains(key)
                            && !accepts(
                                    key, declared.get(key), weights.tensor(key).shape()))
                    .map(key -> key + " is " + weights.tensor(key).shape() + ", should be " + declared.get(key))
                    .toList();
            complain(component, "lack", missing);
            complain(component, "have unexpected", extra);
            complain(component, "have wrongly shaped", misshapen);
            return weights;
        } catch (RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    private static void complain(Path component, String what, List<String> tensors) {
        if (!tensors.isEmpty()) {
            throw new CheckpointException(
                    "The weights in " + component + " " + what + " tensors for their config.json: "
                            + StateDict.abbreviate(tensors) + "; config and weights must be of one checkpoint");
        }
    }
}
