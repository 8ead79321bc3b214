package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import latentmix.Golden;
import latentmix.OtherJvm;
import latentmix.architecture.Architecture;
import latentmix.architecture.Part;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.ElementType;
import latentmix.checkpoint.Tensors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompiledProgramsTest {
    private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";

    @TempDir
    Path component;

    private Tensors tensors;

    @BeforeEach
    void aCheckpointThatNoOtherTestHas() throws IOException {
        Files.copy(Golden.folder("vae-sd15").resolve("config.json"), component.resolve("config.json"));
        tensors = Tensors.of(Golden.folder("vae-sd15").resolve(WEIGHTS));
        tensors.get("decoder.conv_in.bias").values()[0] = System.nanoTime();
        tensors.write(component.resolve(WEIGHTS));
    }

    private Path compile() {
        return compile(component);
    }

    private static Path compile(Path component) {
        Architecture architecture = Architecture.of(component);
        return CompiledPrograms.of(component, architecture, architecture.parts().get(Part.DECODER), ElementType.F32);
    }

    @Test
    void aProgramIsCompiledOnceAndFoundAgain() throws IOException {
        Path program = compile();
        FileTime made = Files.getLastModifiedTime(program);
        assertThat(compile()).isEqualTo(program);
        assertThat(Files.getLastModifiedTime(program)).isEqualTo(made);
    }

    @Test
    void aDamagedProgramIsCompiledAnew() throws IOException {
        Path program = compile();
        byte[] good = Files.readAllBytes(program);
        byte[] bad = good.clone();
        bad[bad.length / 2] ^= 1;
        Files.write(program, bad);
        assertThat(compile()).isEqualTo(program);
        assertThat(Files.readAllBytes(program)).isEqualTo(good);
    }

    @Test
    void otherWeightsAndAnotherTypeAreOtherPrograms() {
        Path program = compile();
        Architecture architecture = Architecture.of(component);
        assertThat(CompiledPrograms.of(
                        component, architecture, architecture.parts().get(Part.DECODER), ElementType.BF16))
                .isNotEqualTo(program);
        tensors.get("decoder.conv_in.bias").values()[0] += 1e9f;
        tensors.write(component.resolve(WEIGHTS));
        assertThat(compile()).isNotEqualTo(program);
    }

    @Test
    void weightsThatAreNotFiniteStopItAndLeaveNothingBehind() throws IOException {
        tensors.get("decoder.conv_out.weight").values()[5] = Float.NaN;
        tensors.write(component.resolve(WEIGHTS));
        assertThatThrownBy(this::compile)
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("decoder.conv_out.weight")
                .hasMessageContaining("NaN");
        assertThat(unfinished()).isEmpty();
    }

    private List<Path> unfinished() throws IOException {
        try (Stream<Path> files = Files.list(latentmix.checkpoint.Caches.dir().resolve("programs"))) {
            return files.filter(file -> file.toString().endsWith(".part")).toList();
        }
    }

    @Test
    void threadsThatAskAtOnceGetOneProgram() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<Path>> programs = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                programs.add(threads.submit(() -> compile()));
            }
            for (Future<Path> program : programs) {
                assertThat(program.get()).isEqualTo(programs.get(0).get());
            }
        } finally {
            threads.shutdownNow();
        }
    }

    /**
     * The main class of the processes that {@link #processesThatCompileAtOnceMakeOneProgram} starts. It prints the
     * program's path.
     */
    public static void main(String[] args) {
        System.out.println("program=" + compile(Path.of(args[0])));
    }

    @Test
    void processesThatCompileAtOnceMakeOneProgram() throws Exception {
        List<Process> processes = new ArrayList<>();
        List<Path> logs = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            logs.add(component.resolve("log" + i));
            processes.add(new ProcessBuilder(
                            OtherJvm.command(CompiledProgramsTest.class, List.of("-Xmx256m"), component.toString()))
                    .redirectErrorStream(true)
                    .redirectOutput(logs.get(i).toFile())
                    .start());
        }
        List<String> printed = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            int status = processes.get(i).waitFor();
            String log = Files.readString(logs.get(i), StandardCharsets.UTF_8);
            assertThat(status).as(log).isZero();
            printed.add(log.lines()
                    .filter(line -> line.startsWith("program="))
                    .findFirst()
                    .orElseThrow());
        }
        assertThat(printed.get(0)).isEqualTo(printed.get(1)).isEqualTo("program=" + compile());
        assertThat(unfinished()).isEmpty();
    }
}
