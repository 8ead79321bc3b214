package latentmix.source;

import java.util.Locale;
import java.util.Set;

/** Folders that systems and programs put beside a person's own. Nothing in them counts, at any depth. */
final class Hidden {
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

    /** Whether a folder of this name is left out. */
    static boolean isFolder(String name) {
        return name.startsWith(".") || SYSTEM.contains(name.toLowerCase(Locale.ROOT));
    }
}
