package latentmix.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
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
import picocli.CommandLine.Mixin;

/** {@code latentmix model show}: what a checkpoint consists of, once all its tensors' names and shapes are checked. */
@Command(
        name = "show",
        description =
                "Checks the configurations and tensors of a checkpoint or a component and shows what it consists of.",
        mixinStandardHelpOptions = true)
final class ModelShowCommand implements Callable<Integer> {
    @Mixin
    private final CheckpointOptions options = new CheckpointOptions();

    @Override
    public Integer call() {
        Optional<Path> component = options.component();
        if (component.isPresent()) {
            Path path = component.get();
            options.singleFile().ifPresent(file -> options.print("%-14s %s", "file", file));
            options.print("%-14s %s", "fingerprint", CheckpointFolder.fingerprint(path));
            show(
                    options.singleFile().isPresent()
                            ? "autoencoder"
                            : path.toAbsolutePath().normalize().getFileName().toString(),
                    path);
            return ExitCode.DONE.code();
        }
        CheckpointFolder folder = options.checkpoint();
        Shape latent = Models.latentShape(folder);
        int size = Models.imageSize(folder);
        options.print("%s in %s", folder.pipeline(), folder.path());
        options.singleFile().ifPresent(file -> options.print("%-14s %s", "file", file));
        folder.origin().ifPresent(origin -> options.print("%-14s %s", "made of", origin));
        options.print("%-14s %s", "fingerprint", folder.fingerprint());
        options.print("%-14s %d × %d", "images", size, size);
        options.print("%-14s %d × %d × %d", "latents", latent.channels(), latent.height(), latent.width());
        options.print(
                "%-14s %s",
                "scheduler", folder.schedulerConfig().path("_class_name").asText());
        for (String network : folder.networks()) {
            show(network, folder.component(network));
        }
        folder.loras().forEach(lora -> options.print("%-14s %s", "lora", lora));
        folder.tokens().forEach(token -> options.print("%-14s %s", "token", token));
        ignored(folder.ignored());
        Models.remarks(folder).forEach(remark -> options.print("%-14s %s", "note", remark));
        Scheduler.remarks(folder.schedulerConfig()).forEach(remark -> options.print("%-14s %s", "note", remark));
        Models.denoiserProblem(folder).ifPresent(problem -> options.print("%-14s %s", "no inversion", problem));
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
            options.print(
                    "%-14s %s, %.2f M parameters as %s from %s",
                    name,
                    architecture.getClass().getSimpleName(),
                    parameters / 1e6,
                    String.join(" and ", types),
                    StateDict.abbreviate(StateDict.files(component).stream()
                            .map(file -> file.getFileName().toString())
                            .toList()));
        }
        ignored(architecture.ignored(component));
    }

    private void ignored(List<String> tensors) {
        if (!tensors.isEmpty()) {
            options.print("%-14s of no use, ignored: %s", "", StateDict.abbreviate(tensors));
        }
    }
}
