package latentmix.work;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Images whose bytes lie in more than one class.
 *
 * @param files where each such digest lies, sorted by path
 */
public record Conflicts(Map<String, List<File>> files) implements Serializable {
    /** None, or none that anybody asked for. */
    public static final Conflicts NONE = new Conflicts(Map.of());

    /** A file, its digest and the image that it is in its class. */
    public record File(String digest, String imageId, String classId, String path) implements Serializable {}

    public Conflicts {
        files = Map.copyOf(files);
    }

    /**
     * The first 64 bits of a digest: what a class sends of each image. Two digests that share them by chance are told
     * apart by {@link #among}.
     */
    static long prefix(String digest) {
        return Long.parseUnsignedLong(digest, 0, 16, 16);
    }

    /**
     * The prefixes that more than one class has.
     *
     * @param classes of each class its images' prefixes, each once
     */
    public static Set<Long> suspects(Collection<long[]> classes) {
        long[] all = classes.stream().flatMapToLong(Arrays::stream).sorted().toArray();
        Set<Long> suspects = new HashSet<>();
        for (int i = 1; i < all.length; i++) {
            if (all[i] == all[i - 1]) {
                suspects.add(all[i]);
            }
        }
        return suspects;
    }

    /** The conflicts among these files. */
    public static Conflicts among(Collection<File> suspected) {
        Map<String, List<File>> byDigest = suspected.stream()
                .sorted(java.util.Comparator.comparing(File::path))
                .collect(Collectors.groupingBy(File::digest, HashMap::new, Collectors.toList()));
        byDigest.values()
                .removeIf(files -> files.stream().map(File::classId).distinct().count() < 2);
        byDigest.replaceAll((digest, files) -> List.copyOf(files));
        return new Conflicts(byDigest);
    }

    /** Another class's file of these bytes. */
    Optional<File> other(String digest, String classId) {
        return files.getOrDefault(digest, List.of()).stream()
                .filter(file -> !file.classId().equals(classId))
                .findFirst();
    }
}
