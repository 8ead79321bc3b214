package latentmix.source;

import java.util.Locale;
import java.util.Set;

/** What systems and programs put beside a person's own. Nothing in such a folder counts, at any depth. */
public final class Hidden {
    private static final Set<String> SYSTEM = Set.of(
            "@eadir", // Synology
            "@tmp",
            "#recycle",
            "@recycle", // QNAP
            "@recently-snapshot",
            "__macosx",
            "$recycle.bin",
            "recycler",
            "system volume information",
            "lost+found",
            "__pycache__");

    private Hidden() {}

    /**
     * Whether a file or folder of this name is left out where Parquet or tar files lie: what begins with an underscore,
     * too, as Spark's own files do, unless it is a partition.
     */
    static boolean isBesideShards(String name) {
        return isFolder(name) || (name.startsWith("_") && !name.contains("="));
    }

    /** Whether a folder of this name is left out. */
    public static boolean isFolder(String name) {
        return name.startsWith(".") || SYSTEM.contains(name.toLowerCase(Locale.ROOT));
    }
}
