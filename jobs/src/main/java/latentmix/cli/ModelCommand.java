package latentmix.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** {@code latentmix model}: looks at a checkpoint, without Spark. */
@Command(
        name = "model",
        description = "Looks at a checkpoint, without Spark.",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = HelpCommand.class)
final class ModelCommand {}
