package latentmix.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A checkpoint in <a href="https://huggingface.co/docs/diffusers/using-diffusers/loading">diffusers layout</a>:
 * {@code model_index.json} and a folder for each component that it names.
 */
public final class CheckpointFolder {
    static final String INDEX = "model_index.json";

    /** The key of an index or of a component's config that says of which single file it was made. */
    static final String ORIGIN = "_single_file";

    /** The key of a view's text encoder that says how many of its tokens are no part of its own vocabulary. */
    public static final String ADDED_TOKENS = "_added_tokens";

    /** Names of files that are read beside weights: configurations, vocabularies, tokenizers' models. */
    static final String TEXT = ".*\\.(json|txt|model)";

    private static final String STABLE_DIFFUSION_PIPELINE = "StableDiffusionPipeline";
    private static final String STABLE_DIFFUSION_XL_PIPELINE = "StableDiffusionXLPipeline";
    private static final String UNET = "unet";
    private static final String TRANSFORMER = "transformer";
    private static final String SECOND_TEXT_ENCODER = "text_encoder_2";
    private static final String T5_ENCODER = "text_encoder_3";
    private static final String T5_TOKENIZER = "tokenizer_3";
    /** Components of a StableDiffusionPipeline. */
    private static final List<String> STABLE_DIFFUSION = List.of("scheduler", "text_encoder", "tokenizer", UNET, "vae");
    /** Components of a StableDiffusionXLPipeline. */
    private static final List<String> STABLE_DIFFUSION_XL =
            List.of("scheduler", "text_encoder", SECOND_TEXT_ENCODER, "tokenizer", "tokenizer_2", UNET, "vae");
    /** Components of a StableDiffusion3Pipeline, which runs without T5 too. */
    private static final List<String> STABLE_DIFFUSION_3 =
            List.of("scheduler", "text_encoder", SECOND_TEXT_ENCODER, "tokenizer", "tokenizer_2", TRANSFORMER, "vae");
    /** Components of a DiTPipeline, which is told classes by their numbers. */
    private static final List<String> DIT = List.of("scheduler", TRANSFORMER, "vae");

    private static final String LABELS = "id2label";

    private final Path path;
    private final JsonNode index;
    private String fingerprint;

    private CheckpointFolder(Path path, JsonNode index) {
        this.path = path;
        this.index = index;
    }

    /** Opens a checkpoint folder: its index and every component's folder and config are read, its weights are not. */
    public static CheckpointFolder open(Path path) {
        return open(path, CheckpointSpec.of(path.toString()));
    }

    /** Opens a checkpoint folder of which some components are not read. */
    static CheckpointFolder open(Path path, CheckpointSpec spec) {
        if (!Files.isDirectory(path)) {
            throw noFolder(path);
        }
        refuseSingleFiles(path);
        CheckpointFolder folder = indexed(path);
        if (folder.index.path("requires_aesthetics_score").asBoolean()) {
            throw new CheckpointException(
                    path.resolve(INDEX) + ": expected a checkpoint that makes images of prompts, got"
                            + " Stable Diffusion XL's refiner (requires_aesthetics_score), which is told an aesthetic score; take"
                            + " the base checkpoint");
        }
        for (String component : folder.used()) {
            if (!spec.reads(component)) {
                continue;
            }
            if (!folder.components().contains(component)) {
                throw new CheckpointException(path.resolve(INDEX) + " should name the component " + component
                        + ", names " + folder.components() + "; fetch the whole checkpoint");
            }
            if (!Files.isDirectory(folder.component(component))) {
                throw CheckpointFile.missing(
                        folder.component(component),
                        path.resolve(INDEX) + " names the component " + component
                                + ", but there is no folder " + folder.component(component)
                                + (component.equals(T5_ENCODER) || component.equals(T5_TOKENIZER)
                                        ? "; fetch it, or set model." + T5_ENCODER + ": null to run without T5"
                                        : "; fetch the whole checkpoint"));
            }
        }
        for (String component : folder.networks()) {
            if (spec.reads(component)) {
                folder.config(component);
                StateDict.files(folder.component(component), spec.variant());
            }
        }
        folder.schedulerConfig();
        return folder;
    }

