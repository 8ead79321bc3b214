package latentmix.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import latentmix.checkpoint.Fingerprint;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.Resize;
import latentmix.image.UnreadableImage;
import latentmix.source.FolderSource;
import latentmix.source.Listing;
import org.apache.hadoop.conf.Configuration;

/**
 * Images in memory, with the words that a network may be told of each: places in a list of prompts.
 *
 * @param pixels squares of one size
 * @param prompts the words that the model is told of an image, by place
 * @param prompt for each image its prompt's place
 * @param shorter for each image the places of prompts that say less of it; one of them may stand for its prompt
 * @param mirrored for each image whether its mirror image may stand for it
 * @param fingerprint SHA-256 of all pixels and of what may be mirrored; an autoencoder depends on these alone, for it
 *     sees no prompts
 */
public record TrainingImages(
        List<Pixels> pixels,
        List<String> prompts,
        List<Integer> prompt,
        List<List<Integer>> shorter,
        List<Boolean> mirrored,
        String fingerprint) {
    private static final long MAX_PIXELS = 100_000_000;

    public TrainingImages {
        pixels = List.copyOf(pixels);
        prompts = List.copyOf(prompts);
        prompt = List.copyOf(prompt);
        shorter = List.copyOf(shorter);
        mirrored = List.copyOf(mirrored);
    }

    /** Images with one prompt each, which are shown as they are. */
    public TrainingImages(List<Pixels> pixels, List<String> prompts, List<Integer> prompt, String fingerprint) {
        this(
                pixels,
                prompts,
                prompt,
                Collections.nCopies(pixels.size(), List.of()),
                Collections.nCopies(pixels.size(), false),
                fingerprint);
    }

    /** A folder of images of one class, and its prompt. */
    public record Source(Path folder, String prompt) {}

    /**
     * Reads every image of some folders, sorted by path, as a centre square of the given side.
     *
     * @throws IllegalArgumentException if an image cannot be read: training sets are looked through before
     */
    public static TrainingImages read(List<Source> sources, int size) throws IOException {
        List<Pixels> pixels = new ArrayList<>();
        List<String> prompts = sources.stream().map(Source::prompt).distinct().toList();
        List<Integer> prompt = new ArrayList<>();
        MessageDigest digest = Fingerprint.sha256();
        for (Source source : sources) {
            for (Path file : files(source.folder())) {
                Pixels square = Resize.square(decode(file), size);
                digest.update(square.rgb());
                pixels.add(square);
                prompt.add(prompts.indexOf(source.prompt()));
            }
        }
        return new TrainingImages(pixels, prompts, prompt, HexFormat.of().formatHex(digest.digest()));
    }

    private static List<Path> files(Path folder) throws IOException {
        Path root = folder.toAbsolutePath().getParent();
        Listing listing =
                new FolderSource(root.toString()).list(folder.getFileName().toString(), new Configuration());
        for (Listing.Refused file : listing.refused()) {
            throw new IllegalArgumentException(root.resolve(file.path()) + ": " + file.detail());
        }
        return listing.images().stream()
                .map(image -> root.resolve(image.path()))
                .toList();
    }

    static Pixels decode(Path file) throws IOException {
        try {
            return ImageDecoder.decode(Files.readAllBytes(file), MAX_PIXELS);
        } catch (UnreadableImage e) {
            throw new IllegalArgumentException(
                    "expected images that can be read, got " + file + ": " + e.reason() + ", " + e.detail()
                            + "; take it away",
                    e);
        }
    }

    public int size() {
        return pixels.size();
    }

    /** The same images, their prompts in alphabetical order. */
    public TrainingImages ordered() {
        List<String> sorted = prompts.stream().sorted().toList();
        List<Integer> places = prompts.stream().map(sorted::indexOf).toList();
        return new TrainingImages(
                pixels,
                sorted,
                prompt.stream().map(places::get).toList(),
                shorter.stream()
                        .map(some -> some.stream().map(places::get).toList())
                        .toList(),
                mirrored,
                fingerprint);
    }

    /** The prompts' places of all images, as a state's name has them. */
    String told() {
        boolean one = shorter.stream().allMatch(List::isEmpty);
        return one ? prompt.toString() : prompt + " or " + shorter;
    }
}
