package latentmix.dataset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.Fingerprint;

/**
 * A few images of each class of an {@link EmojiDataset}, as they are built into the jar: of the styles that may be
 * shipped in turn, each time of the thing that was taken least often, and of equals the first by the hash of its name.
 * Some things are drawn to the same bytes; one of them is taken.
 */
public final class EmojiSample {
    /** Images of a class. */
    static final int EACH = 32;

    private static final List<EmojiStyle> STYLES = EmojiStyle.shipped();

    private final Path split;

    private EmojiSample(Path split) {
        this.split = split;
    }

    /**
     * Copies images of the training side, the class list and a notice to a folder, and seals it.
     *
     * @param dataset the folder of a dataset
     * @return number of images
     */
    public static int write(Path dataset, Path folder) throws IOException {
        EmojiSample sample = new EmojiSample(dataset.resolve("train"));
        int written = 0;
        Files.createDirectories(folder);
        try (Stream<Path> classes = Files.list(sample.split)) {
            for (Path from : classes.sorted().toList()) {
                Path to = Files.createDirectories(folder.resolve(from.getFileName()));
                for (String file : sample.chosen(from)) {
                    Files.copy(from.resolve(file), to.resolve(file), StandardCopyOption.REPLACE_EXISTING);
                    written++;
                }
            }
        }
        Files.copy(dataset.resolve("classes.tsv"), folder.resolve("classes.tsv"), StandardCopyOption.REPLACE_EXISTING);
        Files.writeString(folder.resolve("NOTICE"), EmojiDataset.notice(STYLES));
        BuiltIn.seal(folder);
        return written;
    }

    /** The names of a class's files, {@code thing.style.png}. */
    private List<String> chosen(Path from) throws IOException {
        Set<String> seen = new HashSet<>(); // hashes of images
        Map<String, Integer> taken = new HashMap<>(); // times, by thing
        Map<EmojiStyle, List<String>> left = new HashMap<>(); // things, by style
        for (EmojiStyle style : STYLES) {
            left.put(style, things(from, style));
        }
        List<String> chosen = new ArrayList<>();
        while (chosen.size() < EACH && left.values().stream().anyMatch(things -> !things.isEmpty())) {
            for (EmojiStyle style : STYLES) {
                Optional<String> next = left.get(style).stream()
                        .min(Comparator.<String>comparingInt(thing -> taken.getOrDefault(thing, 0))
                                .thenComparing(Fingerprint::ofText));
                if (next.isPresent() && chosen.size() < EACH) {
                    left.get(style).remove(next.get());
                    String file = next.get() + ending(style);
                    if (seen.add(Fingerprint.ofFile(from.resolve(file)))) {
                        taken.merge(next.get(), 1, Integer::sum);
                        chosen.add(file);
                    }
                }
            }
        }
        return chosen;
    }

    private static List<String> things(Path from, EmojiStyle style) throws IOException {
        try (Stream<Path> files = Files.list(from)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(ending(style)))
                    .map(name -> name.substring(0, name.length() - ending(style).length()))
                    .collect(Collectors.toCollection(ArrayList::new));
        }
    }

    private static String ending(EmojiStyle style) {
        return "." + style.set() + ".png";
    }
}
