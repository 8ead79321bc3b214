package latentmix;

import java.nio.file.Files;
import java.nio.file.Path;

/** The project's folder, which is above the module whose tests run. */
public final class Repository {
    private static final Path ROOT = root();

    private Repository() {}

    /** A file or folder, by its path from the project's folder. */
    public static Path file(String path) {
        return ROOT.resolve(path);
    }

    private static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("udfs/pom.xml"))) {
            folder = folder.getParent();
        }
        return folder;
    }
}
