package latentmix.dataset;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import latentmix.config.ConfigException;

/** The npm packages that hold the drawings and the names, each of a pinned version. */
public final class EmojiPackages {
    private EmojiPackages() {}

    private static List<String> all() {
        return Stream.concat(EmojiStyle.npmPackages().stream(), Stream.of(EmojiNames.NPM_PACKAGE))
                .toList();
    }

    /** Those that a {@code node_modules} folder lacks, or has in another version. */
    public static List<String> missing(Path modules) throws IOException {
        List<String> missing = new ArrayList<>();
        for (String pinned : all()) {
            int at = pinned.lastIndexOf('@');
            Path about = modules.resolve(pinned.substring(0, at)).resolve("package.json");
            if (!Files.isRegularFile(about)
                    || !new ObjectMapper()
                            .readTree(about.toFile())
                            .path("version")
                            .asText()
                            .equals(pinned.substring(at + 1))) {
                missing.add(pinned);
            }
        }
        return missing;
    }

    /** The command that fetches the packages into a folder. */
    public static String command(Path folder) {
        return String.join(" ", arguments(folder));
    }

    private static List<String> arguments(Path folder) {
        List<String> words = new ArrayList<>(List.of(
                "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder.toString()));
        words.addAll(all());
        return words;
    }

    /**
     * The packages in a folder, which npm fetches where they are missing.
     *
     * @return the folder's {@code node_modules}
     * @throws ConfigException if there is no npm, or it fails
     */
    public static Path fetched(Path folder) throws IOException {
        Path modules = folder.resolve("node_modules");
        if (!missing(modules).isEmpty()) {
            Files.createDirectories(folder);
            String remedy = "; install npm, or run this where there is npm and name the folder by --packages: "
                    + command(folder);
            try {
                Process npm = new ProcessBuilder(arguments(folder))
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                        .start();
                npm.getOutputStream().close();
                int code = npm.waitFor();
                if (code != 0) {
                    throw new ConfigException(
                            List.of("expected npm to fetch the drawings, got exit code " + code + remedy));
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("stopped while npm fetched the drawings");
            } catch (IOException e) {
                throw new ConfigException(
                        List.of("expected npm to fetch the drawings, got " + e.getMessage() + remedy));
            }
        }
        return modules;
    }
}
