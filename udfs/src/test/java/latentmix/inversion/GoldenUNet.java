package latentmix.inversion;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import latentmix.Golden;
import latentmix.checkpoint.CheckpointFolder;

/** The small Stable Diffusion 1.5 that golden/inversion-sd15 was made with, as a checkpoint without a tokenizer. */
final class GoldenUNet {
    private static final ObjectMapper JSON = new ObjectMapper();

    private GoldenUNet() {}

    static CheckpointFolder assemble(Path directory) throws IOException {
        copy(Golden.folder("unet-sd15"), directory.resolve("unet"));
        copy(Golden.folder("vae-sd15"), directory.resolve("vae"));
        copy(Golden.folder("clip-text-sd15"), directory.resolve("text_encoder"));
        copy(Golden.folder("schedulers-ddim").resolve("sd15-eps/scheduler"), directory.resolve("scheduler"));
        Files.createDirectory(directory.resolve("tokenizer"));
        ObjectNode index = (ObjectNode) JSON.readTree(
                Golden.folder("e2e-sd15").resolve("model_index.json").toFile());
        index.putArray("tokenizer").add("transformers").add("CLIPTokenizer");
        JSON.writeValue(directory.resolve("model_index.json").toFile(), index);
        return CheckpointFolder.open(directory);
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectory(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file :
                    files.filter(file -> !file.endsWith("golden.safetensors")).toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }
}
