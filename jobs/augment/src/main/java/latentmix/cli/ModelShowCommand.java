package latentmix.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import latentmix.architecture.Architecture;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.StateDict;
import latentmix.latent.Shape;
import latentmix.model.Models;
import latentmix.plan.ExitCode;
import latentmix.schedule.Scheduler;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code latentmix model show}: what a checkpoint consists of, once all its tensors' names and shapes are checked. */
@Command(
        name = "show",
        description =
                "Checks the configurations and tensors of a checkpoint or a component and shows what it consists of.",
        mixinStandardHelpOptions = true)
final class ModelShowCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "FOLDER",
            converter = ModelCommand.Location.class,
            description = "a checkpoint in diffusers layout, a component of one, or builtin:fashion")
    private Path path;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (Files.exists(path.resolve("config.json"))) {
            print("%-13s %s", "fingerprint", CheckpointFolder.fingerprint(path));
            show(path.toAbsolutePath().normalize().getFileName().toString(), path);
            return ExitCode.DONE.code();
        }
        CheckpointFolder folder = CheckpointFolder.open(path);
        Models.check(folder);
        Shape latent = Models.latentShape(folder);
        int size = Models.imageSize(folder);
        print("%s in %s", folder.pipeline(), folder.path());
        print("%-14s %s", "fingerprint", folder.fingerprint());
        print("%-14s %d × %d", "images", size, size);
        print("%-14s %d × %d × %d", "latents", latent.channels(), latent.height(), latent.width());
        print(
                "%-14s %s",
                "scheduler", folder.schedulerConfig().path("_class_name").asText());
        for (String component : folder.networks()) {
            show(component, folder.component(component));
        }
        Models.remarks(folder).forEach(remark -> print("%-14s %s", "note", remark));
        Scheduler.remarks(folder.schedulerConfig()).forEach(remark -> print("%-14s %s", "note", remark));
        Models.denoiserProblem(folder).ifPresent(problem -> print("%-14s %s", "no inversion", problem));
        return ExitCode.DONE.code();
    }

    private void show(String name, Path component) {
        Architecture architecture = Architecture.of(component);
        try (StateDict weights = architecture.weights(component)) {
            long parameters = 0;
            TreeSet<String> types = new TreeSet<>();
            for (String key : weights.keys()) {
                parameters += weights.tensor(key).size();
                types.add(weights.tensor(key).type().toString());
            }
            print(
                    "%-14s %s, %.2f M parameters as %s",
                    name, architecture.getClass().getSimpleName(), parameters / 1e6, String.join(" and ", types));
        }
        List<String> ignored = architecture.ignored(component);
        if (!ignored.isEmpty()) {
            print("%-14s of no use, ignored: %s", "", StateDict.abbreviate(ignored));
        }
    }

    private void print(String format, Object... values) {
        spec.commandLine().getOut().println(String.format(Locale.ROOT, format, values));
    }
}
