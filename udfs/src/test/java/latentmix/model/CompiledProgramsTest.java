package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
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
    void weightsThatAreNotFiniteStopItAndLeaveNothingBehind() throws Exception {
        tensors.get("decoder.conv_out.weight").values()[5] = Float.NaN;
        tensors.write(component.resolve(WEIGHTS));
        Path log = component.resolve("log");
        assertThat(process(log).waitFor()).isNotZero();
        assertThat(Files.readString(log))
                .contains(CheckpointException.class.getName(), "decoder.conv_out.weight", "NaN");
        assertThat(programs()).isEmpty();
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

    /** Compiles in a process of its own, with a cache of its own; it prints the program's path. */
    public static void main(String[] args) {
        System.out.println("program=" + compile(Path.of(args[0])));
    }

    private Process process(Path log) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                OtherJvm.command(CompiledProgramsTest.class, List.of("-Xmx256m"), component.toString()));
        builder.environment()
                .put("LATENTMIX_CACHE_DIR", component.resolve("cache").toString());
        return builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    }

    /** What lies in that cache, but locks. */
    private List<Path> programs() throws IOException {
        try (Stream<Path> files = Files.list(component.resolve("cache/programs"))) {
            return files.filter(file -> !file.toString().endsWith(".lock")).toList();
        }
    }

    @Test
    void processesThatCompileAtOnceMakeOneProgram() throws Exception {
        List<Path> logs = List.of(component.resolve("log0"), component.resolve("log1"));
        List<Process> processes = List.of(process(logs.get(0)), process(logs.get(1)));
        List<String> printed = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            int status = processes.get(i).waitFor();
            String log = Files.readString(logs.get(i));
            assertThat(status).as(log).isZero();
            printed.add(log.lines()
                    .filter(line -> line.startsWith("program="))
                    .findFirst()
                    .orElseThrow());
        }
        assertThat(printed.get(0)).isEqualTo(printed.get(1));
        assertThat(programs()).hasSize(1).allMatch(program -> printed.get(0).equals("program=" + program));
    }
}
