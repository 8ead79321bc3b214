package latentmix.cli;

import java.nio.file.Path;
import latentmix.checkpoint.BuiltIn;
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
    /** A folder's path, or a built-in's name with a path below it. */
    public static final class Location implements ITypeConverter<Path> {
        @Override
        public Path convert(String value) {
            try {
                return Path.of(BuiltIn.located(value));
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }
}
