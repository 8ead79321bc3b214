package latentmix.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The weights of one component folder, from one safetensors file or from the shards that an index lists.
 *
 * <p>Names are those that diffusers and transformers write: {@code <stem>.safetensors},
 * {@code <stem>.safetensors.index.json} with {@code <stem>-00001-of-00002.safetensors}, and each with a variant, such
 * as {@code <stem>.fp16.safetensors}. Without a variant comes first, then fp16, then bf16.
 */
public final class StateDict implements AutoCloseable {
    private static final Pattern SINGLE =
            Pattern.compile("(?:diffusion_pytorch_model|model)(?:\\.(?<variant>[A-Za-z0-9_]+))?\\.safetensors");
    private static final Pattern INDEX =
            Pattern.compile("(?:diffusion_pytorch_model|model)(?:\\.(?<early>[A-Za-z0-9_]+))?"
                    + "\\.safetensors\\.index(?:\\.(?<variant>[A-Za-z0-9_]+))?\\.json");
    private static final List<String> PREFERRED = List.of("", "fp16", "bf16");

    private record Located(Safetensors file, Safetensors.Tensor tensor) {}

    private final Path folder;
    private final List<Safetensors> files;
    private final Map<String, Located> tensors = new LinkedHashMap<>();

    private StateDict(Path folder, List<Safetensors> files) {
        this.folder = folder;
        this.files = List.copyOf(files);
    }

    /** Opens the weights of a component folder. */
    public static StateDict open(Path folder) {
        Path source = weights(folder);
        if (source.getFileName().toString().endsWith(".safetensors")) {
            return open(folder, List.of(source));
        }
        Map<String, String> index = index(source);
        StateDict dict = open(folder, shards(source));
        List<String> missing = index.keySet().stream()
                .filter(key -> !dict.tensors.containsKey(key))
                .toList();
        if (!missing.isEmpty()) {
            dict.close();
            throw new CheckpointException(source + " lists tensors that none of its files has: " + abbreviate(missing));
        }
        return dict;
    }

    private static StateDict open(Path folder, List<Path> paths) {
        List<Safetensors> opened = new ArrayList<>();
        try {
            for (Path path : paths) {
                opened.add(Safetensors.open(path));
            }
            StateDict dict = new StateDict(folder, opened);
            for (Safetensors file : opened) {
                for (Safetensors.Tensor tensor : file.tensors().values()) {
                    Located other = dict.tensors.put(tensor.name(), new Located(file, tensor));
                    if (other != null) {
                        throw new CheckpointException("The tensor " + tensor.name() + " is in both " + file.path()
                                + " and " + other.file().path());
                    }
                }
            }
            return dict;
        } catch (RuntimeException e) {
            opened.forEach(Safetensors::close);
            throw e;
        }
    }

    /** The files that {@link #open} reads: an index if there is one, and the safetensors. */
    public static List<Path> files(Path folder) {
        Path source = weights(folder);
        if (source.getFileName().toString().endsWith(".safetensors")) {
            return List.of(source);
        }
        List<Path> files = new ArrayList<>(shards(source));
        files.add(0, source);
        return files;
    }

    /**
     * The names of the weight files that would be read of a folder with these names in it; an index of shards must be
     * there.
     */
    static List<String> files(Path folder, Collection<String> names) {
        String source = weights(folder, names);
        if (source.endsWith(".safetensors")) {
            return List.of(source);
        }
        Set<String> files = new LinkedHashSet<>(List.of(source));
        files.addAll(index(folder.resolve(source)).values());
        return List.copyOf(files);
    }

    private static List<Path> shards(Path index) {
        List<Path> shards = new ArrayList<>();
        for (String name : new LinkedHashSet<>(index(index).values())) {
            Path shard = index.resolveSibling(name);
            if (!name.equals(shard.getFileName().toString()) || !Files.isRegularFile(shard)) {
                throw new CheckpointException(index + " names the file " + name + ", which is not there; fetch it too");
            }
            shards.add(shard);
        }
        return shards;
    }

