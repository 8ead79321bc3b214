package latentmix.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A low-rank adaptation that others trained: W' = W + scale · alpha/rank · B A for each layer that its file names.
 *
 * <p>Names are read as diffusers and PEFT write them ({@code unet.….to_q.lora_A.weight}, {@code lora.down.weight}), as
 * kohya's scripts do ({@code lora_unet_…_to_q.lora_down.weight}), and with the layers' names in the original code. A
 * layer's name is compared with dots for underscores, so that all of these are one. Alpha is that of the layer's own
 * tensor, else of the adapter's configuration in the file's header, else the rank.
 *
 * @param location a safetensors file, wherever a checkpoint may lie
 * @param scale the weight of the whole adaptation
 * @see <a
 *     href="https://github.com/huggingface/diffusers/blob/main/src/diffusers/loaders/lora_conversion_utils.py">diffusers'
 *     conversions</a>
 */
public record Lora(String location, double scale) implements Serializable {
    /** The denoiser, whatever it is. */
    private static final String DENOISER = "";

    /** What names begin with, by the component that it means. The longer ones come first. */
    private static final Map<String, String> PREFIXES = prefixes();

    private static final String WEIGHT = ".weight";

    /** A layer of which the original code has one with two others. */
    private static final Pattern JOINT = Pattern.compile(".*\\.(to|add)_(?<which>[qkv])(_proj)?\\.weight");

    private static final String LAYER = "(?<layer>.+?)";
    private static final Pattern DOWN = Pattern.compile(LAYER
            + "(\\.lora_A(\\.[A-Za-z0-9_-]+)?|\\.lora_down|[._]lora\\.down|\\.lora_linear_layer\\.down)\\.weight");
    private static final Pattern UP = Pattern.compile(
            LAYER + "(\\.lora_B(\\.[A-Za-z0-9_-]+)?|\\.lora_up|[._]lora\\.up|\\.lora_linear_layer\\.up)\\.weight");
    private static final Pattern ALPHA = Pattern.compile(LAYER + "([._]lora|\\.lora_linear_layer)?\\.alpha");

    private static final String FUSED = "fuse it with diffusers (pipeline.load_lora_weights(file),"
            + " pipeline.fuse_lora(), pipeline.save_pretrained(folder)) and name that folder in model.checkpoint";

    /** What else a file may hold, by what its tensors are called, with what to do. */
    private static final Map<Pattern, String> OTHERS = others();

    /** The header's entry in which diffusers keeps the configuration of PEFT. */
    private static final String CONFIG = "lora_adapter_metadata";

    /** What PEFT calls layers of its own accord. */
    private static final String OF_PEFT = "base_model.model.";

    private static Map<String, String> prefixes() {
        Map<String, String> prefixes = new LinkedHashMap<>();
        for (String number : List.of("_2", "_3", "")) {
            prefixes.put("text_encoder" + number + ".", "text_encoder" + number);
        }
        prefixes.put("unet.", "unet");
        prefixes.put("transformer.", "transformer");
        prefixes.put("model.diffusion_model.", DENOISER);
        prefixes.put("diffusion_model.", DENOISER);
        prefixes.put("lora_unet_", DENOISER); // kohya calls every denoiser so
        prefixes.put("lora_transformer_", "transformer");
        prefixes.put("lora_te_", "text_encoder");
        prefixes.put("lora_te1_", "text_encoder");
        prefixes.put("lora_te2_", "text_encoder_2");
        prefixes.put("lora_te3_", "text_encoder_3");
        return prefixes;
    }

    private static Map<Pattern, String> others() {
        Map<Pattern, String> others = new LinkedHashMap<>();
        others.put(Pattern.compile("dora_scale|lora_magnitude_vector"), "DoRA is not supported; " + FUSED);
        others.put(
                Pattern.compile("\\.(hada_|lokr_|oft_|boft_|on_input)"),
                "LyCORIS' LoHa, LoKr and OFT are not supported; " + FUSED);
        others.put(Pattern.compile("\\.lora_mid\\."), "a kernel in three factors is not supported; " + FUSED);
        others.put(
                Pattern.compile("\\.diff(_b)?$|lora_[AB].*bias"),
                "whole differences and biases are not supported; " + FUSED);
        others.put(
                Pattern.compile("^(emb_params|clip_[lg])$"),
                "this is a textual inversion; name it in model.embeddings");
        others.put(
                Pattern.compile("^(model\\.diffusion_model|first_stage_model|cond_stage_model)\\."),
                "this is a whole checkpoint; name it in model.checkpoint");
        return others;
    }

