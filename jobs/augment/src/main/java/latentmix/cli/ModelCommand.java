package latentmix.cli;

import java.nio.file.Path;
import latentmix.checkpoint.CheckpointCache;
import latentmix.checkpoint.CheckpointException;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code latentmix model}: looks at a checkpoint, without Spark. */
@Command(
        name = "model",
        description = "Looks at a checkpoint, without Spark.",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {ModelShowCommand.class, ModelVerifyCommand.class, ModelCompileCommand.class, HelpCommand.class})
public final class ModelCommand {
    /** The local path of what a checkpoint's location names, wherever that is. */
    public static final class Location implements ITypeConverter<Path> {
        @Override
        public Path convert(String value) {
            try {
                return CheckpointCache.located(value, new Configuration());
            } catch (IllegalArgumentException | CheckpointException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }
}
