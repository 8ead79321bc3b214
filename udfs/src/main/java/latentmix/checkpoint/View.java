package latentmix.checkpoint;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * A checkpoint with overrides as a folder of its own, in the folder {@code views} of {@link Caches#dir}: links to the
 * files that are read, and the texts that differ. Its name is a hash of both.
 *
 * <p>What is added to weights is linked beside them, and {@link Merges} says how: {@link StateDict} adds it while it
 * reads. What is added to a vocabulary is a text beside it, {@link #TOKENS}.
 */
final class View {
    /** The text in a tokenizer's folder: an object of tokens, each with the ids of its vectors. */
    static final String TOKENS = "latentmix_tokens.json";

    private static final String CONFIG = "/config.json";
    private static final String VAE_CONFIG = "vae" + CONFIG;
    private static final String SCHEDULER = "scheduler/scheduler_config.json";

    private final SortedMap<String, Path> links = new TreeMap<>(); // by path below the folder
    private final SortedMap<String, String> texts = new TreeMap<>();

    private View() {}

    /**
     * The folder of a view.
     *
     * @param vae the folder of the autoencoder that takes the place of the checkpoint's
     * @param fetch finds the file of what is added, on this machine's disk
     * @throws CheckpointException if no component has weights of the variant that is asked for, or if what is added
     *     does not fit
     */
    static Path of(CheckpointFolder published, CheckpointSpec spec, Optional<Path> vae, Function<String, Path> fetch) {
        try {
            View view = new View();
            boolean hasVariant = false;
            for (String component : published.used()) {
                if (spec.reads(component)) {
                    hasVariant |= view.link(published, component, published.component(component), spec.variant());
                }
            }
            if (vae.isPresent()) {
                hasVariant |= view.link(published, "vae", vae.get(), spec.variant());
                view.scale(published, vae.get());
            }
            if (!spec.variant().isEmpty() && !hasVariant) {
                throw new CheckpointException("with variant = " + spec.variant() + ": no component of "
                        + published.path() + " has weights named like model." + spec.variant()
                        + ".safetensors; leave the variant out, or name one that is there");
            }
            view.edit(published, spec);
            if (!spec.loras().isEmpty() || !spec.embeddings().isEmpty()) {
                view.add(published, spec, fetch);
            }
            return view.folder();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot override parts of " + published.path(), e);
        }
    }

    /** Links what is read of a component; returns whether its weights are of the variant. */
    private boolean link(CheckpointFolder published, String component, Path folder, String variant) throws IOException {
        for (Path file : CheckpointFolder.texts(folder)) {
            if (!StateDict.isIndex(file.getFileName().toString())) {
                links.put(
                        component + "/" + file.getFileName(),
                        file.toAbsolutePath().normalize());
            }
        }
        if (!published.isNetwork(component)) {
            return false;
        }
        for (Path file : StateDict.files(folder, variant)) {
            links.put(
                    component + "/" + file.getFileName(), file.toAbsolutePath().normalize());
        }
        return StateDict.hasVariant(folder, variant);
    }

    /**
     * Says the scale of Stable Diffusion XL's latents in the config of an autoencoder that lay alone in a file, which
     * does not say whose it is.
     */
    private void scale(CheckpointFolder published, Path vae) {
        ObjectNode config = CheckpointFolder.config(vae).deepCopy();
        if (published.isStableDiffusionXl() && SingleFile.isAutoencoderAlone(config)) {
            links.remove(VAE_CONFIG);
            texts.put(
                    VAE_CONFIG,
                    config.put("scaling_factor", SingleFile.XL_SCALE).toPrettyString());
        }
    }

    private void edit(CheckpointFolder published, CheckpointSpec spec) throws IOException {
        Path index = published.path().resolve(CheckpointFolder.INDEX);
        if (published.components().stream().anyMatch(spec.without()::contains)) {
            ObjectNode json = (ObjectNode) JsonObject.read(index).json();
            spec.without()
                    .forEach(component -> json.putArray(component).addNull().addNull());
            texts.put(CheckpointFolder.INDEX, json.toPrettyString());
        } else {
            links.put(CheckpointFolder.INDEX, index.toAbsolutePath().normalize());
        }
        ObjectNode values =
                (ObjectNode) JsonObject.parse(spec.scheduler().getBytes(StandardCharsets.UTF_8), "scheduler")
                        .json();
        if (!values.isEmpty()) {
            ObjectNode json = (ObjectNode)
                    JsonObject.read(published.path().resolve(SCHEDULER)).json();
            json.setAll(values);
            links.remove(SCHEDULER);
            texts.put(SCHEDULER, json.toPrettyString());
        }
    }

    private void add(CheckpointFolder published, CheckpointSpec spec, Function<String, Path> fetch) {
        SortedMap<String, StateDict> weights = new TreeMap<>();
        SortedMap<String, Merges> all = new TreeMap<>();
        try {
            for (String component : published.networks()) {
                if (spec.reads(component) && !component.equals("vae")) {
                    weights.put(component, StateDict.open(published.component(component), spec.variant()));
                }
            }
            for (Lora lora : spec.loras()) {
                String link = "lora." + spec.loras().indexOf(lora) + ".safetensors";
                try (Safetensors file = opened("lora", lora.location(), fetch)) {
                    add(all, file, link, lora.merges(file, link, weights, published.denoiser()));
                }
            }
            SortedMap<String, ObjectNode> tokens = new TreeMap<>();
            SortedMap<String, Long> added = new TreeMap<>();
            for (Embedding embedding : spec.embeddings()) {
                String link = "embedding." + spec.embeddings().indexOf(embedding) + ".safetensors";
                try (Safetensors file = opened("embedding", embedding.location(), fetch)) {
                    SortedMap<String, Merges> rows = embedding.merges(file, link, weights);
                    add(all, file, link, rows);
                    rows.forEach((component, more) -> {
                        StateDict dict = weights.get(component);
                        long begin = dict.tensor(Embedding.table(dict).orElseThrow())
                                        .shape()
                                        .get(0)
                                + added.getOrDefault(component, 0L);
                        long count = more.counted(Map.of(link, file));
                        added.merge(component, count, Long::sum);
                        ObjectNode node =
                                tokens.computeIfAbsent(component, none -> JsonNodeFactory.instance.objectNode());
                        if (node.has(embedding.token())) {
                            throw new CheckpointException("with embedding = " + embedding.location()
                                    + ": expected a token of its own, got " + embedding.token()
                                    + ", which another embedding has; choose another token");
                        }
                        LongStream.range(begin, begin + count).forEach(node.putArray(embedding.token())::add);
                    });
                }
            }
            all.forEach((component, merges) -> texts.put(component + "/" + Merges.FILE, merges.text()));
            tokens.forEach((encoder, node) ->
                    texts.put(encoder.replace("text_encoder", "tokenizer") + "/" + TOKENS, node.toPrettyString()));
            added.forEach((encoder, count) -> widen(published, encoder, weights.get(encoder), count));
        } finally {
            weights.values().forEach(StateDict::close);
        }
    }

    private static Safetensors opened(String what, String location, Function<String, Path> fetch) {
        try {
            return Safetensors.open(fetch.apply(location));
        } catch (CheckpointException | IllegalArgumentException e) {
            throw new CheckpointException("with " + what + " = " + location + ": " + e.getMessage(), e);
        }
    }

    /** Notes what a file adds, and links it beside the weights. */
    private void add(Map<String, Merges> all, Safetensors file, String link, Map<String, Merges> added) {
        added.forEach((component, merges) -> {
            all.computeIfAbsent(component, none -> Merges.none()).addAll(merges);
            links.put(component + "/" + link, file.path().toAbsolutePath().normalize());
        });
    }

    /** Says in a text encoder's config how many tokens there are. */
    private void widen(CheckpointFolder published, String encoder, StateDict weights, long count) {
        ObjectNode config = (ObjectNode)
                JsonObject.read(published.path().resolve(encoder + CONFIG)).json();
        long tokens =
                weights.tensor(Embedding.table(weights).orElseThrow()).shape().get(0);
        config.put("vocab_size", tokens + count).put(CheckpointFolder.ADDED_TOKENS, count);
        links.remove(encoder + CONFIG);
        texts.put(encoder + CONFIG, config.toPrettyString());
    }

    private Path folder() throws IOException {
        String key =
                Fingerprint.ofText(Stream.concat(lines(links), lines(texts)).collect(Collectors.joining("\n")));
        Path folder = Caches.dir().resolve("views").resolve(key.substring(0, 32));
        if (!isWhole(folder)) {
            Caches.publishFolder(folder, this::write);
        }
        return folder;
    }

    private static Stream<String> lines(Map<String, ?> files) {
        return files.entrySet().stream().map(file -> file.getKey() + " " + file.getValue());
    }

    private void write(Path folder) throws IOException {
        for (Map.Entry<String, Path> link : links.entrySet()) {
            Path file = folder.resolve(link.getKey());
            Files.createDirectories(file.getParent());
            Files.createSymbolicLink(file, link.getValue());
        }
        for (Map.Entry<String, String> text : texts.entrySet()) {
            Path file = folder.resolve(text.getKey());
            Files.createDirectories(file.getParent());
            Files.writeString(file, text.getValue());
        }
    }

    private boolean isWhole(Path folder) throws IOException {
        for (Map.Entry<String, Path> link : links.entrySet()) {
            Path file = folder.resolve(link.getKey());
            if (!Files.isSymbolicLink(file) || !Files.readSymbolicLink(file).equals(link.getValue())) {
                return false;
            }
        }
        for (Map.Entry<String, String> text : texts.entrySet()) {
            Path file = folder.resolve(text.getKey());
            byte[] expected = text.getValue().getBytes(StandardCharsets.UTF_8);
            if (!Files.isRegularFile(file) || !Arrays.equals(Files.readAllBytes(file), expected)) {
                return false;
            }
        }
        return true;
    }
}
