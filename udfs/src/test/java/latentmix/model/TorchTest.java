package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TorchTest {
    @TempDir
    Path torch;

    private final Map<String, String> environment = new HashMap<>();

    /** The machine's own PyTorch, as pip installs it. */
    @BeforeEach
    void aPyTorchForCuda() throws IOException {
        Path lib = Files.createDirectory(torch.resolve("lib"));
        Files.createFile(lib.resolve(System.mapLibraryName("torch")));
        says("2.7.1+cu128");
        environment.put("PYTORCH_LIBRARY_PATH", "/no/such/folder:" + lib);
        environment.put("PYTORCH_VERSION", "2.7.1");
        environment.put("PYTORCH_FLAVOR", "cu128");
    }

    private void says(String version) throws IOException {
        Files.writeString(
                torch.resolve("version.py"),
                "from typing import Optional\n__version__ = '" + version + "'\ncuda: Optional[str] = '12.8'\n");
    }

    private List<String> problems() {
        return TorchLibraries.problems(environment::get);
    }

    @Test
    void theMachinesOwnPyTorchIsTakenWhereItFits() throws IOException {
        assertThat(problems()).isEmpty();
        Files.delete(torch.resolve("version.py"));
        assertThat(problems()).as("an archive may not tell its version").isEmpty();
        Files.writeString(torch.resolve("build-version"), "2.7.1+cu128\n");
        assertThat(problems()).isEmpty();
        environment.put(
                "PYTORCH_LIBRARY_PATH",
                torch.resolve("lib").resolve(System.mapLibraryName("torch")).toString());
        assertThat(problems()).isEmpty();
        environment.clear();
        assertThat(problems()).as("the build among the dependencies").isEmpty();
    }

    @Test
    void anotherVersionOrFlavorIsRefusedWithWhatIsThereAndWhatFits() throws IOException {
        says("2.5.0+cu121");
        assertThat(problems())
                .singleElement()
                .asString()
                .startsWith("PYTORCH_LIBRARY_PATH: expected PyTorch 2.7.1 of flavor cu128, but the one in ")
                .contains(" is 2.5.0 of flavor cu121; install");
        says("2.7.1+cpu");
        assertThat(problems()).singleElement().asString().contains(" is 2.7.1 of flavor cpu; ");

        says("2.7.1+cu128");
        environment.put("PYTORCH_VERSION", "2.5.0");
        environment.put("PYTORCH_FLAVOR", "cu121");
        assertThat(problems())
                .satisfiesExactly(
                        problem -> assertThat(problem)
                                .startsWith("PYTORCH_VERSION: expected 2.7.1, for which pytorch-jni 2.7.1"),
                        problem -> assertThat(problem).startsWith("PYTORCH_FLAVOR: expected cpu, cu128 or another one"),
                        problem -> assertThat(problem).endsWith("or correct PYTORCH_FLAVOR"));
    }

    @Test
    void whatIsMissingIsNamedAllAtOnce() {
        environment.clear();
        environment.put("PYTORCH_LIBRARY_PATH", torch.toString());
        assertThat(problems())
                .satisfiesExactly(
                        problem -> assertThat(problem).contains("PYTORCH_VERSION", "got null"),
                        problem -> assertThat(problem).contains("PYTORCH_FLAVOR", "got null"),
                        problem -> assertThat(problem)
                                .startsWith("PYTORCH_LIBRARY_PATH: expected a folder with libtorch"));
        environment.remove("PYTORCH_LIBRARY_PATH");
        environment.put("PYTORCH_VERSION", "2.6.0"); // DJL would look for it on the net
        assertThat(problems()).singleElement().asString().contains("got 2.6.0");
    }

    @Test
    void aBuildForCpusSaysThatItHasNoGpu() {
        assertThat(Torch.problem(Device.cpu())).isEmpty();
        assertThat(Torch.problem(Device.gpu(0))).hasValueSatisfying(problem -> assertThat(problem)
                .startsWith("PyTorch: expected a build that computes on gpu(0), but this one says: ")
                .contains("PYTORCH_LIBRARY_PATH")
                .doesNotContain("\n"));
    }

    @Test
    void aDevicesLackOfMemoryIsToldFromOtherFailures() {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            Throwable failure = catchThrowable(() -> manager.create(new Shape(1L << 45), DataType.FLOAT32));
            assertThat(failure).isInstanceOf(EngineException.class);
            assertThat(Torch.isOutOfMemory(new IllegalStateException("a wrapper", failure)))
                    .as("libtorch's own words: %s", failure.getMessage())
                    .isTrue();
        }
        assertThat(Torch.isOutOfMemory(new EngineException(
                        "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 15.77 GiB")))
                .isTrue();
        assertThat(Torch.isOutOfMemory(new EngineException("CUDA error: an illegal memory access was encountered")))
                .isFalse();
    }
}