    private static Map<String, String> index(Path path) {
        JsonNode map = JsonObject.read(path).json().path("weight_map");
        if (!map.isObject() || map.isEmpty()) {
            throw new CheckpointException(path + " should have an object weight_map of tensor names to files");
        }
        Map<String, String> index = new LinkedHashMap<>();
        map.properties()
                .forEach(entry -> index.put(entry.getKey(), entry.getValue().asText()));
        return index;
    }

    /** The one safetensors file or index to read, by order of preference. */
    private static Path weights(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new CheckpointException("There is no component folder " + folder);
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return folder.resolve(weights(
                    folder, entries.map(path -> path.getFileName().toString()).toList()));
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot list " + folder, e);
        }
    }

    private static String weights(Path folder, Collection<String> names) {
        Map<String, String> byVariant = new TreeMap<>();
        List<String> pickles = new ArrayList<>();
        for (String name : new TreeSet<>(names)) {
            Matcher single = SINGLE.matcher(name);
            Matcher index = INDEX.matcher(name);
            if (single.matches()) { // wins over an index of the same variant
                byVariant.put(orEmpty(single.group("variant")), name);
            } else if (index.matches()) {
                byVariant.putIfAbsent(orEmpty(index.group("early")) + orEmpty(index.group("variant")), name);
            } else if (name.endsWith(".bin") || name.endsWith(".ckpt") || name.endsWith(".pt")) {
                pickles.add(name);
            }
        }
        for (String variant : PREFERRED) {
            if (byVariant.containsKey(variant)) {
                return byVariant.get(variant);
            }
        }
        if (byVariant.size() == 1) {
            return byVariant.values().iterator().next();
        }
        if (!byVariant.isEmpty()) {
            throw new CheckpointException(
                    folder + " has weights in several variants, none of them plain, fp16 or bf16: " + byVariant.keySet()
                            + "; keep one");
        }
        if (!pickles.isEmpty()) {
            throw new CheckpointException(folder + " has its weights only as pickle (" + abbreviate(pickles)
                    + "), which can run code and is never opened; use the checkpoint's safetensors files, or convert it"
                    + " where you trust it");
        }
        throw new CheckpointException(
                folder + " should hold diffusion_pytorch_model.safetensors or model.safetensors, and has neither");
    }

    /**
     * This state dict with other names for its tensors. The new names must be distinct. Closing either state dict
     * closes both.
     */
    public StateDict renamed(Map<Pattern, String> rules) {
        StateDict dict = new StateDict(folder, files);
        tensors.forEach((key, located) -> {
            String name = key;
            for (Map.Entry<Pattern, String> rule : rules.entrySet()) {
                name = rule.getKey().matcher(name).replaceFirst(rule.getValue());
            }
            if (dict.tensors.put(name, located) != null) {
                throw new CheckpointException(folder + " has " + name + " under two names, one of them " + key);
            }
        });
        return dict;
    }

    public Path folder() {
        return folder;
    }

    public Set<String> keys() {
        return Collections.unmodifiableSet(tensors.keySet());
    }

    /** Type and shape of the tensor with this key; its own name is that in the file. */
    public Safetensors.Tensor tensor(String key) {
        return located(key).tensor();
    }

    /** Fills the buffer's remaining bytes with the tensor's from offset on. */
    public void read(String key, long offset, ByteBuffer into) {
        Located located = located(key);
        located.file().read(located.tensor(), offset, into);
    }

    /** All values of a tensor of a floating type. */
    public float[] floats(String key) {
        Located located = located(key);
        return located.file().floats(located.tensor().name());
    }

    private Located located(String key) {
        Located located = tensors.get(key);
        if (located == null) {
            throw new CheckpointException("The weights in " + folder + " lack the tensor " + key);
        }
        return located;
    }

    @Override
    public void close() {
        files.forEach(Safetensors::close);
    }

    private static String orEmpty(String group) {
        return group == null ? "" : group;
    }

    /** The first names of a list that may be long. */
    public static String abbreviate(List<String> names) {
        int shown = Math.min(names.size(), 5);
        return String.join(", ", names.subList(0, shown))
                + (shown < names.size() ? " and " + (names.size() - shown) + " more" : "");
    }
}
