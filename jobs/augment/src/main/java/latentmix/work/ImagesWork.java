package latentmix.work;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import latentmix.config.RunConfig.PromptFrom;
import latentmix.plan.Catalog;
import latentmix.plan.ClassLabel;
import latentmix.plan.InversionChunk;
import latentmix.source.ImageFile;
import latentmix.source.ImageSource;
import latentmix.source.Listing;
import latentmix.table.ContentId;
import latentmix.table.DigestRow;
import latentmix.table.DigestsTable;
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

    private static final String CONFLICT = "conflict";
    private static final String DUPLICATE = "duplicate";

    private final RunFolder run;
    private final ImageSource source;
    private final int chunkRows;
    private final long limit;
    private final PromptFrom from;

    /** Takes every image. */
    public ImagesWork(RunFolder run, ImageSource source, int chunkRows) {
        this(run, source, chunkRows, Long.MAX_VALUE);
    }

    /** Takes some images of each class, and no captions. */
    public ImagesWork(RunFolder run, ImageSource source, int chunkRows, long limit) {
        this(run, source, chunkRows, limit, PromptFrom.CLASS);
    }

    /**
     * Takes some images of each class.
     *
     * @param limit of images a class: those with the least ids, which is to say any, and a larger limit only adds
     * @param from whether captions are asked for
     */
    public ImagesWork(RunFolder run, ImageSource source, int chunkRows, long limit, PromptFrom from) {
        this.run = run;
        this.limit = limit;
        this.from = from;
        this.source = source;
        this.chunkRows = chunkRows;
    }

    /** A class's images. */
    public Catalog look(ClassLabel label, Look look) throws IOException {
        return look(label, look, Conflicts.NONE);
    }

    /** The same without those that lie in another class, too. */
    public Catalog look(ClassLabel label, Look look, Conflicts conflicts) throws IOException {
        return switch (look) {
            case STANDING -> catalog(label);
            case SCAN -> scan(label, conflicts);
            case FORESEE -> foreseen(label, conflicts);
        };
    }

    /** Takes an image whose file is not known; it may be unreadable. */
    private DigestRow read(ClassLabel label, ImageFile file) throws IOException {
        byte[] bytes = source.read(file, run);
        return new DigestRow(
                file.path(),
                file.length(),
                file.modified(),
                ContentId.of(label.classId(), bytes),
                ContentId.of("", bytes));
    }

    private Map<ImageFile, DigestRow> digests(ClassLabel label, Listing listing) throws IOException {
        Map<ImageFile, DigestRow> known = new HashMap<>();
        Stream.concat(new DigestsTable(run, label.classId()).rows().stream(), listing.digests().stream())
                .forEach(row -> known.put(new ImageFile(row.path(), row.length(), row.modified()), row));
        return known;
    }

    /**
     * The digests of the files that a class has now. A scan reads those that are not known and keeps what it learns;
     * what cannot be read is left to {@link #look}.
     */
    private List<DigestRow> present(ClassLabel label, Look look) throws IOException {
        if (look == Look.STANDING) {
            return List.of(); // looks at no file
        }
        Listing listing = source.list(label.classId(), run.conf());
        Map<ImageFile, DigestRow> known = digests(label, listing);
        List<DigestRow> present = new ArrayList<>();
        List<DigestRow> learnt = new ArrayList<>();
        for (ImageFile file : listing.images()) {
            DigestRow row = known.get(file);
            if (row == null && look == Look.SCAN) {
                try {
                    row = read(label, file);
                    learnt.add(row);
                } catch (FileNotFoundException | AccessControlException e) {
                    continue;
                }
            }
            if (row != null) {
                present.add(row);
            }
        }
        new DigestsTable(run, label.classId()).append(learnt);
        return present;
    }

    /** 64 bits of the digest of each image that a class has now, as far as a look knows it. */
    public long[] prefixes(ClassLabel label, Look look) throws IOException {
        return present(label, look).stream()
                .mapToLong(row -> Conflicts.prefix(row.digest()))
                .sorted()
                .distinct()
                .toArray();
    }

    /** The class's files whose digests begin with one of these, once {@link #prefixes} has read them. */
    public List<Conflicts.File> files(ClassLabel label, Set<Long> prefixes) throws IOException {
        return present(label, Look.FORESEE).stream()
                .filter(row -> prefixes.contains(Conflicts.prefix(row.digest())))
                .map(row -> new Conflicts.File(row.digest(), label.classId(), row.path()))
                .toList();
    }

    /** Looks through a class's folder, publishes what is new and says what stands. */
    public Catalog scan(ClassLabel label) throws IOException {
        return scan(label, Conflicts.NONE);
    }

    private Catalog scan(ClassLabel label, Conflicts conflicts) throws IOException {
        Map<String, ImageRow> byPath = new HashMap<>();
        Set<String> ids = new HashSet<>();
        ImagesTable table = new ImagesTable(run, label.classId());
        for (ImageRow row : table.rows()) {
            byPath.put(row.path(), row);
            ids.add(row.imageId());
        }
        Listing listing = source.list(label.classId(), run.conf());
        Map<ImageFile, DigestRow> known = digests(label, listing);
        Map<String, ImageRow> fresh = new TreeMap<>();
        long standing = 0;
        Captions captions = new Captions(run, label.classId(), from);
        List<RejectedRow> rejected = new ArrayList<>();
        listing.refused().forEach(file -> rejected.add(rejected(label, "", file.path(), file.reason(), file.detail())));
        for (ImageFile file : listing.images()) {
            String path = file.path();
            ImageRow same = byPath.get(path);
            if (same != null && file.isOf(same)) {
                standing += isConflict(known.get(file), label, conflicts) ? 1 : 0;
                captions.see(same.imageId(), path, listing);
                continue;
            }
            String id;
            Optional<Conflicts.File> other;
            try {
                DigestRow row = known.containsKey(file) ? known.get(file) : read(label, file);
                id = row.imageId();
                other = conflicts.other(row.digest(), label.classId());
            } catch (FileNotFoundException | AccessControlException e) {
                rejected.add(rejected(label, "", path, "unreadable", e.getMessage()));
                continue;
            }
            captions.see(id, path, listing);
            if (same != null && same.imageId().equals(id)) {
                continue; // touched, not changed
            }
            if (other.isPresent() && !ids.contains(id)) {
                rejected.add(rejected(
                        label,
                        id,
                        path,
                        CONFLICT,
                        "expected an image in one class, but " + other.get().path()
                                + " has the same bytes; take one of them away, or set input.conflicts: keep"));
            } else if (ids.add(id)) {
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
                        label, id, path, DUPLICATE, "another file of this class has the same bytes; one is used"));
            }
        }
        List<String> beyond = ids.stream().sorted().skip(limit).toList();
        beyond.forEach(fresh::remove);
        beyond.forEach(ids::remove);
        table.commit(assigned(List.copyOf(fresh.values())), rejected);
        return catalog(label, listing.ignored(), standing, captions, captions.published(ids));
    }

    /**
     * What stands, and behind it chunks of the files that a scan would look into. Those are the most that it can add,
     * since files of the same bytes are one image. Their chunks have ids of no other chunk.
     */
    private Catalog foreseen(ClassLabel label, Conflicts conflicts) throws IOException {
        Map<String, ImageRow> byPath = new HashMap<>();
        ImagesTable table = new ImagesTable(run, label.classId());
        table.rows().forEach(row -> byPath.put(row.path(), row));
        Listing listing = source.list(label.classId(), run.conf());
        Map<ImageFile, DigestRow> known = digests(label, listing);
        Set<String> ids = new HashSet<>();
        List<String> added = new ArrayList<>();
        byPath.values().forEach(row -> ids.add(row.imageId()));
        Map<String, Long> refusals = new TreeMap<>();
        listing.refused().forEach(file -> refusals.merge(file.reason(), 1L, Long::sum));
        ImageSource.Tally unindexed = source.unread(label.classId());
        long unread = unindexed.images();
        long fresh = unread;
        long standing = 0;
        Captions captions = new Captions(run, label.classId(), from);
        long uncaptioned = from == PromptFrom.CLASS ? 0 : unread - unindexed.captioned();
        Set<String> refused = Set.copyOf(table.refused());
        for (ImageFile file : listing.images()) {
            ImageRow same = byPath.get(file.path());
            DigestRow row = known.get(file);
            if (same != null && file.isOf(same)) {
                standing += isConflict(row, label, conflicts) ? 1 : 0;
                captions.see(same.imageId(), file.path(), listing);
                continue;
            }
            if (row != null) {
                captions.see(row.imageId(), file.path(), listing);
            }
            if (row == null) {
                boolean done = refused.contains(file.path());
                fresh += done ? 0 : 1;
                unread += done ? 0 : 1;
                boolean captioned =
                        from == PromptFrom.CLASS || listing.captions().containsKey(file.path());
                uncaptioned += done || captioned ? 0 : 1;
            } else if (!ids.contains(row.imageId()) && isConflict(row, label, conflicts)) {
                refusals.merge(CONFLICT, 1L, Long::sum);
            } else if (ids.add(row.imageId())) {
                fresh++;
                added.add(row.imageId());
            } else if (same == null || !same.imageId().equals(row.imageId())) { // else touched, not changed
                refusals.merge(DUPLICATE, 1L, Long::sum);
            }
        }
        Map<String, String> now = captions.now();
        Catalog catalog = catalog(label, listing.ignored(), standing, captions, now);
        long room = Math.min(fresh, Math.max(0, limit - catalog.images()));
        List<Catalog.Chunk> chunks = new ArrayList<>(catalog.chunks());
        for (long start = 0; start < room; start += chunkRows) {
            chunks.add(new Catalog.Chunk("", "new " + start, (int) Math.min(chunkRows, room - start), ""));
        }
        catalog.refused().forEach(refusals::putIfAbsent);
        return new Catalog(
                label,
                chunks,
                refusals,
                listing.ignored(),
                unread,
                standing,
                catalog.uncaptioned() + Math.min(room, uncaptioned + captions.missing(added, now)));
    }

    private static boolean isConflict(DigestRow row, ClassLabel label, Conflicts conflicts) {
        return row != null && conflicts.other(row.digest(), label.classId()).isPresent();
    }

    /** What stands in the images table for a class. */
    public Catalog catalog(ClassLabel label) throws IOException {
        Captions captions = new Captions(run, label.classId(), from);
        return catalog(label, Map.of(), 0, captions, captions.now());
    }

    private Catalog catalog(
            ClassLabel label, Map<String, Long> ignored, long standing, Captions captions, Map<String, String> now)
            throws IOException {
        List<Catalog.Chunk> chunks = new ArrayList<>();
        ImagesTable table = new ImagesTable(run, label.classId());
        long uncaptioned = 0;
        for (String file : table.files()) {
            Map<String, List<String>> ids = from == PromptFrom.CLASS ? Map.of() : table.ids(file);
            table.counts(file).forEach((chunk, count) -> {
                String told = InversionChunk.captions(label.prompt(), ids.getOrDefault(chunk, List.of()), now);
                chunks.add(new Catalog.Chunk(file, chunk, count, told));
            });
            for (List<String> images : ids.values()) {
                uncaptioned += captions.missing(images, now);
            }
        }
        return new Catalog(label, chunks, table.countRefused(), ignored, 0, standing, uncaptioned);
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
