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
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.codec.LittleEndian;

/**
 * The weights of one component folder, from one safetensors file or from the shards that an index lists.
 *
 * <p>Names are those that diffusers and transformers write: {@code <stem>.safetensors},
 * {@code <stem>.safetensors.index.json} with {@code <stem>-00001-of-00002.safetensors}, and each with a variant, such
 * as {@code <stem>.fp16.safetensors}. Without a variant comes first, then fp16, then bf16, and complete sets of shards
 * before others. A complete set needs no index.
 */
public final class StateDict implements AutoCloseable {
    private static final Pattern SINGLE =
            Pattern.compile("(?:diffusion_pytorch_model|model)(?:\\.(?<variant>[A-Za-z0-9_]+))?\\.safetensors");
    private static final Pattern INDEX =
            Pattern.compile("(?:diffusion_pytorch_model|model)(?:\\.(?<early>[A-Za-z0-9_]+))?"
                    + "\\.safetensors\\.index(?:\\.(?<variant>[A-Za-z0-9_]+))?\\.json");
    private static final List<String> PREFERRED = List.of("", "fp16", "bf16");

    private static final Pattern FIRST_SHARD =
            Pattern.compile("(?:diffusion_pytorch_model|model)(?:\\.(?<early>[A-Za-z0-9_]+))?"
                    + "-00001-of-(?<count>[0-9]{5})(?:\\.(?<variant>[A-Za-z0-9_]+))?\\.safetensors");

    /** How a pickle becomes safetensors, in the library that wrote it. */
    static final String CONVERSION =
            "pipeline.save_pretrained(folder, safe_serialization=True) of diffusers writes them";

    /**
     * The weights of one variant.
     *
     * @param index the name of the index that lists the files, if there is one
     */
    private record Source(Optional<String> index, List<String> files) {
        /** The files, which must all be there. */
        List<Path> shards(Path folder) {
            for (String name : files) {
                Path shard = folder.resolve(name);
                if (index.isPresent()
                        && (!name.equals(shard.getFileName().toString()) || !Files.isRegularFile(shard))) {
                    throw CheckpointFile.missing(
                            shard,
                            folder.resolve(index.get()) + " names the file " + name
                                    + ", which is not there; fetch it too");
                }
            }
            return files.stream().map(folder::resolve).toList();
        }
    }

    private record Located(Safetensors file, Safetensors.Tensor tensor) {}

    private final Path folder;
    private final List<Safetensors> files;
    private final Merges merges;
    private final Map<String, Safetensors> beside; // what is merged, by name
    private final Map<String, Located> tensors = new LinkedHashMap<>();

    private StateDict(Path folder, List<Safetensors> files, Merges merges, Map<String, Safetensors> beside) {
        this.folder = folder;
        this.files = List.copyOf(files);
        this.merges = merges;
        this.beside = Map.copyOf(beside);
    }

    /** Opens the weights of a component folder, with what a view merges into them. */
    public static StateDict open(Path folder) {
        return open(folder, "");
    }

    /** The same of a variant, where the folder has it. */
    static StateDict open(Path folder, String variant) {
        Source source = source(folder, variant);
        StateDict dict = open(folder, source.shards(folder));
        if (source.index().isPresent()) {
            Path index = folder.resolve(source.index().get());
            List<String> missing = index(index).keySet().stream()
                    .filter(key -> !dict.tensors.containsKey(key))
                    .toList();
            if (!missing.isEmpty()) {
                dict.close();
                throw new CheckpointException(
                        index + " lists tensors that none of its files has: " + abbreviate(missing));
            }
        }
        return dict;
    }

    private static StateDict open(Path folder, List<Path> paths) {
        List<Safetensors> opened = new ArrayList<>();
        Map<String, Safetensors> beside = new TreeMap<>();
        try {
            Merges merges = Merges.of(folder);
            for (String name : merges.files()) {
                beside.put(name, Safetensors.open(folder.resolve(name)));
            }
            for (Path path : paths) {
                opened.add(Safetensors.open(path));
            }
            StateDict dict = new StateDict(folder, opened, merges, beside);
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
            beside.values().forEach(Safetensors::close);
            throw e;
        }
    }

    /** The files that {@link #open} reads: an index if there is one, the safetensors, and what is merged into them. */
    public static List<Path> files(Path folder) {
        return files(folder, "");
    }

    /** The same of a variant, where the folder has it. */
    static List<Path> files(Path folder, String variant) {
        Source source = source(folder, variant);
        List<Path> files = new ArrayList<>(source.shards(folder));
        source.index().ifPresent(index -> files.add(0, folder.resolve(index)));
        List<String> beside = Merges.of(folder).files();
        if (!beside.isEmpty()) {
            files.add(folder.resolve(Merges.FILE));
            beside.forEach(name -> files.add(folder.resolve(name)));
        }
        return files;
    }

