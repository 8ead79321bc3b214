package latentmix.work;

import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import latentmix.source.Listing;
import latentmix.table.CaptionsTable;
import latentmix.table.RunFolder;

/**
 * Which captions a class's images have: that of the first place with these bytes that has one. An image that lies
 * nowhere any more keeps the one it had. Where nobody asks for captions there are none.
 */
final class Captions {
    private final boolean asked;
    private final CaptionsTable table;
    private final SortedMap<String, String> stood;
    private final Map<String, String> seen = new HashMap<>(); // empty where no place has one

    /** The captions that stand. */
    Captions(RunFolder run, String classId, boolean asked) throws IOException {
        this.asked = asked;
        this.table = new CaptionsTable(run, classId);
        this.stood = asked ? table.captions() : new TreeMap<>();
    }

    /** A place where an image lies now; places come in their order. */
    void see(String imageId, String path, Listing listing) {
        if (asked) {
            seen.merge(
                    imageId,
                    listing.captions().getOrDefault(path, ""),
                    (first, other) -> first.isEmpty() ? other : first);
        }
    }

    /** The captions by image id, as they are now. */
    SortedMap<String, String> now() {
        TreeMap<String, String> now = new TreeMap<>(stood);
        now.putAll(seen);
        now.values().removeIf(String::isEmpty);
        return now;
    }

    /** The same for these images alone, published if others stood before. */
    SortedMap<String, String> published(Set<String> imageIds) throws IOException {
        SortedMap<String, String> now = now();
        now.keySet().retainAll(imageIds);
        if (!now.equals(stood)) {
            table.publish(now);
        }
        return now;
    }

    /** How many of these images had a caption when they were last looked at. */
    long count(Collection<String> imageIds) {
        return imageIds.stream().filter(id -> stood.containsKey(id)).count();
    }

    /** How many of these images lack a caption that is asked for. */
    long missing(Collection<String> imageIds, Map<String, String> captions) {
        return asked ? imageIds.stream().filter(id -> !captions.containsKey(id)).count() : 0;
    }
}
