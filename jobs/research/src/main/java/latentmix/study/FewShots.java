package latentmix.study;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import latentmix.plan.ClassLabel;
import latentmix.stage.Tasks;
import latentmix.table.ContentId;
import latentmix.table.RunFolder;
import org.apache.hadoop.fs.Path;

/**
 * The few real images of each seed. A class's files are sorted by the hash of the seed and their own bytes, and the
 * first ones are taken. So more shots hold those of fewer, and neither names nor the order of files matter.
 */
final class FewShots {
    /** An image that was drawn; its id is the hash of its class and bytes. */
    private record Drawn(String id, String file) implements Serializable {
        String name() {
            return id + file.substring(file.lastIndexOf('.'));
        }
    }

    private final RunFolder folder;
    private final List<ClassLabel> labels;
    private final List<List<List<Drawn>>> drawn; // by class, by seed, in order

    private FewShots(RunFolder folder, List<ClassLabel> labels, List<List<List<Drawn>>> drawn) {
        this.folder = folder;
        this.labels = labels;
        this.drawn = drawn;
    }

    /**
     * Draws from the class folders of a root.
     *
     * @param most the largest number of shots
     * @throws IllegalArgumentException if a class has fewer images
     */
    static FewShots draw(Tasks tasks, RunFolder folder, String root, List<ClassLabel> labels, int most, int seeds) {
        List<List<List<Drawn>>> drawn = tasks.map("draw few shots", labels, (run, label, progress) -> {
            Map<String, String> files = new TreeMap<>(); // by id: equal bytes count once
            for (Path file : ClassifierWork.files(root, label, run.conf())) {
                files.putIfAbsent(ContentId.of(label.classId(), run.read(file)), file.toString());
            }
            if (files.size() < most) {
                throw new IllegalArgumentException("expected at least " + most + " different images of the class "
                        + label.classId() + " in " + root + ", got " + files.size() + "; lower shots or add images");
            }
            List<List<Drawn>> seedsDrawn = new ArrayList<>();
            for (int seed = 0; seed < seeds; seed++) {
                String draw = "few shots " + seed;
                seedsDrawn.add(new ArrayList<>(files.entrySet().stream()
                        .sorted(Comparator.comparing(entry -> ContentId.of(draw, entry.getKey())))
                        .limit(most)
                        .map(entry -> new Drawn(entry.getKey(), entry.getValue()))
                        .toList()));
            }
            return seedsDrawn;
        });
        return new FewShots(folder, labels, drawn);
    }

    /** The ids of the images of a seed. */
    List<String> ids(int shots, int seed) {
        return drawn.stream()
                .flatMap(seeds -> seeds.get(seed).subList(0, shots).stream())
                .map(Drawn::id)
                .toList();
    }

    /** Copies the images of a seed into class folders below a folder, where they are missing. */
    void copy(int shots, int seed, String to) throws IOException {
        for (int i = 0; i < labels.size(); i++) {
            String classFolder = to + "/" + labels.get(i).classId();
            Set<String> present = folder.files(classFolder);
            for (Drawn image : drawn.get(i).get(seed).subList(0, shots)) {
                if (!present.contains(image.name())) {
                    folder.publish(folder.path(classFolder + "/" + image.name()), folder.read(new Path(image.file())));
                }
            }
        }
    }
}
