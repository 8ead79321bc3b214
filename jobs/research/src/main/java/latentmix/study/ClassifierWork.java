package latentmix.study;

import ai.djl.Device;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import latentmix.checkpoint.BuiltIn;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.UnreadableImage;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.Torch;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassPool;
import latentmix.plan.GenerationChunk;
import latentmix.plan.Kept;
import latentmix.source.FolderSource;
import latentmix.source.Listing;
import latentmix.table.ContentId;
import latentmix.table.GeneratedTable;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;
import latentmix.training.Augmentation;
import latentmix.training.ClassifierTraining;
import latentmix.training.ClassifierTraining.Form;
import latentmix.training.Corruption;
import latentmix.training.Examples;
import latentmix.training.Features;
import latentmix.training.LabelledImages;
import latentmix.work.GeneratedMixtures;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Trains classifiers on a few real images and on images made of them, and publishes how well they do. */
public final class ClassifierWork {
    /**
     * A way to train on the same images.
     *
     * @param id the id of all that decides the result: see {@link #id}
     * @param share the share of a batch that is made images; 0 where there are none
     * @param multiple made images for each real one; 0 where there are none
     * @param augmented none or standard, for real and made images alike
     */
    public record Way(String id, double share, int multiple, Augmented augmented) implements Serializable {}

    /**
     * Trainings of one seed on the same images.
     *
     * @param arm what is trained on in words; empty for real images alone
     * @param real the folder of the real images, {@code <real>/<class>/<image>}, all of which are used
     * @param classes the number of logits
     * @param validation places of the images that choose among ways, and {@code test} of those that judge
     * @param tail the numbers of the classes that have the fewest real images; none where all have as many
     * @param corruptions under which the images that judge are seen too, of this severity
     * @param seed the seed, with the number of shots, decides first weights, order and augmentation, whatever the
     *     images
     */
    public record Training(
            String arm,
            List<Way> ways,
            String real,
            List<ClassLabel> labels,
            int classes,
            int shots,
            Made made,
            List<Integer> validation,
            List<Integer> test,
            Set<Integer> tail,
            List<Corruption> corruptions,
            int severity,
            int seed,
            StudyConfig.Classifier classifier)
            implements Serializable {
        public Training {
            corruptions = List.copyOf(corruptions);
            tail = Set.copyOf(tail);
            ways = List.copyOf(ways);
            labels = List.copyOf(labels);
            validation = List.copyOf(validation);
            test = List.copyOf(test);
        }

        /** The same with some of its ways. */
        Training only(List<Way> some) {
            return new Training(
                    arm,
                    some,
                    real,
                    labels,
                    classes,
                    shots,
                    made,
                    validation,
                    test,
                    tail,
                    corruptions,
                    severity,
                    seed,
                    classifier);
        }

        /** The seed of first weights, order and augmentation. It is the same with and without made images. */
        String draws() {
            return "classifier " + shots + " " + seed;
        }
    }

