package latentmix.research;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import latentmix.cli.OutputFolder;
import latentmix.config.ConfigException;
import latentmix.dataset.EmojiDataset;
import latentmix.dataset.EmojiPackages;
import latentmix.dataset.EmojiSample;
import latentmix.plan.ExitCode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code latentmix dataset emoji}: the same things, drawn by nine artists, as 64×64 PNG images. */
@Command(
        name = "emoji",
        description = {
            "Draws emoji of nine sets as 64×64 PNG images on white, with a manifest of name, style, group and licence.",
            "Twenty classes of things that look alike lie in train and test, of the sets whose licences let images of"
                    + " them be shipped. A thing is in one of them with all of its styles.",
            "The drawings come from npm packages of pinned versions. npm fetches them where it is installed."
        },
        mixinStandardHelpOptions = true)
final class EmojiDatasetCommand implements Callable<Integer> {
    private static final int UNDRAWN_NAMED = 20;

    @Option(names = "--out", defaultValue = "data/emoji", description = "default: ${DEFAULT-VALUE}")
    private Path out;

    @Option(
            names = "--packages",
            description = "a node_modules folder that has the packages (default: <out>/packages/node_modules, fetched"
                    + " by npm)")
    private Path packages;

    @Option(
            names = "--sample",
            paramLabel = "FOLDER",
            description = "also copies a few images of each class there, as built-in ones lie in the sources")
    private Path sample;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        OutputFolder.requireWritable("--out", out);
        Path modules = packages == null ? EmojiPackages.fetched(out.resolve("packages")) : packages;
        List<String> missing = EmojiPackages.missing(modules);
        if (!missing.isEmpty()) {
            throw new ConfigException(List.of(
                    "--packages: expected the npm packages " + String.join(" ", missing) + " in " + modules + "; run "
                            + EmojiPackages.command(modules.toAbsolutePath().getParent())));
        }
        Files.createDirectories(out);
        EmojiDataset.Result result = EmojiDataset.write(modules, out, this::print);
        int images =
                result.images().values().stream().mapToInt(Integer::intValue).sum();
        print(String.format("%,d images of %,d things in %s", images, result.names(), out));
        if (sample != null) {
            OutputFolder.requireWritable("--sample", sample);
            print(String.format("%,d images in %s", EmojiSample.write(out, sample), sample));
        }
        if (!result.unknown().isEmpty()) {
            print("names of the class list that are none of Unicode's, and of no class: "
                    + String.join(", ", result.unknown()));
        }
        if (!result.undrawn().isEmpty()) {
            print(result.undrawn().size() + " drawings could not be drawn and were left out:");
            result.undrawn().stream().limit(UNDRAWN_NAMED).forEach(line -> print("  " + line));
            if (result.undrawn().size() > UNDRAWN_NAMED) {
                print("  and " + (result.undrawn().size() - UNDRAWN_NAMED) + " more");
            }
        }
        return ExitCode.DONE.code();
    }

    private void print(String line) {
        spec.commandLine().getOut().println(line);
        spec.commandLine().getOut().flush();
    }
}
