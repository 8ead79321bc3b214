package latentmix.research;

import picocli.CommandLine.Command;

/** {@code latentmix dataset}: writes the sets that the built-in models were trained on and studies use. */
@Command(
        name = "dataset",
        description = "Writes a labelled set of small images as folders: what the built-in models were trained on.",
        subcommands = {FashionDatasetCommand.class, EmojiDatasetCommand.class},
        mixinStandardHelpOptions = true)
final class DatasetCommand {}
