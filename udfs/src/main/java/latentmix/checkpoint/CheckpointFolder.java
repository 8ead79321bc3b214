package latentmix.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A checkpoint in <a href="https://huggingface.co/docs/diffusers/using-diffusers/loading">diffusers layout</a>: {@code
 * model_index.json} and a folder for each component that it names.
 */
public final class CheckpointFolder {
    private static final String INDEX = "model_index.json";
    private static final Set<String> WEIGHTLESS = Set.of("scheduler", "tokenizer");
    private static final List<String> REQUIRED = List.of("scheduler", "text_encoder", "tokenizer", "unet", "vae");

    private final Path path;
    private final JsonNode index;
    private String fingerprint;

    private CheckpointFolder(Path path, JsonNode index) {
        this.path = path;
        this.index = index;
    }

    /** Opens a checkpoint folder: its index and every component's folder and config are read, its weights are not. */
    public static CheckpointFolder open(Path path) {
        if (!Files.isDirectory(path)) {
            throw new CheckpointException("There is no checkpoint folder " + path);
        }
        CheckpointFolder folder = new CheckpointFolder(path, Json.read(path.resolve(INDEX)));
        for (String component : REQUIRED) {
            if (!folder.components().contains(component)) {
                throw new CheckpointException(path.resolve(INDEX) + " should name the component " + component
                        + ", names " + folder.components());
            }
            if (!Files.isDirectory(folder.component(component))) {
                throw new CheckpointException(path.resolve(INDEX) + " names the component " + component
                        + ", but there is no folder " + folder.component(component));
            }
        }
        for (String component : REQUIRED) {
            if (!WEIGHTLESS.contains(component)) {
                folder.config(component);
                StateDict.files(folder.component(component));
            }
        }
        folder.schedulerConfig();
        return folder;
    }

    public Path path() {
        return path;
    }

    /** The pipeline's class, such as StableDiffusionPipeline. */
    public String pipeline() {
        return index.path("_class_name").asText();
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

    /** A component's folder. */
    public Path component(String name) {
        return path.resolve(name);
    }

    /** A component's config.json. */
    public JsonNode config(String component) {
        return config(component(component));
    }

    /** The config.json of a component folder, wherever it lies. */
    public static JsonNode config(Path component) {
        return Json.read(component.resolve("config.json"));
    }

    public JsonNode schedulerConfig() {
        return Json.read(component("scheduler").resolve("scheduler_config.json"));
    }

    /**
     * SHA-256, in hex, of everything that a result can depend on: the index, every component's text files and the weight
     * files that are read. It does not depend on where the folder lies.
     */
    public synchronized String fingerprint() {
        if (fingerprint == null) {
            Set<Path> files = new LinkedHashSet<>(List.of(path.resolve(INDEX)));
            for (String component : REQUIRED) {
                files.addAll(texts(component(component)));
                if (!WEIGHTLESS.contains(component)) {
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

    private static List<Path> texts(Path component) {
        try (Stream<Path> entries = Files.list(component)) {
            return entries.filter(file -> file.toString().matches(".*\\.(json|txt|model)"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot list " + component, e);
        }
    }
}
