package latentmix.table;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import latentmix.table.RunFolder.Table;

/** The image files of one class that were found: a file for each scan that found new ones, which holds whole chunks. */
public final class ImagesTable {
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
            rows.addAll(rows(file));
        }
        return rows;
    }

    /** A file's images, chunk by chunk. */
    public List<ImageRow> rows(String file) throws IOException {
        return RowFile.read(run.chunk(Table.IMAGES, classId, file), run.conf(), ImageRow.class);
    }

    /** A chunk's images in their order. */
    public List<ImageRow> chunk(String file, String chunk) throws IOException {
        return rows(file).stream()
                .filter(row -> row.chunk().equals(chunk))
                .sorted(Comparator.comparingInt(ImageRow::position))
                .toList();
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

    /** The class's refused files, when it was last scanned. */
    public List<RejectedTable.File> refused() throws IOException {
        return rejections.has(rejectedId(classId)) ? rejections.files(rejectedId(classId)) : List.of();
    }

    /** Under which id the rejected table holds a class's refused files. */
    public static String rejectedId(String classId) {
        return ContentId.of(classId);
    }
}
