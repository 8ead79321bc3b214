package latentmix.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import latentmix.config.ConfigException;
import latentmix.config.ConfigFile;
import latentmix.config.Demo;
import latentmix.plan.ExitCode;
import latentmix.stage.Doctor;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code latentmix doctor}: whether the executors can do what a run asks of them. */
@Command(
        name = "doctor",
        description = {
            "Asks every executor, and each of its GPUs, what it has: cores, driver, build of PyTorch, memory, clock."
                    + " Runs a small network there in each number format and compares it with the CPU's numbers.",
            "Exits with 2 where something would stop a run, and says what to do."
        },
        mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..*",
            paramLabel = "PLACE",
            description = "folders that every executor must be able to look into, such as s3a://bucket/images")
    private final List<String> places = new ArrayList<>();

    @Option(
            names = "--threads",
            defaultValue = "1",
            paramLabel = "N",
            description = "CPU threads of a task, as model.threads")
    private int threads;

    @Mixin
    private final GpuOption gpus = new GpuOption();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        return SparkJob.run(
                ConfigFile.demo(Demo.FASHION, List.of("model.threads=" + threads)), gpus.settings(), spark -> {
                    PrintWriter out = spec.commandLine().getOut();
                    Doctor doctor = Doctor.examine(spark, places);
                    doctor.table().forEach(out::println);
                    out.println("Differences are from the CPU in float32, as a share of the largest output.");
                    doctor.remarks().forEach(remark -> out.println("note: " + remark));
                    if (!doctor.problems().isEmpty()) {
                        throw new ConfigException(doctor.problems());
                    }
                    out.println("Nothing here would stop a run.");
                    return ExitCode.DONE.code();
                });
    }
}
