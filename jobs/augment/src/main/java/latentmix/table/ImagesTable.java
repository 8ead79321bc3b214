package latentmix.table;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import latentmix.table.RunFolder.Table;

/** The image files of one class that were found: a file for each scan that found new ones, which holds whole chunks. */
public final class ImagesTable {
    private record Assigned(String chunk) {}

    private record Place(String imageId, String chunk, int position) {}

    private final RunFolder run;
    private final RejectedTable rejections;
    private final String classId;

    public ImagesTable(RunFolder run, String classId) {
        this.run = run;
        this.rejections = new RejectedTable(run, StageName.IMAGES);
        this.classId = classId;
    }

    /** The names of the table's files, sorted. */
    public Set<String> files() throws IOException {
        return run.chunks(Table.IMAGES, classId);
    }

    /** Every image of the class, file by file. */
    public List<ImageRow> rows() throws IOException {
        List<ImageRow> rows = new ArrayList<>();
        for (String file : files()) {
            rows.addAll(read(file, ImageRow.class));
        }
        return rows;
    }

    /** A chunk's images in their order. */
    public List<ImageRow> chunk(String file, String chunk) throws IOException {
        return read(file, ImageRow.class).stream()
                .filter(row -> row.chunk().equals(chunk))
                .sorted(Comparator.comparingInt(ImageRow::position))
                .toList();
    }

    /** The numbers of rows of a file's chunks, by the chunk's id, in the order of the file. */
    public Map<String, Integer> counts(String file) throws IOException {
        Map<String, Integer> counts = new LinkedHashMap<>();
        read(file, Assigned.class).forEach(row -> counts.merge(row.chunk(), 1, Integer::sum));
        return counts;
    }

    /** The ids of the images of a file's chunks in their order, by the chunk's id. */
    public Map<String, List<String>> ids(String file) throws IOException {
        Map<String, List<String>> ids = new LinkedHashMap<>();
        read(file, Place.class).stream()
                .sorted(Comparator.comparingInt(Place::position))
                .forEach(row -> ids.computeIfAbsent(row.chunk(), chunk -> new ArrayList<>())
                        .add(row.imageId()));
        return ids;
    }

    /**
     * Publishes the files that are refused, then the new images. The class has one file of refused images, which is
     * written anew or taken away, and a file of images for each scan that found new ones.
     *
     * @param fresh sorted by image id
     */
    public void commit(List<ImageRow> fresh, List<RejectedRow> rejected) throws IOException {
        if (rejected.isEmpty() && rejections.has(rejectedId(classId))) {
            rejections.forget(rejectedId(classId));
        }
        rejections.publish(rejectedId(classId), rejected);
        if (!fresh.isEmpty()) {
            String file = ContentId.of(fresh.stream().map(ImageRow::imageId).toList());
            run.publish(run.chunk(Table.IMAGES, classId, file), RowFile.bytes(ImageRow.class, fresh));
        }
    }

    /** The paths of the class's refused files, relative to the input root. */
    public List<String> refused() throws IOException {
        return rejections.has(rejectedId(classId)) ? rejections.paths(rejectedId(classId)) : List.of();
    }

    /** The numbers of the class's refused files, by reason. */
    public Map<String, Long> countRefused() throws IOException {
        Map<String, Long> counts = new TreeMap<>();
        if (rejections.has(rejectedId(classId))) {
            rejections.reasons(rejectedId(classId)).forEach(row -> counts.merge(row.reason(), 1L, Long::sum));
        }
        return counts;
    }

    /** Under which id the rejected table holds a class's refused files. */
    public static String rejectedId(String classId) {
        return ContentId.of(classId);
    }

    private <P extends Record> List<P> read(String file, Class<P> projection) throws IOException {
        return RowFile.read(run.chunk(Table.IMAGES, classId, file), run.conf(), projection);
    }
}
