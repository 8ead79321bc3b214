package latentmix.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * A file of a checkpoint, which may be missing, a link that leads nowhere, or what a clone or a download left in its
 * place: each is said with its remedy.
 */
public final class CheckpointFile {
    /** How many bytes tell what a file is. */
    static final int HEAD = 256;

    private static final String LFS = "version https://git-lfs.github.com/spec/";

    private CheckpointFile() {}

    /**
     * All bytes of a file.
     *
     * @param needed why there should be one, for the message where there is none
     */
    public static byte[] read(Path path, String needed) {
        if (!Files.isRegularFile(path)) {
            throw missing(path, "There is no file " + path + "; " + needed);
        }
        try {
            byte[] bytes = Files.readAllBytes(path);
            refusePlaceholder(path, bytes);
            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + path, e);
        }
    }

    /** The refusal of a path where nothing is: this message, or where the path is a link, what that leads to. */
    static CheckpointException missing(Path path, String message) {
        if (Files.isSymbolicLink(path) && !Files.exists(path)) {
            try {
                return new CheckpointException(path + " is a link to " + Files.readSymbolicLink(path)
                        + ", which is not there; fetch that file again, or correct the link");
            } catch (IOException e) {
                return new CheckpointException(message, e);
            }
        }
        return new CheckpointException(message);
    }

    /** Why a file of this name is never opened as a checkpoint, and what to do; empty for other names. */
    static Optional<CheckpointException> refusal(String location) {
        String expected = "expected a checkpoint's folder, which has a " + CheckpointFolder.INDEX + ", got the ";
        if (location.endsWith(".gguf")) {
            return Optional.of(new CheckpointException(expected + "GGUF file " + location + "; quantised weights are"
                    + " not supported; take the checkpoint in diffusers layout in fp32, fp16 or bf16"));
        }
        return location.matches(".*\\.(ckpt|bin|pt|pth)")
                ? Optional.of(new CheckpointException(expected + "pickle " + location
                        + ", which can run code and is never opened; convert it where you trust it:"
                        + " StableDiffusionPipeline.from_single_file(file).save_pretrained(folder) of diffusers"))
                : Optional.empty();
    }

    /**
     * Refuses what stands in a file's place.
     *
     * @param head the file's first bytes
     */
    static void refusePlaceholder(Path path, byte[] head) {
        String text = new String(head, 0, Math.min(head.length, HEAD), StandardCharsets.UTF_8).strip();
        if (text.startsWith(LFS)) {
            throw new CheckpointException(path + " is a pointer of Git LFS and not the file itself; run git lfs pull in"
                    + " the clone, or download the file");
        }
        String start = text.toLowerCase(Locale.ROOT);
        if (start.startsWith("<!doctype html") || start.startsWith("<html")) {
            throw new CheckpointException(path + " is an HTML page and not the file itself, perhaps that of an error or"
                    + " a login; download the file again");
        }
    }
}