    /** The tensors of one layer. */
    private record Layer(Safetensors.Tensor down, Safetensors.Tensor up, Optional<Safetensors.Tensor> alpha) {}

    /**
     * Where a product goes, or a part of it.
     *
     * @param key the name of a component's tensor
     * @param part the product's rows begin with this of so many equal parts
     */
    private record Target(String key, int part, int of) {}

    /** A component and what a layer is called in it. */
    private record Place(String component, String name) {
        String layer() {
            return Lora.layer(name);
        }
    }

    /**
     * Finds what the file's products are added to.
     *
     * @param file the file, opened
     * @param link what the file will be called beside a component's weights
     * @param weights the components by name
     * @param denoiser the name of the one that is the denoiser
     * @return by component
     * @throws CheckpointException if something in the file is not known here or does not fit the checkpoint
     */
    SortedMap<String, Merges> merges(Safetensors file, String link, Map<String, StateDict> weights, String denoiser) {
        Map<String, Layer> layers = layers(file);
        JsonNode config = config(file);
        Map<String, Map<String, List<Target>>> targets = new TreeMap<>();
        weights.forEach((component, dict) -> targets.put(component, targets(component, dict)));
        SortedMap<String, Merges> merges = new TreeMap<>();
        List<String> homeless = new ArrayList<>();
        List<String> unmatched = new ArrayList<>();
        List<String> misshapen = new ArrayList<>();
        layers.forEach((name, layer) -> {
            Place place = place(name, denoiser);
            String down = layer.down().name();
            if (!weights.containsKey(place.component())) {
                homeless.add(down);
                return;
            }
            Map<String, List<Target>> known = targets.get(place.component());
            List<Target> found =
                    known.getOrDefault(place.layer(), known.get(place.layer() + "_0")); // to_out is to_out.0
            if (found == null) {
                unmatched.add(down);
                return;
            }
            StateDict dict = weights.get(place.component());
            double ratio = ratio(file, layer, place, config);
            for (Target target : found) {
                List<Long> shape = dict.tensor(target.key()).shape();
                if (!fits(layer, shape, found.size())) {
                    misshapen.add(place.component() + "'s " + target.key() + " of the shape " + shape + " came "
                            + layer.up().shape() + " times " + layer.down().shape());
                    return;
                }
                Merges there = merges.computeIfAbsent(place.component(), none -> Merges.none());
                if (there.products().containsKey(target.key())) {
                    throw refused("expected a layer once, got " + down + " for " + target.key()
                            + ", which another of its names means too; take a file of one LoRA");
                }
                there.add(
                        target.key(),
                        new Merges.Product(
                                link,
                                down,
                                layer.up().name(),
                                scale,
                                ratio,
                                layer.up().shape().get(0) / target.of() * target.part()));
            }
        });
        complain(
                homeless,
                "is of a part that this checkpoint does not have or does not read: it has "
                        + String.join(", ", weights.keySet()));
        complain(
                unmatched,
                unmatched.stream().anyMatch(name -> name.startsWith(OF_PEFT))
                        ? "has PEFT's own names, which do not say of which component they are; save it by the pipeline's"
                                + " save_lora_weights of diffusers"
                        : "is called like no layer of this checkpoint");
        if (!misshapen.isEmpty()) {
            throw refused(
                    "expected a LoRA of this checkpoint's architecture, but for " + StateDict.abbreviate(misshapen)
                            + "; take one that was trained on a checkpoint of the same family");
        }
        return merges;
    }

    private CheckpointException refused(String why) {
        return new CheckpointException("with lora = " + location + ": " + why);
    }

