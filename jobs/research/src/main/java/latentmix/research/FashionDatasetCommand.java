package latentmix.research;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import latentmix.cli.OutputFolder;
import latentmix.config.ConfigException;
import latentmix.dataset.IdxFile;
import latentmix.image.PngEncoder;
import latentmix.plan.ExitCode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code latentmix dataset fashion-mnist}: folders of images, split so that nothing that judges was trained on. */
@Command(
        name = "fashion-mnist",
        description = {
            "Writes Fashion-MNIST as folders of 32×32 PNG images: train (the first 50,000 of the "
                    + "training file), pool (its last 10,000) and test (10,000).",
            "The built-in models were trained on train alone; few-shot sets are drawn from pool.",
            "The four IDX files come from the Debian package dataset-fashion-mnist, or from their authors."
        },
        mixinStandardHelpOptions = true)
final class FashionDatasetCommand implements Callable<Integer> {
    private static final List<String> NAMES = List.of(
            "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot");
    private static final int TRAINED_ON = 50_000;
    private static final int BORDER = 2;

    @Option(
            names = "--idx",
            defaultValue = "/usr/share/datasets/fashion-mnist",
            description = "folder of the IDX files (default: ${DEFAULT-VALUE})")
    private Path idx;

    @Option(names = "--out", defaultValue = "data/fashion-mnist", description = "default: ${DEFAULT-VALUE}")
    private Path out;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        OutputFolder.requireWritable("--out", out);
        int train = write("train", "train", 0, TRAINED_ON);
        int pool = write("train", "pool", TRAINED_ON, Integer.MAX_VALUE);
        int test = write("t10k", "test", 0, Integer.MAX_VALUE);
        spec.commandLine()
                .getOut()
                .printf("%s: %,d images in train, %,d in pool, %,d in test%n", out, train, pool, test);
        return ExitCode.DONE.code();
    }

    private int write(String file, String split, int from, int to) throws IOException {
        IdxFile images = read(file + "-images-idx3-ubyte.gz");
        IdxFile labels = read(file + "-labels-idx1-ubyte.gz");
        if (images.shape()[0] != labels.shape()[0]) {
            throw new ConfigException(List.of("--idx: expected as many labels as images, got " + labels.shape()[0]
                    + " and " + images.shape()[0] + " in the files of " + file));
        }
        StringBuilder classes = new StringBuilder("index\tfolder\tname\n");
        for (int label = 0; label < NAMES.size(); label++) {
            Files.createDirectories(out.resolve(split).resolve(folder(label)));
            classes.append(label)
                    .append('\t')
                    .append(folder(label))
                    .append('\t')
                    .append(NAMES.get(label))
                    .append('\n');
        }
        Files.writeString(out.resolve("classes.tsv"), classes);
        int end = Math.min(to, images.shape()[0]);
        for (int i = from; i < end; i++) {
            String name = String.format(Locale.ROOT, "%s-%05d.png", split.equals("test") ? "test" : "train", i);
            Path folder = out.resolve(split).resolve(folder(labels.values()[i]));
            Files.write(folder.resolve(name), PngEncoder.encode(images.grey(i, BORDER)));
        }
        return Math.max(0, end - from);
    }

    private static String folder(int label) {
        return label + "-" + NAMES.get(label).replace(' ', '-');
    }

    private IdxFile read(String name) {
        try {
            return IdxFile.read(idx.resolve(name));
        } catch (IOException e) {
            throw new ConfigException(List.of("--idx: expected the file " + name + " of Fashion-MNIST in " + idx
                    + ", got " + e + "; install the Debian package dataset-fashion-mnist, or name the folder"));
        }
    }
}
