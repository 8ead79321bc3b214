package latentmix.model;

import ai.djl.util.Platform;
import ai.djl.util.Utils;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The build of libtorch that will be loaded: the one among the dependencies, for CPUs, or the machine's own PyTorch,
 * where {@code PYTORCH_LIBRARY_PATH}, {@code PYTORCH_VERSION} and {@code PYTORCH_FLAVOR} say which. DJL's library
 * between Java and libtorch fits one version alone; DJL would look for another one on the net, and a wrong pair crashes
 * the process.
 */
final class TorchLibraries {
    private static final String PATH = "PYTORCH_LIBRARY_PATH";
    private static final String VERSION = "PYTORCH_VERSION";
    private static final String FLAVOR = "PYTORCH_FLAVOR";

    /** The version in {@code torch/version.py}, or in the {@code build-version} of an archive without Python. */
    private static final Pattern FOUND = Pattern.compile("(?:__version__ = ')?(\\d+\\.\\d+\\.\\d+)(?:\\+(\\w+))?'?");

    /** The problems of this JVM's settings. */
    static final List<String> PROBLEMS = problems(Utils::getEnvOrSystemProperty);

    private TorchLibraries() {}

    /**
     * The problems of the settings, none where they fit.
     *
     * @param environment gives a variable's value, or null
     */
    static List<String> problems(UnaryOperator<String> environment) {
        List<String> problems = new ArrayList<>();
        String path = value(environment, PATH);
        String version = value(environment, VERSION);
        String flavor = value(environment, FLAVOR);
        String fitting = jniVersion().replaceFirst("-.*", "");
        if (version == null ? path != null : !version.equals(fitting)) {
            problems.add(VERSION + ": expected " + fitting + ", for which pytorch-jni " + jniVersion()
                    + " is built, got " + version + "; use that PyTorch, or a pytorch-jni for yours");
        }
        if (path == null) {
            return problems;
        }
        if (flavor == null || !hasJni(flavor)) {
            problems.add(FLAVOR + ": expected cpu, cu128 or another one in pytorch-jni " + jniVersion() + ", got "
                    + flavor + "; say for which CUDA the PyTorch in " + PATH + " is built");
        }
        Optional<Path> folder = folder(path);
        if (folder.isEmpty()) {
            problems.add(PATH + ": expected a folder with " + System.mapLibraryName("torch")
                    + ", such as site-packages/torch/lib, got " + path);
        }
        folder.flatMap(TorchLibraries::found).ifPresent(found -> {
            if (!found.group(1).equals(fitting)
                    || (found.group(2) != null && !found.group(2).equals(flavor))) {
                problems.add(PATH + ": expected PyTorch " + fitting + " of flavor " + flavor + ", but the one in "
                        + path
                        + " is " + found.group(1) + (found.group(2) == null ? "" : " of flavor " + found.group(2))
                        + "; install the one expected, or correct " + FLAVOR);
            }
        });
        return problems;
    }

    private static String value(UnaryOperator<String> environment, String variable) {
        String value = environment.apply(variable);
        return value == null || value.isBlank() ? null : value;
    }

    private static String jniVersion() {
        Properties properties = new Properties();
        try (InputStream in = TorchLibraries.class.getResourceAsStream("/jnilib/pytorch.properties")) {
            if (in == null) {
                throw new IllegalStateException(
                        "Expected ai.djl.pytorch:pytorch-jni on the class path, found none; add its jar (--jars)");
            }
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.getProperty("jni_version");
    }

    private static boolean hasJni(String flavor) {
        String library = Platform.detectPlatform("pytorch").getClassifier() + "/" + flavor + "/"
                + System.mapLibraryName("djl_torch");
        return TorchLibraries.class.getResource("/jnilib/" + library) != null;
    }

    private static Optional<Path> folder(String path) {
        return Stream.of(path.split(File.pathSeparator))
                .map(Path::of)
                .map(entry ->
                        Files.isRegularFile(entry) ? entry.toAbsolutePath().getParent() : entry)
                .filter(entry -> Files.exists(entry.resolve(System.mapLibraryName("torch"))))
                .findFirst();
    }

    /** The version and flavor that the files beside the libraries tell. */
    private static Optional<Matcher> found(Path folder) {
        for (String name : List.of("version.py", "build-version")) {
            Path file = folder.toAbsolutePath().resolveSibling(name);
            if (Files.exists(file)) {
                try (Stream<String> lines = Files.lines(file)) {
                    return lines.map(line -> FOUND.matcher(line.strip()))
                            .filter(Matcher::matches)
                            .findFirst();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }
        return Optional.empty();
    }
}