    /** The refusal of what is no folder, or nothing. */
    static CheckpointException noFolder(Path path) {
        if (!Files.exists(path)) {
            return CheckpointFile.missing(path, "There is no checkpoint folder " + path);
        }
        return CheckpointFile.refusal(path.toString())
                .orElseGet(() -> new CheckpointException("expected a checkpoint's folder, which has a " + INDEX
                        + ", got the file " + path + "; name its folder"));
    }

    /** Refuses a folder that has checkpoints in one file and is none itself. */
    private static void refuseSingleFiles(Path path) {
        if (Files.exists(path.resolve(INDEX), LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (Stream<Path> entries = Files.list(path)) {
            List<String> names = entries.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(SingleFile.ENDING))
                    .sorted()
                    .toList();
            if (!names.isEmpty()) {
                throw new CheckpointException("expected a checkpoint's folder, which has a " + INDEX + ", got " + path
                        + ", which has " + StateDict.abbreviate(names) + "; name a checkpoint in one file by its path");
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot list " + path, e);
        }
    }

    /** A checkpoint folder of which the index alone is read: it tells what else is needed. */
    static CheckpointFolder indexed(Path path) {
        return new CheckpointFolder(path, JsonObject.read(path.resolve(INDEX)).json());
    }

    /**
     * The weight files that would be read of a checkpoint or a component, by path below its folder.
     *
     * @param path the folder, whose texts are there
     * @param names all that it would have
     * @param spec what is left out of a checkpoint, and the variant
     */
    static List<String> weights(Path path, Set<String> names, CheckpointSpec spec) {
        List<String> folders = names.contains(INDEX)
                ? indexed(path).networks().stream().filter(spec::reads).toList()
                : List.of("");
        List<String> weights = new ArrayList<>();
        for (String folder : folders) {
            String below = folder.isEmpty() ? "" : folder + "/";
            Set<String> inside = names.stream()
                    .filter(name -> name.startsWith(below) && name.indexOf('/', below.length()) < 0)
                    .map(name -> name.substring(below.length()))
                    .collect(Collectors.toSet());
            StateDict.files(path.resolve(folder), inside, spec.variant()).stream()
                    .map(name -> below + name)
                    .filter(names::contains) // one that is missing is named when the folder is opened
                    .forEach(weights::add);
        }
        return weights;
    }

    public Path path() {
        return path;
    }

    /** What the folder was made of, where that was a single file. */
    public Optional<String> origin() {
        return Optional.ofNullable(index.path(ORIGIN).path(SingleFile.MADE_OF).textValue());
    }

    /** The tensors of that single file that are in no component, by name. */
    public List<String> ignored() {
        return ignored(index);
    }

    /** The LoRAs that a view adds to the checkpoint's weights, each in a line. */
    public List<String> loras() {
        SortedMap<String, List<String>> lines = new TreeMap<>(); // by the file's name here
        for (String component : networks()) {
            Merges merges = Merges.of(component(component));
            for (String link : merges.files()) {
                double scale = merges.scale(link).orElse(Double.NaN);
                if (!Double.isNaN(scale)) {
                    lines.computeIfAbsent(
                                    link,
                                    first -> new ArrayList<>(
                                            List.of(linked(component(component).resolve(link)) + ", scale " + scale)))
                            .add(merges.layers(link) + " layers of " + component);
                }
            }
        }
        return lines.values().stream().map(parts -> String.join(", ", parts)).toList();
    }

    private static Path linked(Path link) {
        try {
            return Files.readSymbolicLink(link);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + link, e);
        }
    }

    /** The tokens that a view adds to the checkpoint's vocabularies, each in a line. */
    public List<String> tokens() {
        List<String> lines = new ArrayList<>();
        for (String tokenizer : tokenizers()) {
            addedTokens(component(tokenizer))
                    .forEach((token, ids) -> lines.add(token + ", " + ids.size() + " vectors, in " + tokenizer));
        }
        return lines;
    }

    /** The tokens that a view adds to a tokenizer's vocabulary, each with the ids of its vectors, in order. */
    public static Map<String, List<Long>> addedTokens(Path tokenizer) {
        Map<String, List<Long>> tokens = new LinkedHashMap<>();
        Path file = tokenizer.resolve(View.TOKENS);
        if (Files.exists(file)) {
            JsonObject.read(file).json().properties().forEach(entry -> {
                List<Long> ids = new ArrayList<>();
                entry.getValue().forEach(id -> ids.add(id.longValue()));
                tokens.put(entry.getKey(), ids);
            });
        }
        return tokens;
    }

    /** The same of a component that is alone in a single file. */
    public static List<String> ignored(Path component) {
        return ignored(config(component));
    }

    private static List<String> ignored(JsonNode json) {
        List<String> names = new ArrayList<>();
        json.path(ORIGIN).path(SingleFile.IGNORED).forEach(name -> names.add(name.asText()));
        return names;
    }

    /** The names of a component's tensors in the single file that it was made of, where it was made of one. */
    public static Optional<UnaryOperator<String>> published(Path component) {
        JsonNode origin = config(component).path(ORIGIN);
        return origin.isObject() ? Optional.of(name -> SingleFile.published(origin, name)) : Optional.empty();
    }

    /** The pipeline's class, such as StableDiffusionPipeline; where the index names none, that of its denoiser. */
    public String pipeline() {
        return index.path("_class_name")
                .asText(
                        denoiser().equals(TRANSFORMER)
                                ? index.path(TRANSFORMER).path(1).asText().startsWith("DiT")
                                        ? "DiTPipeline"
                                        : "StableDiffusion3Pipeline"
                                : components().contains(SECOND_TEXT_ENCODER)
                                        ? STABLE_DIFFUSION_XL_PIPELINE
                                        : STABLE_DIFFUSION_PIPELINE);
    }

    /** The names of the components that this checkpoint has: those of the index that name a class. */
    public Set<String> components() {
        Set<String> names = new TreeSet<>();
        index.properties().forEach(entry -> {
            JsonNode libraryAndClass = entry.getValue();
            if (libraryAndClass.isArray() && libraryAndClass.path(1).isTextual()) {
                names.add(entry.getKey());
            }
        });
        return names;
    }

    /** The component that denoises: a U-Net, or the transformer of Stable Diffusion 3 or of DiT. */
    public String denoiser() {
        return components().contains(TRANSFORMER) ? TRANSFORMER : UNET;
    }

    /** Whether it is a Stable Diffusion XL: a U-Net that two text encoders tell the prompt. */
    public boolean isStableDiffusionXl() {
        return denoiser().equals(UNET) && pipeline().startsWith("StableDiffusionXL");
    }

    /** Whether it is a DiT: a transformer that is told classes by their numbers, and has no text encoder. */
    public boolean isDit() {
        return denoiser().equals(TRANSFORMER) && pipeline().startsWith("DiT");
    }

    /** What the classes of a DiT are called, by their numbers; the synonyms of one are separated by commas. */
    public SortedMap<Integer, String> labels() {
        SortedMap<Integer, String> labels = new TreeMap<>();
        index.path(LABELS).properties().forEach(entry -> {
            if (!entry.getKey().matches("\\d{1,9}") || !entry.getValue().isTextual()) {
                throw new CheckpointException(path.resolve(INDEX) + ": " + LABELS
                        + " must have texts by numbers, cannot have: \"" + entry.getKey() + "\": " + entry.getValue());
            }
            labels.put(Integer.parseInt(entry.getKey()), entry.getValue().textValue());
        });
        return labels;
    }

    /** Whether the embeddings of an empty prompt are zeros; only Stable Diffusion XL asks. */
    public boolean forcesZerosForEmptyPrompt() {
        return index.path("force_zeros_for_empty_prompt").asBoolean(true);
    }

    /** Whether a T5 encodes prompts beside the two CLIP encoders of Stable Diffusion 3. */
    public boolean hasT5() {
        return denoiser().equals(TRANSFORMER)
                && !isDit()
                && (components().contains(T5_ENCODER) || components().contains(T5_TOKENIZER));
    }

    /** The components that are networks, by name. */
    public List<String> networks() {
        return used().stream().filter(this::isNetwork).toList();
    }

    boolean isNetwork(String component) {
        return !component.equals("scheduler") && !component.startsWith("tokenizer");
    }

    /** The components that are tokenizers, by name, each for the text encoder of the same ending. */
    public List<String> tokenizers() {
        return used().stream()
                .filter(component -> component.startsWith("tokenizer"))
                .toList();
    }

    /** The components that results depend on, by name; others, such as a safety checker, are not read. */
    List<String> used() {
        Set<String> names = new TreeSet<>(
                denoiser().equals(TRANSFORMER)
                        ? isDit() ? DIT : STABLE_DIFFUSION_3
                        : isStableDiffusionXl() ? STABLE_DIFFUSION_XL : STABLE_DIFFUSION);
        if (hasT5()) {
            names.addAll(List.of(T5_ENCODER, T5_TOKENIZER));
        }
        return List.copyOf(names);
    }

    /** A component's folder. */
    public Path component(String name) {
        return path.resolve(name);
    }

    /** A component's config.json, corrected where the checkpoint's pipeline corrects it. */
    public JsonNode config(String component) {
        return component.equals(UNET) ? unet().json() : config(component(component));
    }

    /**
     * The config.json of a component folder, wherever it lies, with the class of the index beside where it has none.
     */
    public static JsonNode config(Path component) {
        JsonObject file = JsonObject.read(component.resolve("config.json"));
        Path path = component.toAbsolutePath().normalize();
        Path index = path.resolveSibling(INDEX);
        if (file.has("_class_name") || file.has("architectures") || !Files.isRegularFile(index)) {
            return file.json();
        }
        return named(
                file.json(),
                JsonObject.read(index).json().path(path.getFileName().toString()));
    }

    /** A config with the class of an index's entry, a library and a class. */
    private static JsonNode named(JsonNode config, JsonNode libraryAndClass) {
        if (!libraryAndClass.path(1).isTextual()) {
            return config;
        }
        ObjectNode named = config.deepCopy();
        String name = libraryAndClass.get(1).textValue();
        if (libraryAndClass.path(0).asText().equals("transformers")) {
            named.putArray("architectures").add(name);
        } else {
            named.put("_class_name", name);
        }
        return named;
    }

    private Corrected unet() {
        if (!denoiser().equals(UNET)) {
            return new Corrected(JsonNodeFactory.instance.objectNode(), List.of());
        }
        JsonNode config = config(component(UNET));
        return isCorrected() ? Corrected.unet(config, "unet/config.json") : new Corrected(config, List.of());
    }

    private Corrected scheduler() {
        JsonObject file = JsonObject.read(component("scheduler").resolve("scheduler_config.json"));
        JsonNode config = file.has("_class_name") ? file.json() : named(file.json(), index.path("scheduler"));
        return isCorrected()
                ? Corrected.scheduler(config, "scheduler/scheduler_config.json")
                : new Corrected(config, List.of());
    }

    /** Whether the pipeline is one of those that correct old configurations. */
    private boolean isCorrected() {
        return denoiser().equals(UNET) && pipeline().startsWith("StableDiffusion") && !isStableDiffusionXl();
    }

    /** The scheduler's configuration, corrected where the checkpoint's pipeline corrects it. */
    public JsonNode schedulerConfig() {
        return scheduler().json();
    }

    /** What is corrected of old configurations, and what is assumed of a single file, each in a line. */
    public List<String> corrections() {
        boolean isAssumed = schedulerConfig().path("prediction_type").asText().equals("v_prediction"); // and not set
        return Stream.concat(
                        Stream.ofNullable(index.path(ORIGIN)
                                        .path(SingleFile.ASSUMED)
                                        .textValue())
                                .filter(text -> isAssumed),
                        Stream.of(unet(), scheduler()).flatMap(corrected -> corrected.said().stream()))
                .toList();
    }

    /**
     * SHA-256, in hex, of everything that a result can depend on: the index, every component's text files and the
     * weight files that are read. It does not depend on where the folder lies.
     */
    public synchronized String fingerprint() {
        if (fingerprint == null) {
            Set<Path> files = new LinkedHashSet<>(List.of(path.resolve(INDEX)));
            for (String component : used()) {
                files.addAll(texts(component(component)));
                if (networks().contains(component)) {
                    files.addAll(StateDict.files(component(component)));
                }
            }
            fingerprint = Fingerprint.ofFiles(path, List.copyOf(files));
        }
        return fingerprint;
    }

    /** The SHA-256, in hex, of the weight files of a component folder and its config. */
    public static String fingerprint(Path component) {
        List<Path> files = new ArrayList<>(StateDict.files(component));
        files.add(component.resolve("config.json"));
        return Fingerprint.ofFiles(component, files);
    }

    static List<Path> texts(Path component) {
        try (Stream<Path> entries = Files.list(component)) {
            return entries.filter(file -> file.toString().matches(TEXT))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot list " + component, e);
        }
    }
}
