package latentmix.checkpoint;

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
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A checkpoint with overrides as a folder of its own, in the folder {@code views} of {@link Caches#dir}: links to the
 * files that are read, and the texts that differ. Its name is a hash of both.
 */
final class View {
    private static final String SCHEDULER = "scheduler/scheduler_config.json";

    private final SortedMap<String, Path> links = new TreeMap<>(); // by path below the folder
    private final SortedMap<String, String> texts = new TreeMap<>();

    private View() {}

    /**
     * The folder of a view.
     *
     * @param vae the folder of the autoencoder that takes the place of the checkpoint's
     * @throws CheckpointException if no component has weights of the variant that is asked for
     */
    static Path of(CheckpointFolder published, CheckpointSpec spec, Optional<Path> vae) {
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
            }
            if (!spec.variant().isEmpty() && !hasVariant) {
                throw new CheckpointException("with variant = " + spec.variant() + ": no component of "
                        + published.path() + " has weights named like model." + spec.variant()
                        + ".safetensors; leave the variant out, or name one that is there");
            }
            view.edit(published, spec);
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
