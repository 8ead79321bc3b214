package latentmix.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import latentmix.architecture.Part;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.plan.ExitCode;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code latentmix model compile}: a checkpoint's programs, made before a run needs them. */
@Command(
        name = "compile",
        description = "Compiles a checkpoint, or one component of it, to TorchScript in the cache.",
        mixinStandardHelpOptions = true)
public final class ModelCompileCommand implements Callable<Integer> {
    private static final Path PROCESS = Path.of("/proc/self/status");

    @Parameters(
            paramLabel = "FOLDER",
            converter = ModelCommand.Location.class,
            description = "a checkpoint in diffusers layout, a component of one, or builtin:fashion")
    private Path folder;

    @Option(
            names = "--dtype",
            defaultValue = "float32",
            converter = DtypeName.class,
            description = "float32, bfloat16 or float16 (default: ${DEFAULT-VALUE})")
    private Dtype dtype;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (Files.exists(folder.resolve("config.json"))) {
            compile(folder);
        } else {
            CheckpointFolder checkpoint = CheckpointFolder.open(folder);
            Models.check(checkpoint);
            for (String component : checkpoint.networks()) {
                compile(checkpoint.component(component));
            }
        }
        if (Files.exists(PROCESS)) {
            Files.readAllLines(PROCESS).stream()
                    .filter(line -> line.startsWith("VmHWM:"))
                    .forEach(line -> print("peak resident %s", line.substring(6).strip()));
        }
        return ExitCode.DONE.code();
    }

    private void compile(Path component) throws IOException {
        for (Part part : Models.parts(component)) {
            long start = System.nanoTime();
            Path program = Models.compile(component, part, dtype);
            print(
                    "%-28s %7.1f MB in %5.1f s  %s",
                    component.getFileName() + "/" + part,
                    Files.size(program) / 1e6,
                    (System.nanoTime() - start) / 1e9,
                    program);
        }
    }

    private void print(String format, Object... values) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(String.format(Locale.ROOT, format, values));
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
