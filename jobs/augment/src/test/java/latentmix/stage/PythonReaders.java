package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import latentmix.table.ContentId;

/**
 * A Python with the libraries that read what is made here. Pip installs them into a virtual environment, which takes
 * minutes the first time. {@code -Dlatentmix.python} names a Python that has them already.
 *
 * @param folder where its output goes
 */
record PythonReaders(Path python, Path folder) {
    private static final Path RESOURCES = Path.of("src/test/resources/interop");

    static PythonReaders in(Path folder) throws IOException, InterruptedException {
        String given = System.getProperty("latentmix.python", "");
        if (!given.isEmpty()) {
            return new PythonReaders(Path.of(given), folder);
        }
        Path requirements = RESOURCES.resolve("requirements.txt");
        String id = ContentId.of(Files.readString(requirements)).substring(0, 8);
        Path environment = Path.of(System.getenv("LATENTMIX_CACHE_DIR"), "interop-" + id);
        PythonReaders readers = new PythonReaders(environment.resolve("bin/python"), folder);
        if (!Files.exists(environment.resolve("complete"))) {
            readers.execute(List.of("python3", "-m", "venv", environment.toString()));
            readers.execute(List.of(
                    readers.python.toString(), "-m", "pip", "install", "--quiet", "-r", requirements.toString()));
            Files.createFile(environment.resolve("complete"));
        }
        return readers;
    }

    /** What a script of the tests' resources says, which must succeed. */
    String run(String script, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(python.toString(), RESOURCES.resolve(script).toString()));
        command.addAll(List.of(arguments));
        return execute(command);
    }

    private String execute(List<String> command) throws IOException, InterruptedException {
        Path output = Files.createTempFile(folder, "output", ".txt");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().put("HF_HOME", folder.resolve("hf").toString());
        builder.environment().put("HF_HUB_OFFLINE", "1");
        int exit = builder.start().waitFor();
        String said = Files.readString(output);
        assertThat(exit).as(said).isZero();
        return said;
    }
}