    private void complain(List<String> tensors, String why) {
        if (!tensors.isEmpty()) {
            throw refused("expected the layers of this checkpoint, got " + StateDict.abbreviate(tensors) + ", which "
                    + why + (why.contains(";") ? "" : "; take a LoRA of the same family of checkpoints"));
        }
    }

    /** The layers by their names in the file. */
    private Map<String, Layer> layers(Safetensors file) {
        Map<String, Safetensors.Tensor> downs = new TreeMap<>();
        Map<String, Safetensors.Tensor> ups = new TreeMap<>();
        Map<String, Safetensors.Tensor> alphas = new TreeMap<>();
        List<String> strange = new ArrayList<>();
        for (Safetensors.Tensor tensor : file.tensors().values()) {
            Optional<Map.Entry<Map<String, Safetensors.Tensor>, String>> role = Stream.of(
                            Map.entry(DOWN, downs), Map.entry(UP, ups), Map.entry(ALPHA, alphas))
                    .flatMap(kind -> layer(kind.getKey(), tensor.name()).stream()
                            .map(layer -> Map.entry(kind.getValue(), layer)))
                    .findFirst();
            if (role.isEmpty()) {
                strange.add(tensor.name());
            } else if (role.get().getKey().put(role.get().getValue(), tensor) != null) {
                throw refused("expected a layer once, got " + tensor.name()
                        + " again under another name; take a file of" + " one LoRA");
            } else if (!tensor.type().isFloating()) {
                throw refused("expected numbers of F32, F16 or BF16, got " + tensor.name() + " of " + tensor.type()
                        + "; take a file that is not quantised");
            }
        }
        if (!strange.isEmpty() || downs.isEmpty()) {
            throw refused("expected a LoRA, whose tensors are called …lora_A.weight, …lora_down.weight or"
                    + " …lora.down.weight (with lora_B, lora_up or lora.up, and alpha), got "
                    + (strange.isEmpty() ? "none of them" : StateDict.abbreviate(strange)) + "; " + advice(strange));
        }
        List<String> halves = Stream.of(downs, ups, alphas)
                .flatMap(some -> some.entrySet().stream())
                .filter(half -> !downs.containsKey(half.getKey()) || !ups.containsKey(half.getKey()))
                .map(half -> half.getValue().name())
                .toList();
        if (!halves.isEmpty()) {
            throw refused("expected both factors of each layer, got " + StateDict.abbreviate(halves)
                    + " without the others; fetch the file again");
        }
        Map<String, Layer> layers = new TreeMap<>();
        downs.forEach((name, down) ->
                layers.put(name, new Layer(down, ups.get(name), Optional.ofNullable(alphas.get(name)))));
        return layers;
    }

    private static Optional<String> layer(Pattern kind, String name) {
        Matcher matcher = kind.matcher(name);
        return matcher.matches() ? Optional.of(matcher.group("layer")) : Optional.empty();
    }

