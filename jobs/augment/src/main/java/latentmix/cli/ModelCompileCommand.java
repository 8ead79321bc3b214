package latentmix.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import latentmix.architecture.Part;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.StateDict;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.plan.ExitCode;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** {@code latentmix model compile}: a checkpoint's programs, made before a run needs them. */
@Command(
        name = "compile",
        description = "Compiles a checkpoint, or one component of it, to TorchScript in the cache.",
        mixinStandardHelpOptions = true)
public final class ModelCompileCommand implements Callable<Integer> {
    private static final Path PROCESS = Path.of("/proc/self/status");

    @Mixin
    private final CheckpointOptions options = new CheckpointOptions();

    @Option(
            names = "--dtype",
            defaultValue = "float32",
            converter = DtypeName.class,
            description = "float32, bfloat16 or float16 (default: ${DEFAULT-VALUE})")
    private Dtype dtype;

    @Override
    public Integer call() throws IOException {
        Optional<Path> component = options.component();
        if (component.isPresent()) {
            compile(component.get());
        } else {
            CheckpointFolder checkpoint = options.checkpoint();
            for (String network : checkpoint.networks()) {
                compile(checkpoint.component(network));
            }
        }
        if (Files.exists(PROCESS)) {
            Files.readAllLines(PROCESS).stream()
                    .filter(line -> line.startsWith("VmHWM:"))
                    .forEach(line ->
                            options.print("peak resident %s", line.substring(6).strip()));
        }
        return ExitCode.DONE.code();
    }

    private void compile(Path component) throws IOException {
        options.print(
                "%-28s from %s",
                component.getFileName(),
                StateDict.abbreviate(StateDict.files(component).stream()
                        .map(file -> file.getFileName().toString())
                        .toList()));
        for (Part part : Models.parts(component)) {
            long start = System.nanoTime();
            Path program = Models.compile(component, part, dtype);
            options.print(
                    "%-28s %7.1f MB in %5.1f s  %s",
                    component.getFileName() + "/" + part,
                    Files.size(program) / 1e6,
                    (System.nanoTime() - start) / 1e9,
                    program);
        }
    }

    /** The names that configurations use. */
    public static final class DtypeName implements ITypeConverter<Dtype> {
        @Override
        public Dtype convert(String value) {
            try {
                return Dtype.parse(value);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }
}
