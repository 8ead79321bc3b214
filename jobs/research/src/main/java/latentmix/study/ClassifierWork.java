package latentmix.study;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.LongConsumer;
import latentmix.image.ImageDecoder;
import latentmix.image.UnreadableImage;
import latentmix.model.Torch;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassPool;
import latentmix.plan.GenerationChunk;
import latentmix.source.FolderSource;
import latentmix.source.Listing;
import latentmix.table.ContentId;
import latentmix.table.GeneratedTable;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;
import latentmix.training.Augmentation;
import latentmix.training.ClassifierTraining;
import latentmix.training.GreyImages;
import latentmix.work.GeneratedMixtures;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Trains one classifier on a few real images and on images made of them, and publishes how well it does. */
public final class ClassifierWork {
    private static final int IMAGE_SIZE = 32; // pixels of a side that the classifier sees

    /**
     * A training.
     *
     * @param id the id of all that decides the result: see {@link #id}
     * @param real the folder of the real images, {@code <real>/<class>/<image>}, all of which are used
     * @param classes the number of logits
     * @param augmented none or standard, for real and made images alike
     * @param seed the seed, with the number of shots, decides first weights, order and augmentation, whatever the
     *     images
     */
    public record Training(
            String id,
            String real,
            List<ClassLabel> labels,
            int classes,
            int shots,
            Made made,
            Augmented augmented,
            int seed,
            ClassifierTraining.Settings settings)
            implements Serializable {
        public Training {
            labels = List.copyOf(labels);
        }

        /** The seed of first weights, order and augmentation. It is the same with and without made images. */
        String draws() {
            return "classifier " + shots + " " + seed;
        }
    }

    /**
     * The made images of a training: in each class the first {@code multiple · shots} mixtures of an entry.
     *
     * @param run the run folder they are in
     * @param mixingId the settings id of the entry
     * @param generationId the settings id of the images
     * @param pools the real images that they were made of
     */
    public record Made(
            String run, String method, String mixingId, String generationId, List<ClassPool> pools, int multiple)
            implements Serializable {
        /** No made images. */
        public static final Made NONE = new Made("", "", "", "", List.of(), 0);

        public Made {
            pools = List.copyOf(pools);
        }
    }

    /** Says whether images are changed at random each time they are seen. */
    public enum Augmented {
        NONE,
        STANDARD;

        private Augmentation augmentation() {
            return switch (this) {
                case NONE -> Augmentation.NONE;
                case STANDARD -> Augmentation.STANDARD;
            };
        }
    }

    private final RunFolder folder;
    private final GreyImages test;

    /** Makes work that publishes in this folder and judges by these images. */
    public ClassifierWork(RunFolder folder, GreyImages test) {
        this.folder = folder;
        this.test = test;
    }

    /** The id of a training: what its accuracy depends on, and nothing else. */
    public static String id(
            List<String> realIds,
            String testId,
            int classes,
            int shots,
            Made made,
            Augmented augmented,
            int seed,
            ClassifierTraining.Settings settings) {
        List<String> parts = new ArrayList<>(realIds.stream().sorted().toList());
        parts.addAll(List.of(
                testId,
                Integer.toString(classes),
                Integer.toString(shots),
                made.mixingId(),
                made.generationId(),
                Integer.toString(made.multiple()),
                augmented.augmentation().toString(),
                Integer.toString(seed),
                settings.toString()));
        return ContentId.of(parts);
    }

    /** The images of these classes below a root, in the order of their names. */
    public static GreyImages images(String root, List<ClassLabel> labels, Configuration conf) throws IOException {
        RunFolder files = new RunFolder(root, conf);
        GreyImages.Builder images = new GreyImages.Builder(IMAGE_SIZE);
        for (ClassLabel label : labels) {
            for (Path file : files(root, label, conf)) {
                add(images, files.read(file), label, file.toString());
            }
        }
        return images.build();
    }

    /** The files of a class that claim to be images, by name. */
    public static List<Path> files(String root, ClassLabel label, Configuration conf) throws IOException {
        try {
            Listing listing = new FolderSource(root).list(label.classId(), conf);
            if (!listing.refused().isEmpty()) {
                Listing.Refused file = listing.refused().get(0);
                throw new IOException(root + "/" + file.path() + ": " + file.detail());
            }
            return listing.images().stream()
                    .map(image -> new Path(root, image.path()))
                    .toList();
        } catch (FileNotFoundException e) {
            throw new IOException(
                    "expected a folder of images of the class " + label.classId() + ", but there is nothing at "
                            + new Path(root, label.classId()) + "; check the path",
                    e);
        }
    }

    /** Trains, judges, publishes the row and returns its accuracy. */
    public double train(Training training, int threads, LongConsumer progress) throws IOException {
        Torch.setThreadsPerTask(threads);
        GreyImages real = images(training.real(), training.labels(), folder.conf());
        GreyImages made = made(training);
        double accuracy;
        try (ClassifierTraining classifier = ClassifierTraining.of(
                ClassifierTraining.small(IMAGE_SIZE, training.classes()),
                training.settings(),
                training.augmented().augmentation(),
                real,
                made,
                training.draws())) {
            accuracy = classifier.accuracy(test);
        }
        AccuracyRow row = new AccuracyRow(
                training.id(),
                training.shots(),
                training.made().method(),
                training.made().multiple(),
                training.augmented().name().toLowerCase(java.util.Locale.ROOT),
                training.seed(),
                real.count(),
                made.count(),
                test.count(),
                accuracy);
        new AccuracyTable(folder).publish(row);
        progress.accept(1);
        return accuracy;
    }

    private GreyImages made(Training training) throws IOException {
        GreyImages.Builder images = new GreyImages.Builder(IMAGE_SIZE);
        Made made = training.made();
        if (made.multiple() == 0) {
            return images.build();
        }
        RunFolder run = new RunFolder(made.run(), folder.conf());
        for (ClassPool pool : made.pools()) {
            ClassLabel label = pool.label();
            String poolId = pool.id(run);
            GeneratedMixtures tables = new GeneratedMixtures(run, label.classId());
            List<GeneratedMixtures.Pair<MixedTable.Key, GeneratedTable.Image>> pairs = new ArrayList<>();
            for (String chunk : new MixedTable(run, label.classId()).chunks()) {
                pairs.addAll(tables.chunk(
                        chunk,
                        GenerationChunk.id(made.generationId(), chunk),
                        MixedTable.Key.class,
                        GeneratedTable.Image.class,
                        key -> key.poolId().equals(poolId)
                                && key.settingsId().equals(made.mixingId())
                                && key.k() < made.multiple() * training.shots()));
            }
            pairs.sort(Comparator.comparingInt(pair -> pair.mixture().k()));
            for (var pair : pairs) {
                if (pair.image().isPresent()) { // a mixture that was refused has none
                    add(
                            images,
                            pair.image().get().image().bytes(),
                            label,
                            pair.mixture().mixId());
                }
            }
        }
        return images.build();
    }

    private static void add(GreyImages.Builder images, byte[] file, ClassLabel label, String name) {
        try {
            images.add(ImageDecoder.decode(file, Integer.MAX_VALUE), label.label());
        } catch (UnreadableImage e) {
            throw new IllegalArgumentException(
                    "expected an image that can be read, got " + name + ": " + e.reason() + "; take it away", e);
        }
    }
}
