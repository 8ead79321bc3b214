package latentmix.work;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import latentmix.plan.Catalog;
import latentmix.plan.ClassLabel;
import latentmix.source.ImageFile;
import latentmix.source.ImageSource;
import latentmix.source.Listing;
import latentmix.table.ContentId;
import latentmix.table.ImageRow;
import latentmix.table.ImagesTable;
import latentmix.table.RejectedRow;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import org.apache.hadoop.security.AccessControlException;

/**
 * Finds the images of one class, names them by their bytes and assigns new ones to chunks.
 *
 * <p>A file whose path, length and time are known is not read again. New images are sorted by id, cut into chunks and
 * appended as one file, so a chunk never changes once it stands. Of files with the same bytes the first path counts,
 * the others are rejected.
 */
public final class ImagesWork {
    /** How far a look at a class's images goes. */
    public enum Look {
        /** What stands in the table. */
        STANDING,
        /** What stands once the class's folder is searched and new images are published. */
        SCAN,
        /** What a scan would make stand; opens no image and writes nothing. */
        FORESEE
    }

    private final RunFolder run;
    private final ImageSource source;
    private final int chunkRows;
    private final long limit;

    /** Takes every image. */
    public ImagesWork(RunFolder run, ImageSource source, int chunkRows) {
        this(run, source, chunkRows, Long.MAX_VALUE);
    }

    /**
     * Takes some images of each class.
     *
     * @param limit of images a class: those with the least ids, which is to say any, and a larger limit only adds
     */
    public ImagesWork(RunFolder run, ImageSource source, int chunkRows, long limit) {
        this.run = run;
        this.limit = limit;
        this.source = source;
        this.chunkRows = chunkRows;
    }

    /** A class's images. */
    public Catalog look(ClassLabel label, Look look) throws IOException {
        return switch (look) {
            case STANDING -> catalog(label);
            case SCAN -> scan(label);
            case FORESEE -> foreseen(label);
        };
    }

    /** Looks through a class's folder, publishes what is new and says what stands. */
    public Catalog scan(ClassLabel label) throws IOException {
        Map<String, ImageRow> byPath = new HashMap<>();
        Set<String> ids = new HashSet<>();
        ImagesTable table = new ImagesTable(run, label.classId());
        for (ImageRow row : table.rows()) {
            byPath.put(row.path(), row);
            ids.add(row.imageId());
        }
        Map<String, ImageRow> fresh = new TreeMap<>();
        List<RejectedRow> rejected = new ArrayList<>();
        Listing listing = source.list(label.classId(), run.conf());
        listing.refused().forEach(file -> rejected.add(rejected(label, "", file.path(), file.reason(), file.detail())));
        for (ImageFile file : listing.images()) {
            String path = file.path();
            ImageRow same = byPath.get(path);
            if (same != null && file.isOf(same)) {
                continue;
            }
            String id;
            try {
                id = ContentId.of(label.classId(), source.read(file, run));
            } catch (FileNotFoundException | AccessControlException e) {
                rejected.add(rejected(label, "", path, "unreadable", e.getMessage()));
                continue;
            }
            if (same != null && same.imageId().equals(id)) {
                continue; // touched, not changed
            }
            if (ids.add(id)) {
                fresh.put(
                        id,
                        new ImageRow(
                                id,
                                label.classId(),
                                label.label(),
                                label.className(),
                                path,
                                file.length(),
                                file.modified(),
                                "",
                                0));
            } else {
                rejected.add(rejected(
                        label, id, path, "duplicate", "another file of this class has the same bytes; one is used"));
            }
        }
        ids.stream().sorted().skip(limit).forEach(fresh::remove);
        table.commit(assigned(List.copyOf(fresh.values())), rejected);
        return catalog(label, listing.ignored());
    }

    /**
     * What stands, and behind it chunks of the files that a scan would look into. Those are the most that it can add,
     * since files of the same bytes are one image. Their chunks have ids of no other chunk.
     */
    public Catalog foreseen(ClassLabel label) throws IOException {
        Map<String, ImageRow> byPath = new HashMap<>();
        ImagesTable table = new ImagesTable(run, label.classId());
        table.rows().forEach(row -> byPath.put(row.path(), row));
        Set<String> refused = Set.copyOf(table.refused());
        Listing listing = source.list(label.classId(), run.conf());
        long fresh = listing.images().stream()
                .filter(file -> !refused.contains(file.path()))
                .filter(file -> !byPath.containsKey(file.path()) || !file.isOf(byPath.get(file.path())))
                .count();
        Catalog catalog = catalog(label);
        long added = Math.min(fresh, Math.max(0, limit - catalog.images()));
        List<Catalog.Chunk> chunks = new ArrayList<>(catalog.chunks());
        for (long from = 0; from < added; from += chunkRows) {
            chunks.add(new Catalog.Chunk("", "new " + from, (int) Math.min(chunkRows, added - from)));
        }
        Map<String, Long> refusals = new TreeMap<>();
        listing.refused().forEach(file -> refusals.merge(file.reason(), 1L, Long::sum));
        catalog.refused().forEach(refusals::putIfAbsent);
        return new Catalog(label, chunks, refusals, listing.ignored(), fresh);
    }

    /** What stands in the images table for a class. */
    public Catalog catalog(ClassLabel label) throws IOException {
        return catalog(label, Map.of());
    }

    private Catalog catalog(ClassLabel label, Map<String, Long> ignored) throws IOException {
        List<Catalog.Chunk> chunks = new ArrayList<>();
        ImagesTable table = new ImagesTable(run, label.classId());
        for (String file : table.files()) {
            table.counts(file).forEach((chunk, count) -> chunks.add(new Catalog.Chunk(file, chunk, count)));
        }
        return new Catalog(label, chunks, table.countRefused(), ignored, 0);
    }

    private List<ImageRow> assigned(List<ImageRow> sorted) {
        List<ImageRow> assigned = new ArrayList<>();
        for (int from = 0; from < sorted.size(); from += chunkRows) {
            List<ImageRow> rows = sorted.subList(from, Math.min(from + chunkRows, sorted.size()));
            String chunk = ContentId.of(rows.stream().map(ImageRow::imageId).toList());
            for (int i = 0; i < rows.size(); i++) {
                ImageRow row = rows.get(i);
                assigned.add(new ImageRow(
                        row.imageId(),
                        row.classId(),
                        row.label(),
                        row.className(),
                        row.path(),
                        row.length(),
                        row.modified(),
                        chunk,
                        i));
            }
        }
        return assigned;
    }

    private static RejectedRow rejected(ClassLabel label, String id, String path, String reason, String detail) {
        return new RejectedRow(StageName.IMAGES, label.classId(), id, path, reason, detail, "");
    }
}
