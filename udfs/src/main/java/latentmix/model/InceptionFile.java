package latentmix.model;

import java.nio.file.Files;
import java.nio.file.Path;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.Fingerprint;

/**
 * The file {@code inception-2015-12-05.pt}, TensorFlow's Inception of that day as a TorchScript program, by which FID
 * and KID are defined today (<a
 * href="https://github.com/NVlabs/stylegan2-ada-pytorch/blob/main/metrics/frechet_inception_distance.py">stylegan2-ada-pytorch</a>).
 *
 * <pre>forward(images: uint8 (B, 3, H, W), return_features: bool) → (B, 2048)</pre>
 *
 * It resizes by itself, bilinearly and without antialiasing, to 299 × 299: any other resize gives another distance. A
 * TorchScript file is a program, so it is run only where the configuration names its SHA-256.
 */
public final class InceptionFile {
    static final int WIDTH = 2048;

    private InceptionFile() {}

    /**
     * The file itself, if it is the one that was named.
     *
     * @param sha256 64 hex digits, lower case
     * @throws CheckpointException if it is another one or cannot be read
     */
    public static Path checked(Path file, String sha256) {
        if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
            throw new CheckpointException("There should be the file inception-2015-12-05.pt at " + file
                    + ", and there is none that can be read; check the path");
        }
        String found = Fingerprint.ofFile(file);
        if (!found.equals(sha256)) {
            throw new CheckpointException(file + " should have the SHA-256 " + sha256 + ", but has " + found
                    + "; a TorchScript file is a program, and no other one is run: fetch the"
                    + " right file, or name its hash");
        }
        return file.toAbsolutePath();
    }
}
