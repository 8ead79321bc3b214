package latentmix.cli;

import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The answer to a command line that picocli cannot read: what is wrong, the nearest right word, where to read on. */
final class Misspelt implements IParameterExceptionHandler {
    @Override
    public int handleParseException(ParameterException failure, String[] args) {
        CommandLine command = failure.getCommandLine();
        String name = command.getCommandSpec().qualifiedName();
        List<String> unknown = command.getUnmatchedArguments(); // also where an option is missing that was misspelt
        String problem =
                unknown.isEmpty() ? failure.getMessage().lines().findFirst().orElse("") : unknown(command, unknown);
        command.getErr().println(name + ": " + problem + " (" + name + " --help says more)");
        return command.getCommandSpec().exitCodeOnInvalidInput();
    }

    private static String unknown(CommandLine command, List<String> unknown) {
        String word = unknown.get(0);
        String kind = word.startsWith("-")
                ? "unknown option "
                : command.getSubcommands().isEmpty() ? "unexpected argument " : "unknown verb ";
        return kind
                + word
                + new UnmatchedArgumentException(command, unknown)
                        .getSuggestions().stream()
                                .findFirst()
                                .map(nearest -> "; did you mean " + nearest + "?")
                                .orElse("");
    }
}
