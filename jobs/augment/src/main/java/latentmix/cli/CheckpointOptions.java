package latentmix.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import latentmix.checkpoint.CheckpointCache;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.CheckpointSpec;
import latentmix.config.ConfigException;
import latentmix.config.ConfigFile;
import latentmix.model.Models;
import latentmix.schedule.Scheduler;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The options of verbs that look at a checkpoint or at a component of one. */
final class CheckpointOptions {
    @Parameters(
            paramLabel = "FOLDER",
            description =
                    "a checkpoint in diffusers layout or in one safetensors file, a component of one, or builtin:fashion")
    private String location;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "reads a checkpoint otherwise than it is published, such as --set model.vae=FOLDER:"
                    + " model.scheduler, model.vae, model.variant, model.text_encoder_3, model.loras or"
                    + " model.embeddings")
    private List<String> overrides = new ArrayList<>();

    @Spec(Spec.Target.MIXEE)
    private CommandSpec mixee;

    /** The folder of a component alone, or nothing where a checkpoint is named. */
    Optional<Path> component() {
        Path folder = CheckpointCache.located(spec(), new Configuration());
        if (!Files.exists(folder.resolve("config.json"))) {
            return Optional.empty();
        }
        if (!overrides.isEmpty()) {
            throw new ConfigException(List.of("--set: expected a checkpoint, whose parts can be overridden, got the"
                    + " component " + location + "; leave --set out"));
        }
        return Optional.of(folder);
    }

    /** The checkpoint, checked as a run checks it. */
    CheckpointFolder checkpoint() {
        CheckpointFolder checkpoint = spec().open(new Configuration());
        Models.check(checkpoint);
        try {
            Scheduler.of(checkpoint.schedulerConfig());
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(e.getMessage(), e);
        }
        return checkpoint;
    }

    /** The file that the checkpoint or component was made of, where that is one. */
    Optional<Path> singleFile() {
        return CheckpointCache.singleFile(spec(), new Configuration());
    }

    private CheckpointSpec spec() {
        return ConfigFile.checkpoint(location, overrides);
    }

    void print(String format, Object... values) {
        mixee.commandLine().getOut().println(String.format(Locale.ROOT, format, values));
    }
}