    /**
     * The names of the weight files that would be read of a folder with these names in it; an index of shards must be
     * there.
     */
    static List<String> files(Path folder, Collection<String> names, String variant) {
        Source source = source(folder, names, variant);
        Set<String> files = new LinkedHashSet<>(source.index().stream().toList());
        files.addAll(source.files());
        return List.copyOf(files);
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

    /** Whether the folder has weights of this variant. */
    static boolean hasVariant(Path folder, String variant) {
        return sources(folder, new TreeSet<>(names(folder))).containsKey(variant);
    }

    /** Whether this is the name of an index of shards. */
    static boolean isIndex(String name) {
        return INDEX.matcher(name).matches();
    }

    private static Source source(Path folder, String variant) {
        return source(folder, names(folder), variant);
    }

    private static List<String> names(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw CheckpointFile.missing(folder, "There is no component folder " + folder);
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(path -> path.getFileName().toString()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot list " + folder, e);
        }
    }

    /**
     * What is read of a folder with these names in it: the variant that is asked for, else the first that is complete,
     * by order of preference.
     */
    private static Source source(Path folder, Collection<String> names, String variant) {
        Map<String, Source> byVariant = sources(folder, new TreeSet<>(names));
        if (!variant.isEmpty() && byVariant.containsKey(variant)) {
            return byVariant.get(variant);
        }
        List<Source> preferred = PREFERRED.stream()
                .filter(byVariant::containsKey)
                .map(byVariant::get)
                .toList();
        if (!preferred.isEmpty()) {
            return preferred.stream()
                    .filter(source -> names.containsAll(source.files()))
                    .findFirst()
                    .orElse(preferred.get(0));
        }
        if (byVariant.size() == 1) {
            return byVariant.values().iterator().next();
        }
        if (!byVariant.isEmpty()) {
            throw new CheckpointException(
                    folder + " has weights in several variants, none of them plain, fp16 or bf16: " + byVariant.keySet()
                            + "; name one in model.variant");
        }
        throw withoutWeights(folder, names);
    }

    private static Map<String, Source> sources(Path folder, SortedSet<String> names) {
        Map<String, Source> byVariant = new TreeMap<>();
        for (String name : names) { // a file wins over an index of the same variant, and that over shards alone
            Matcher single = SINGLE.matcher(name);
            if (single.matches()) {
                byVariant.put(orEmpty(single.group("variant")), new Source(Optional.empty(), List.of(name)));
            }
        }
        for (String name : names) {
            Matcher index = INDEX.matcher(name);
            if (index.matches()) {
                byVariant.computeIfAbsent(
                        orEmpty(index.group("early")) + orEmpty(index.group("variant")),
                        variant -> new Source(
                                Optional.of(name),
                                List.copyOf(new LinkedHashSet<>(
                                        index(folder.resolve(name)).values()))));
            }
        }
        for (String name : names) {
            Matcher first = FIRST_SHARD.matcher(name);
            if (first.matches()) {
                List<String> shards = IntStream.rangeClosed(1, Integer.parseInt(first.group("count")))
                        .mapToObj(i -> name.replaceFirst("-00001-", "-%05d-".formatted(i)))
                        .toList();
                if (names.containsAll(shards)) {
                    byVariant.putIfAbsent(
                            orEmpty(first.group("early")) + orEmpty(first.group("variant")),
                            new Source(Optional.empty(), shards));
                }
            }
        }
        return byVariant;
    }

    private static CheckpointException withoutWeights(Path folder, Collection<String> names) {
        List<String> pickles = names.stream()
                .filter(name -> name.matches(".*\\.(bin|ckpt|pt|pth)"))
                .sorted()
                .toList();
        if (!pickles.isEmpty()) {
            return new CheckpointException(folder + " has its weights only as pickle (" + abbreviate(pickles)
                    + "), which can run code and is never opened; use the checkpoint's safetensors files, or convert it"
                    + " where you trust it: " + CONVERSION);
        }
        List<String> ggufs =
                names.stream().filter(name -> name.endsWith(".gguf")).sorted().toList();
        if (!ggufs.isEmpty()) {
            return new CheckpointException(folder + " has its weights only as GGUF (" + abbreviate(ggufs)
                    + "), whose quantised weights are not supported; take the checkpoint's safetensors in fp32, fp16 or"
                    + " bf16");
        }
        return new CheckpointException(
                folder + " should hold diffusion_pytorch_model.safetensors or model.safetensors, and has neither");
    }

    /**
     * This state dict with other names for its tensors. The new names must be distinct. Closing either state dict
     * closes both.
     */
    public StateDict renamed(Map<Pattern, String> rules) {
        StateDict dict = new StateDict(folder, files, merges, beside);
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

    /** The tensors with these keys. Closing either state dict closes both. */
    public StateDict only(Set<String> keys) {
        StateDict dict = new StateDict(folder, files, merges, beside);
        tensors.forEach((key, located) -> {
            if (keys.contains(key)) {
                dict.tensors.put(key, located);
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
        Safetensors.Tensor tensor = located(key).tensor();
        return merges.touches(tensor) ? merges.merged(tensor, beside) : tensor;
    }

    /** Fills the buffer's remaining bytes with the tensor's from offset on. */
    public void read(String key, long offset, ByteBuffer into) {
        Located located = located(key);
        if (merges.touches(located.tensor())) {
            merges.read(located.file(), located.tensor(), beside, offset, into);
        } else {
            located.file().read(located.tensor(), offset, into);
        }
    }

    /** All values of a tensor of a floating type. */
    public float[] floats(String key) {
        return floats(key, 0, Math.toIntExact(tensor(key).size()));
    }

    /** So many values of a tensor of a floating type, from one on. */
    public float[] floats(String key, long first, int count) {
        ElementType type = tensor(key).type();
        ByteBuffer bytes = LittleEndian.buffer(Math.multiplyExact(count, type.bytes()));
        read(key, first * type.bytes(), bytes);
        float[] values = new float[count];
        type.decode(bytes.flip(), values, count);
        return values;
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
        beside.values().forEach(Safetensors::close);
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
