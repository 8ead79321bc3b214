package latentmix.study;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.plan.ClassLabel;
import latentmix.stage.Tasks;
import latentmix.table.ContentId;
import latentmix.table.RunFolder;
import latentmix.training.LabelledImages;
import org.apache.hadoop.fs.Path;

/**
 * The real images of each seed. A class's files are sorted by the hash of the seed and their own bytes. The first ones
 * are trained on, so that more shots hold those of fewer. The last ones choose among ways to train. Where there is no
 * folder of test images, those in between judge. Neither names nor the order of files matter.
 */
final class FewShots {
    /** An image that was drawn; its id is the hash of its class and bytes. */
    private record Drawn(String id, String file) implements Serializable {
        String name() {
            return id + file.substring(file.lastIndexOf('.'));
        }
    }

    /** The images of a class that can be drawn, by id. */
    private record Pool(List<Drawn> files, LabelledImages images) implements Serializable {}

    private final RunFolder folder;
    private final List<ClassLabel> labels;
    private final StudyConfig.Downstream config;
    private final List<Pool> pools; // by class
    private final LabelledImages images; // of all classes
    private final List<Integer> first = new ArrayList<>(); // the place of a class's first image

    private FewShots(RunFolder folder, List<ClassLabel> labels, StudyConfig.Downstream config, List<Pool> pools) {
        this.folder = folder;
        this.labels = labels;
        this.config = config;
        this.pools = pools;
        this.images = LabelledImages.concat(pools.stream().map(Pool::images).toList());
        int count = 0;
        for (Pool pool : pools) {
            first.add(count);
            count += pool.files().size();
        }
    }

    /**
     * Reads the class folders of a root.
     *
     * @param size pixels of a side that images get
     * @throws IllegalArgumentException if a class has too few images
     */
    static FewShots read(
            Tasks tasks,
            RunFolder folder,
            String root,
            List<ClassLabel> labels,
            StudyConfig.Downstream config,
            int size) {
        int least = config.mostShots() + config.validation() + (config.test() == null ? 1 : 0);
        List<Pool> pools = tasks.map("read images", labels, (run, label, progress) -> {
            Map<String, Path> files = new TreeMap<>(); // by id: equal bytes count once
            Map<String, byte[]> bytes = new TreeMap<>();
            for (Path file : ClassifierWork.files(root, label, run.conf())) {
                byte[] read = run.read(file);
                String id = ContentId.of(label.classId(), read);
                files.putIfAbsent(id, file);
                bytes.putIfAbsent(id, read);
            }
            if (files.size() < least) {
                throw new IllegalArgumentException("expected at least " + least + " different images of the class "
                        + label.classId() + " in " + root + ", got " + files.size()
                        + "; lower shots or validation, or add images");
            }
            LabelledImages.Builder images = new LabelledImages.Builder(size);
            bytes.forEach((id, read) -> ClassifierWork.add(images, read, label, id));
            return new Pool(
                    new ArrayList<>(files.entrySet().stream()
                            .map(entry ->
                                    new Drawn(entry.getKey(), entry.getValue().toString()))
                            .toList()),
                    images.build());
        });
        return new FewShots(folder, labels, config, pools);
    }

    /** All images that can be drawn. */
    LabelledImages images() {
        return images;
    }

    /**
     * How many images of each class are trained on. With a long tail they fall from the shots to the fewest in equal
     * ratios, <a href="https://arxiv.org/abs/1901.05555">Cui et al.</a>'s way; the seed says in which order of classes.
     */
    List<Integer> counts(int shots, int seed) {
        int classes = labels.size();
        if (config.tail() == 0) {
            return Collections.nCopies(classes, shots);
        }
        List<Integer> order = IntStream.range(0, classes)
                .boxed()
                .sorted(Comparator.comparing(i ->
                        ContentId.of("long tail " + seed + " " + labels.get(i).classId(), new byte[0])))
                .toList();
        double ratio = (double) config.tail() / shots;
        return IntStream.range(0, classes)
                .mapToObj(i -> (int) Math.round(shots * Math.pow(ratio, order.indexOf(i) / (classes - 1.0))))
                .toList();
    }

    /**
     * The numbers of the classes that have the fewest images: a third of them, one or more; none without a long tail.
     */
    Set<Integer> tail(int shots, int seed) {
        List<Integer> counts = counts(shots, seed);
        return config.tail() == 0
                ? Set.of()
                : IntStream.range(0, labels.size())
                        .boxed()
                        .sorted(Comparator.comparing(counts::get))
                        .limit(Math.max(1, labels.size() / 3))
                        .map(i -> labels.get(i).label())
                        .collect(Collectors.toSet());
    }

    /** The ids of the images of a seed that are trained on. */
    List<String> ids(int shots, int seed) {
        List<Integer> counts = counts(shots, seed);
        return IntStream.range(0, labels.size())
                .boxed()
                .flatMap(i -> order(i, seed).subList(0, counts.get(i)).stream())
                .map(place -> place.drawn().id())
                .toList();
    }

    /** The places of the images of a seed that choose. */
    List<Integer> validation(int seed) {
        return taken(seed, order -> order.subList(order.size() - config.validation(), order.size()))
                .map(Place::place)
                .toList();
    }

    /** The places of the images of a seed that judge, where there is no folder of them. */
    List<Integer> test(int seed) {
        return taken(seed, order -> order.subList(config.mostShots(), order.size() - config.validation()))
                .map(Place::place)
                .toList();
    }

    private record Place(int place, Drawn drawn) {}

    private interface Part {
        List<Place> of(List<Place> order);
    }

    private Stream<Place> taken(int seed, Part part) {
        return IntStream.range(0, labels.size()).boxed().flatMap(i -> part.of(order(i, seed)).stream());
    }

    private List<Place> order(int classNumber, int seed) {
        List<Drawn> files = pools.get(classNumber).files();
        String draw = "few shots " + seed;
        return IntStream.range(0, files.size())
                .mapToObj(i -> new Place(first.get(classNumber) + i, files.get(i)))
                .sorted(Comparator.comparing(
                        place -> ContentId.of(draw, place.drawn().id())))
                .toList();
    }

    /** Copies the images of a seed that are trained on into class folders below a folder, where they are missing. */
    void copy(int shots, int seed, String to) throws IOException {
        List<Integer> counts = counts(shots, seed);
        for (int i = 0; i < labels.size(); i++) {
            String classFolder = to + "/" + labels.get(i).classId();
            Set<String> present = folder.files(classFolder);
            for (Place place : order(i, seed).subList(0, counts.get(i))) {
                Drawn image = place.drawn();
                if (!present.contains(image.name())) {
                    folder.publish(folder.path(classFolder + "/" + image.name()), folder.read(new Path(image.file())));
                }
            }
        }
    }
}