    private static String advice(List<String> strange) {
        return OTHERS.entrySet().stream()
                .filter(other -> strange.stream()
                        .anyMatch(name -> other.getKey().matcher(name).find()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse("take the file of a LoRA alone, or " + FUSED);
    }

    /** Of which component a layer is; without a prefix, as diffusers' first files were, the denoiser. */
    private static Place place(String name, String denoiser) {
        String plain = name.replace(".processor.", ".");
        return PREFIXES.entrySet().stream()
                .filter(prefix -> plain.startsWith(prefix.getKey()))
                .findFirst()
                .map(prefix -> new Place(
                        prefix.getValue().equals(DENOISER) ? denoiser : prefix.getValue(),
                        plain.substring(prefix.getKey().length())))
                .orElseGet(() -> new Place(denoiser, plain));
    }

    /** A layer's name with underscores. What transformers 5.6 leaves out of an encoder's names goes. */
    private static String layer(String name) {
        String bare = name.endsWith(WEIGHT) ? name.substring(0, name.length() - WEIGHT.length()) : name;
        return bare.replaceFirst("^text_model[._]", "").replace('.', '_');
    }

    /** The weights of a component by their layers' names: its own, and those of the original code. */
    private static Map<String, List<Target>> targets(String component, StateDict dict) {
        Map<String, List<Target>> targets = new TreeMap<>();
        boolean isXl = dict.keys().stream().anyMatch(key -> key.startsWith("add_embedding."));
        for (String key : dict.keys()) {
            List<Long> shape = dict.tensor(key).shape();
            if (!key.endsWith(WEIGHT) || shape.size() < 2) {
                continue;
            }
            targets.put(layer(key), List.of(new Target(key, 0, 1)));
            String original =
                    switch (component) {
                        case "unet" -> (isXl ? LdmNames.UNET_XL : LdmNames.UNET).original(key);
                        case "transformer" -> LdmNames.MMDIT.original(key);
                        default -> key;
                    };
            Matcher joint = JOINT.matcher(key);
            if (original.endsWith(".qkv" + WEIGHT) && joint.matches()) {
                targets.computeIfAbsent(layer(original), none -> new ArrayList<>())
                        .add(new Target(key, "qkv".indexOf(joint.group("which")), 3));
            } else if (!original.equals(key)) {
                boolean isSwapped =
                        original.endsWith(".adaLN_modulation.1" + WEIGHT) && shape.get(0) == 2 * shape.get(1);
                targets.put(layer(original), List.of(isSwapped ? new Target(key, 1, 2) : new Target(key, 0, 1)));
            }
        }
        return targets;
    }

    /** Whether the factors' product can be added to a weight, or to so many of the same shape. */
    private static boolean fits(Layer layer, List<Long> weight, int targets) {
        List<Long> down = layer.down().shape();
        List<Long> up = layer.up().shape();
        return down.size() > 1
                && up.size() > 1
                && up.get(0) == targets * weight.get(0)
                && up.get(1).equals(down.get(0))
                && withoutOnes(up.subList(2, up.size())).isEmpty()
                && withoutOnes(down.subList(1, down.size())).equals(withoutOnes(weight.subList(1, weight.size())));
    }

    /** The same without extents of 1 at the end, which tell a kernel of one pixel from a matrix. */
    private static List<Long> withoutOnes(List<Long> shape) {
        int end = shape.size();
        while (end > 0 && shape.get(end - 1) == 1) {
            end--;
        }
        return shape.subList(0, end);
    }

    /** Alpha over the rank, or over its square root where the adapter's configuration says so. */
    private double ratio(Safetensors file, Layer layer, Place place, JsonNode config) {
        double rank = layer.down().shape().get(0);
        if (layer.alpha().isPresent()) {
            Safetensors.Tensor alpha = layer.alpha().get();
            if (alpha.size() != 1 || !Float.isFinite(file.floats(alpha.name())[0])) {
                throw refused("expected one number for alpha, got " + alpha.name() + " of the shape " + alpha.shape()
                        + (alpha.size() == 1 ? " that is not finite" : "") + "; fetch the file again");
            }
            return file.floats(alpha.name())[0] / rank;
        }
        JsonNode alpha = config.path(place.component() + ".lora_alpha");
        for (Map.Entry<String, JsonNode> pattern :
                config.path(place.component() + ".alpha_pattern").properties()) {
            if (Pattern.matches("(.*\\.)?(" + pattern.getKey() + ")", place.name())) {
                alpha = pattern.getValue();
                break;
            }
        }
        boolean isRoot = config.path(place.component() + ".use_rslora").asBoolean();
        return (alpha.isNumber() ? alpha.doubleValue() : rank) / (isRoot ? Math.sqrt(rank) : rank);
    }

    /** The adapter's configuration in the file's header, by component and key; an empty object where there is none. */
    private JsonNode config(Safetensors file) {
        String text = file.metadata().get(CONFIG);
        if (text == null) {
            return JsonNodeFactory.instance.objectNode();
        }
        try {
            JsonNode config = JsonObject.parse(text.getBytes(StandardCharsets.UTF_8), location + ": " + CONFIG)
                    .json();
            config.properties().forEach(entry -> {
                if (entry.getKey().endsWith(".use_dora") && entry.getValue().asBoolean()) {
                    throw refused("expected a LoRA, got DoRA by its header, which is not supported; " + FUSED);
                }
            });
            return config;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