    /**
     * The made images of a training: in each class {@code multiple · shots} mixtures, the first ones of each entry.
     *
     * @param run the run folder they are in
     * @param mixingIds the settings ids of the entries, which have equal shares
     * @param generationId the settings id of the images
     * @param filterId the settings id of the verdicts on them; empty without a filter
     * @param kept which of them are trained on
     * @param pools the real images that they were made of
     */
    public record Made(
            String run,
            String method,
            List<String> mixingIds,
            String generationId,
            String filterId,
            Kept kept,
            List<ClassPool> pools)
            implements Serializable {
        /** No made images. */
        public static final Made NONE = new Made("", "", List.of(), "", "", Kept.all(List.of()), List.of());

        public Made {
            mixingIds = List.copyOf(mixingIds);
            pools = List.copyOf(pools);
        }

        /** How many mixtures of each entry, of so many in all. */
        private int each(int all) {
            return (int) Math.ceil((double) all / mixingIds.size());
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

    private static final int MADE_VIEWS = 2; // of a made image: there are more of them than of real ones

    private final RunFolder folder;
    private final LabelledImages pool;
    private final LabelledImages test;

    /**
     * Makes work that publishes in this folder.
     *
     * @param pool the images that may choose and judge
     * @param test those that judge all trainings; empty where each seed has its own
     */
    public ClassifierWork(RunFolder folder, LabelledImages pool, LabelledImages test) {
        this.folder = folder;
        this.pool = pool;
        this.test = test;
    }

    /**
     * The id of a training: what its accuracy depends on, and nothing else.
     *
     * @param judges the fingerprints of the images that choose and that judge
     * @param network the fingerprint of the network whose features are seen; empty for none
     */
    public static String id(
            List<String> realIds,
            List<String> judges,
            String network,
            int classes,
            int shots,
            Made made,
            Way way,
            int seed,
            StudyConfig.Downstream config) {
        StudyConfig.Classifier classifier = config.classifier();
        List<String> parts = new ArrayList<>(realIds.stream().sorted().toList());
        parts.addAll(judges);
        made.pools().forEach(pool -> parts.addAll(pool.inverted())); // by prompt: learnt tokens make other images
        parts.addAll(List.of(
                network,
                Integer.toString(classes),
                Integer.toString(shots),
                String.join(" ", made.mixingIds()),
                made.generationId(),
                made.filterId(),
                config.corruptions() + " " + config.severity(),
                Double.toString(way.share()),
                Integer.toString(way.multiple()),
                way.augmented().augmentation().toString(),
                Integer.toString(seed),
                Integer.toString(classifier.size()),
                Integer.toString(classifier.views()),
                classifier.training().toString()));
        return ContentId.of(parts);
    }

    /** The images of these classes below a root, in the order of their names. */
    public static LabelledImages images(String root, List<ClassLabel> labels, int size, Configuration conf)
            throws IOException {
        RunFolder files = new RunFolder(root, conf);
        LabelledImages.Builder images = new LabelledImages.Builder(size);
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

    /** Trains each way, judges it and publishes its row; returns how many were trained. */
    public int train(Training training, int threads, LongConsumer progress) throws IOException {
        Torch.setThreadsPerTask(threads);
        int size = training.classifier().size();
        LabelledImages real = images(training.real(), training.labels(), size, folder.conf());
        LabelledImages validation = pool.only(training.validation());
        LabelledImages judging = test.count() > 0 ? test : pool.only(training.test());
        Map<Augmented, Examples> reals = new EnumMap<>(Augmented.class);
        Map<Integer, LabelledImages> images = new TreeMap<>(); // by multiple
        Map<Integer, Examples> mades = new TreeMap<>();
        Examples choosing = examples(training, validation, Augmented.NONE, 1, "validation");
        Examples judges = examples(training, judging, Augmented.NONE, 1, "test");
        Examples tail = examples(training, judging.of(training.tail()), Augmented.NONE, 1, "tail");
        Examples corrupted = examples(
                training,
                judging.corrupted(training.corruptions(), training.severity()),
                Augmented.NONE,
                1,
                "corrupted");
        for (Way way : training.ways()) {
            if (!reals.containsKey(way.augmented())) {
                reals.put(
                        way.augmented(),
                        examples(
                                training,
                                real,
                                way.augmented(),
                                training.classifier().views(),
                                "real"));
            }
            if (!mades.containsKey(way.multiple())) {
                images.put(way.multiple(), made(training, way.multiple(), real.counts()));
                mades.put(
                        way.multiple(),
                        examples(training, images.get(way.multiple()), way.augmented(), MADE_VIEWS, "made"));
            }
            Examples shown = reals.get(way.augmented());
            Form form = training.classifier().features() == null
                    ? Form.small(size, training.classes())
                    : Form.linear(shown.plain(0).length, training.classes());
            try (ClassifierTraining classifier = ClassifierTraining.of(
                    form,
                    training.classifier().training(),
                    shown,
                    mades.get(way.multiple()),
                    way.share(),
                    training.draws())) {
                new AccuracyTable(folder)
                        .publish(new AccuracyRow(
                                way.id(),
                                training.shots(),
                                training.arm(),
                                training.made().method(),
                                way.share(),
                                way.multiple(),
                                way.augmented().name().toLowerCase(Locale.ROOT),
                                training.seed(),
                                real.count(),
                                images.get(way.multiple()).count(),
                                validation.count(),
                                judging.count(),
                                classifier.accuracy(choosing),
                                classifier.accuracy(judges),
                                classifier.accuracy(tail),
                                classifier.accuracy(corrupted)));
            }
            progress.accept(1);
        }
        return training.ways().size();
    }

    /** The images as a training sees them: themselves, or the features that a network has of them. */
    private static Examples examples(
            Training training, LabelledImages images, Augmented augmented, int views, String what) {
        String features = training.classifier().features();
        if (features == null) {
            return images.augmented(augmented.augmentation());
        }
        return Features.of(
                Models.classifier(java.nio.file.Path.of(BuiltIn.located(features)), Device.cpu(), Dtype.FLOAT32)
                        ::encode,
                images,
                augmented.augmentation(),
                augmented == Augmented.NONE ? 1 : views,
                training.draws() + " " + what);
    }

    /** @param real how many real images each class has, by its number */
    private LabelledImages made(Training training, int multiple, Map<Integer, Integer> real) throws IOException {
        LabelledImages.Builder images =
                new LabelledImages.Builder(training.classifier().size());
        if (multiple == 0) {
            return images.build();
        }
        Map<String, Integer> labels =
                training.labels().stream().collect(Collectors.toMap(ClassLabel::classId, ClassLabel::label));
        for (ClassPool pool : training.made().pools()) {
            int all = multiple * training.shots();
            int made = training.tail().isEmpty()
                    ? all
                    : Math.max(0, all - real.get(pool.label().label()));
            for (var pair : made(training.made(), pool, training.made().each(made))) {
                MixedTable.Label mixture = pair.mixture();
                Pixels pixels = decoded(pair.image().orElseThrow().image().bytes(), mixture.mixId());
                if (mixture.labelClasses().isEmpty()) {
                    images.add(pixels, pool.label().label());
                } else {
                    Map<Integer, Double> shares = new TreeMap<>();
                    for (int i = 0; i < mixture.labelClasses().size(); i++) {
                        shares.merge(
                                labels.get(mixture.labelClasses().get(i)),
                                mixture.labelWeights().get(i),
                                Double::sum);
                    }
                    images.add(pixels, pool.label().label(), shares);
                }
            }
        }
        return images.build();
    }

    /** A class's first mixtures of each entry that are kept, with their images. */
    private List<GeneratedMixtures.Pair<MixedTable.Label, GeneratedTable.Image>> made(
            Made made, ClassPool pool, int each) throws IOException {
        RunFolder run = new RunFolder(made.run(), folder.conf());
        String classId = pool.label().classId();
        Set<String> poolIds = pool.ids(run);
        GeneratedMixtures tables = new GeneratedMixtures(run, classId);
        List<GeneratedMixtures.Pair<MixedTable.Label, GeneratedTable.Image>> pairs = new ArrayList<>();
        for (String chunk : new MixedTable(run, classId).chunks()) {
            Predicate<String> kept = made.kept().of(run, classId, chunk);
            tables
                    .chunk(
                            chunk,
                            GenerationChunk.id(made.generationId(), chunk),
                            MixedTable.Label.class,
                            GeneratedTable.Image.class,
                            label -> poolIds.contains(label.poolId())
                                    && made.mixingIds().contains(label.settingsId())
                                    && kept.test(label.mixId()))
                    .stream()
                    .filter(pair -> pair.image().isPresent()) // a mixture that was refused has none
                    .forEach(pairs::add);
        }
        pairs.sort(Comparator.<GeneratedMixtures.Pair<MixedTable.Label, GeneratedTable.Image>>comparingInt(
                        pair -> pair.mixture().k())
                .thenComparing(pair -> pair.mixture().mixId()));
        Map<String, Integer> taken = new HashMap<>();
        return pairs.stream()
                .filter(pair -> taken.merge(pair.mixture().settingsId(), 1, Integer::sum) <= each)
                .toList();
    }

    static void add(LabelledImages.Builder images, byte[] file, ClassLabel label, String name) {
        images.add(decoded(file, name), label.label());
    }

    private static Pixels decoded(byte[] file, String name) {
        try {
            return ImageDecoder.decode(file, Integer.MAX_VALUE);
        } catch (UnreadableImage e) {
            throw new IllegalArgumentException(
                    "expected an image that can be read, got " + name + ": " + e.reason() + "; take it away", e);
        }
    }
}
