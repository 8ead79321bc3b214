package latentmix.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.Safetensors;
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

    /** Whether a tensor that published files carry is of no use to this network, by its name. */
    default boolean ignores(String key) {
        return false;
    }

    /** What to do where weights are quantised. */
    String UNQUANTISED = "quantised weights are not supported; take the checkpoint in fp32, fp16 or bf16";

    /** What training leaves in weights: the state of a moving average. */
    Pattern OF_TRAINING = Pattern.compile("model_ema\\.(decay|num_updates)");

    /** The tensors of a file of weights that this network does not use, and that no use was meant for here. */
    private boolean ignores(String key, Safetensors.Tensor tensor) {
        return ignores(key)
                || tensor.size() == 0
                || !tensor.type().isFloating()
                || OF_TRAINING.matcher(key).matches();
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
        return of(new ModelConfig(json, where));
    }

    /** The keys of a config that are not known here, nor to the library that wrote it: they change nothing. */
    static List<String> unknownKeys(JsonNode json, String where) {
        ModelConfig config = new ModelConfig(json, where);
        of(config);
        return config.unknown();
    }

    private static Architecture of(ModelConfig config) {
        if (config.has("quantization_config")) {
            throw new CheckpointException(
                    config.where() + ": quantization_config says that the weights are quantised by "
                            + config.json()
                                    .path("quantization_config")
                                    .path("quant_method")
                                    .asText("a method without name")
                            + "; " + UNQUANTISED);
        }
        return switch (config.className()) {
            case "UNet2DConditionModel" -> UNet2DConditionModel.of(config);
            case "SD3Transformer2DModel" -> SD3Transformer2DModel.of(config);
            case "DiTTransformer2DModel", "Transformer2DModel" -> DiTTransformer2DModel.of(config);
            case "AutoencoderKL" -> AutoencoderKL.of(config);
            case "CLIPTextModel", "CLIPTextModelWithProjection" -> ClipTextModel.of(config);
            case "CLIPVisionModel", "CLIPVisionModelWithProjection", "CLIPModel" -> ClipVisionModel.of(config);
            case "T5EncoderModel" -> T5EncoderModel.of(config);
            case "ConvClassifier" -> ConvClassifier.of(config);
            default ->
                throw new CheckpointException(config.where() + ": the architecture must be one of UNet2DConditionModel,"
                        + " SD3Transformer2DModel, DiTTransformer2DModel, AutoencoderKL, CLIPTextModel,"
                        + " CLIPTextModelWithProjection, CLIPVisionModel, CLIPVisionModelWithProjection, CLIPModel, T5EncoderModel, ConvClassifier,"
                        + " cannot be: "
                        + config.className());
        };
    }

    /**
     * Opens a component's weights under the names that the modules declare, and checks names, types and shapes. What
     * the libraries ignore is left out of them.
     */
    default StateDict weights(Path component) {
        StateDict opened = StateDict.open(component);
        try {
            StateDict all = opened.renamed(renamings(opened.keys()));
            Map<String, List<Long>> declared = declared();
            Optional<UnaryOperator<String>> published = CheckpointFolder.published(component);
            UnaryOperator<String> name = published.orElse(UnaryOperator.identity());
            refuseQuantised(component, all, declared.keySet(), name);
            List<String> missing = declared.keySet().stream()
                    .filter(key -> !all.keys().contains(key))
                    .map(name)
                    .distinct()
                    .toList();
            List<String> extra = all.keys().stream()
                    .filter(key -> !declared.containsKey(key) && !ignores(key, all.tensor(key)))
                    .map(name)
                    .toList();
            List<String> misshapen = declared.keySet().stream()
                    .filter(key -> all.keys().contains(key)
                            && !accepts(key, declared.get(key), all.tensor(key).shape()))
                    .map(key -> name.apply(key) + " is " + all.tensor(key).shape() + ", should be " + declared.get(key))
                    .toList();
            complain(component, "lack", missing, published.isPresent());
            complain(component, "have unexpected", extra, published.isPresent());
            complain(component, "have wrongly shaped", misshapen, published.isPresent());
            return all.only(declared.keySet());
        } catch (RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    /** The names of tensors of a component's weights that are left out, as the libraries ignore them too. */
    default List<String> ignored(Path component) {
        try (StateDict opened = StateDict.open(component)) {
            Set<String> declared = declared().keySet();
            return Stream.concat(
                            opened.renamed(renamings(opened.keys())).keys().stream()
                                    .filter(key -> !declared.contains(key)),
                            CheckpointFolder.ignored(component).stream())
                    .sorted()
                    .toList();
        }
    }

    private Map<String, List<Long>> declared() {
        Map<String, List<Long>> declared = new LinkedHashMap<>();
        parts().values().forEach(part -> part.forEachParameter(declared::put));
        return declared;
    }

    /** Refuses weights that stand for others by a scheme of few bits, which no shape would tell. */
    private static void refuseQuantised(
            Path component, StateDict weights, Set<String> needed, UnaryOperator<String> name) {
        List<String> quantised = needed.stream()
                .filter(key -> weights.keys().contains(key)
                        && !weights.tensor(key).type().isFloating())
                .map(key -> name.apply(key) + " is " + weights.tensor(key).type())
                .toList();
        if (!quantised.isEmpty()) {
            String scheme = weights.keys().stream().anyMatch(key -> key.contains("bitsandbytes__"))
                    ? "by bitsandbytes (nf4 or fp4)"
                    : quantised.get(0).contains(" is F8") ? "to fp8" : "to integers";
            throw new CheckpointException("The weights in " + component + " are quantised " + scheme + ": "
                    + StateDict.abbreviate(quantised) + "; " + UNQUANTISED);
        }
    }

    private static void complain(Path component, String what, List<String> tensors, boolean isOfSingleFile) {
        if (!tensors.isEmpty()) {
            throw new CheckpointException("The weights in " + component
                    + (isOfSingleFile ? ", made of a single file, " : " ") + what + " tensors for their config.json: "
                    + StateDict.abbreviate(tensors)
                    + (isOfSingleFile
                            ? "; take a whole file of one checkpoint, in the original layout"
                            : "; config and weights must be of one checkpoint"));
        }
    }
}
