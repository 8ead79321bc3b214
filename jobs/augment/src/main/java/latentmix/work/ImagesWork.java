package latentmix.work;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.image.ImageNames;
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
import latentmix.table.RejectedTable;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import org.apache.hadoop.security.AccessControlException;

/**
 * Finds the images of one class, names them by their bytes, assigns new ones to chunks and says which count.
 *
 * <p>A file whose path, length and time are known is not read again. New images are sorted by id, cut into chunks and
 * appended as one file, so a chunk never changes once it stands. An image of the table counts while a file of the class
 * has its bytes, whatever the file is called. Of files with the same bytes the one that the table names counts, else
 * that of the first path; the others are rejected. Of larger files that no run has read yet only numbers are known: as
 * many images of the table as they can hold are taken to lie in them.
 */
public final class ImagesWork {
    /** How far a look at a class's images goes. */
    public enum Look {
        /** What stands in the table and still counts; writes nothing. */
        STANDING,
        /** What stands once the class's files are read and new images are published. */
        SCAN,
        /** What a scan would make stand; writes nothing. */
        FORESEE
    }

    /** Why images do not count whose files are gone. */
    public static final String WITHDRAWN = "images withdrawn";

    private static final String CONFLICT = "conflict";
    private static final String DUPLICATE = "duplicate";
    private static final String UNREADABLE = "unreadable";

    /**
     * A class's files and what their bytes are, as far as a look knows.
     *
     * @param rows of the images table, by image id
     * @param ids of files
     * @param digests of files that were read
     * @param unreadable files that could not be read, by why
     */
    private record Files(
            Listing listing,
            Map<String, ImageRow> rows,
            Map<ImageFile, String> ids,
            Map<ImageFile, DigestRow> digests,
            Map<ImageFile, String> unreadable) {
        Optional<String> digest(ImageFile file) {
            return Optional.ofNullable(digests.get(file)).map(DigestRow::digest);
        }

        /** The file of each image: the one that the table names where it has those bytes, else the first. */
        Map<String, ImageFile> chosen() {
            Map<String, ImageFile> chosen = new HashMap<>();
            for (ImageFile file : listing.images()) {
                String id = ids.get(file);
                if (id != null && rows.containsKey(id) && rows.get(id).path().equals(file.path())) {
                    chosen.put(id, file);
                } else if (id != null) {
                    chosen.putIfAbsent(id, file);
                }
            }
            return chosen;
        }

        /** The table's images that no file is known to have the bytes of, sorted by id. */
        List<ImageRow> lost() {
            Set<String> present = chosen().keySet();
            return rows.values().stream()
                    .filter(row -> !present.contains(row.imageId()))
                    .sorted(Comparator.comparing(ImageRow::imageId))
                    .toList();
        }

        /** The images of formats that are not read, by suffix. */
        Map<String, Long> unreadableFormats() {
            return listing.images().stream()
                    .flatMap(file -> ImageNames.unreadable(file.name()).stream())
                    .collect(Collectors.groupingBy(suffix -> suffix, TreeMap::new, Collectors.counting()));
        }

        /** The digests of the table's images that lie elsewhere than it says. */
        List<DigestRow> moved() {
            return chosen().entrySet().stream()
                    .filter(image -> rows.containsKey(image.getKey())
                            && !rows.get(image.getKey())
                                    .path()
                                    .equals(image.getValue().path()))
                    .flatMap(image -> Stream.ofNullable(digests.get(image.getValue())))
                    .toList();
        }
    }

    private final RunFolder run;
    private final ImageSource source;
    private final int chunkRows;
    private final long limit;
    private final boolean asksCaptions;

    /** Takes every image. */
    public ImagesWork(RunFolder run, ImageSource source, int chunkRows) {
        this(run, source, chunkRows, Long.MAX_VALUE);
    }

    /** Takes some images of each class, and no captions. */
    public ImagesWork(RunFolder run, ImageSource source, int chunkRows, long limit) {
        this(run, source, chunkRows, limit, false);
    }

    /**
     * Takes some images of each class.
     *
     * @param limit of images a class: those with the least ids, which is to say any, and a larger limit only adds
     * @param asksCaptions whether captions are asked for
     */
    public ImagesWork(RunFolder run, ImageSource source, int chunkRows, long limit, boolean asksCaptions) {
        this.run = run;
        this.limit = limit;
        this.asksCaptions = asksCaptions;
        this.source = source;
        this.chunkRows = chunkRows;
    }

    /** Looks through a class's files, publishes what is new and says what counts. */
    public Catalog scan(ClassLabel label) throws IOException {
        return look(label, Look.SCAN);
    }

    /** A class's images, whether or not they lie in another class, too. */
    public Catalog look(ClassLabel label, Look look) throws IOException {
        return look(label, look, Conflicts.NONE);
    }

    /** 64 bits of the digest of each image that a class has now, as far as a look knows it. */
    public long[] prefixes(ClassLabel label, Look look) throws IOException {
        Files files = files(label, look, true);
        return files.listing().images().stream()
                .flatMap(file -> files.digest(file).stream())
                .mapToLong(Conflicts::prefix)
                .sorted()
                .distinct()
                .toArray();
    }

    /** The class's files whose digests begin with one of these, once {@link #prefixes} has read them. */
    public List<Conflicts.File> files(ClassLabel label, Set<Long> prefixes) throws IOException {
        Files files = files(label, Look.STANDING, false);
        return files.listing().images().stream()
                .flatMap(file -> files
                        .digest(file)
                        .filter(digest -> prefixes.contains(Conflicts.prefix(digest)))
                        .map(digest -> new Conflicts.File(digest, files.ids().get(file), label.classId(), file.path()))
                        .stream())
                .toList();
    }

    /** A class's images; those that lie in another class, too, do not count. */
    public Catalog look(ClassLabel label, Look look, Conflicts conflicts) throws IOException {
        ImagesTable table = new ImagesTable(run, label.classId());
        Set<String> unreadable = table.refused().stream()
                .filter(file -> file.reason().equals(UNREADABLE))
                .map(RejectedTable.File::path)
                .collect(Collectors.toSet());
        Files files = files(label, look, false);
        Map<String, ImageFile> chosen = files.chosen();
        Set<String> conflicting = new HashSet<>();
        List<RejectedRow> rejected = new ArrayList<>();
        files.listing()
                .refused()
                .forEach(file -> rejected.add(rejected(label, "", file.path(), file.reason(), file.detail())));
        Captions captions = new Captions(run, label.classId(), asksCaptions);
        ImageSource.Tally unindexed = source.unread(label.classId());
        Set<String> assumed = files.lost().stream()
                .map(ImageRow::imageId)
                .limit(unindexed.images())
                .collect(Collectors.toSet());
        long unread = unindexed.images() - assumed.size();
        long captioned = Math.max(0, unindexed.captioned() - captions.count(assumed));
        for (ImageFile file : files.listing().images()) {
            String id = files.ids().get(file);
            if (id != null && look != Look.STANDING) {
                captions.see(id, file.path(), files.listing());
            }
            Optional<Conflicts.File> other =
                    files.digest(file).flatMap(digest -> conflicts.other(digest, label.classId()));
            if (id == null && (files.unreadable().containsKey(file) || unreadable.contains(file.path()))) {
                rejected.add(rejected(
                        label, "", file.path(), UNREADABLE, files.unreadable().get(file)));
            } else if (id == null) {
                unread++;
                captioned += files.listing().captions().containsKey(file.path()) ? 1 : 0;
            } else if (other.isPresent()) {
                conflicting.add(id);
                rejected.add(rejected(
                        label,
                        id,
                        file.path(),
                        CONFLICT,
                        "expected an image in one class, but " + other.get().path()
                                + " has the same bytes; take one of them away, or set input.conflicts: keep"));
            } else if (!chosen.get(id).equals(file)) {
                rejected.add(rejected(
                        label,
                        id,
                        file.path(),
                        DUPLICATE,
                        "another file of this class has the same bytes; one is used"));
            }
        }
        Set<String> present = new HashSet<>(chosen.keySet());
        present.addAll(assumed);
        Set<String> counted = present.stream()
                .filter(id -> !conflicting.contains(id))
                .sorted()
                .limit(limit)
                .collect(Collectors.toCollection(TreeSet::new));
        List<ImageRow> fresh = counted.stream()
                .filter(id -> !files.rows().containsKey(id))
                .map(id -> row(label, id, chosen.get(id)))
                .toList();
        SortedMap<String, String> now = captions.now();
        if (look == Look.SCAN) {
            table.commit(assigned(fresh), rejected);
            Set<String> standing = new HashSet<>(files.rows().keySet());
            standing.addAll(counted);
            now = captions.published(standing);
        }
        Map<String, Long> leftOut = new TreeMap<>();
        for (String id : files.rows().keySet()) {
            if (!counted.contains(id)) {
                String why = conflicting.contains(id)
                        ? "images that lie in another class, too"
                        : present.contains(id) ? "images beyond input.limit" : WITHDRAWN;
                leftOut.merge(why, 1L, Long::sum);
            }
        }
        List<Catalog.Chunk> chunks = chunks(label, table, counted, now);
        long uncaptioned = captions.missing(counted, now);
        if (look == Look.FORESEE) {
            long added = Math.min(unread, limit - counted.size());
            chunks.addAll(foreseen(fresh.size() + added));
            uncaptioned += asksCaptions ? Math.min(added, unread - captioned) : 0;
        }
        Map<String, Long> refused = new TreeMap<>();
        rejected.forEach(row -> refused.merge(row.reason(), 1L, Long::sum));
        Map<String, Long> unreadableFormats = look == Look.FORESEE ? files.unreadableFormats() : Map.of();
        return new Catalog(
                label, chunks, leftOut, refused, files.listing().ignored(), unreadableFormats, unread, uncaptioned);
    }

    /**
     * A class's files. A scan reads those that are not known and keeps what it learns. Other looks read only those that
     * may be an image of the table under another name.
     *
     * @param compare whether the digests of bytes are asked for, which the images table does not have
     */
    private Files files(ClassLabel label, Look look, boolean compare) throws IOException {
        DigestsTable table = new DigestsTable(run, label.classId());
        Files files = new Files(
                source.list(label.classId(), run.conf()),
                new HashMap<>(),
                new HashMap<>(),
                new HashMap<>(),
                new HashMap<>());
        for (ImageRow row : new ImagesTable(run, label.classId()).rows()) {
            files.rows().put(row.imageId(), row);
            files.ids().put(ImageFile.of(row), row.imageId());
        }
        Set<DigestRow> kept = Set.copyOf(table.rows());
        kept.forEach(row -> add(row, files));
        files.listing().digests().forEach(row -> add(row, files));
        Set<Long> lost = files.lost().stream().map(ImageRow::length).collect(Collectors.toSet());
        TreeMap<String, DigestRow> learnt = new TreeMap<>(); // by path
        for (ImageFile file : files.listing().images()) {
            boolean known = (compare ? files.digests() : files.ids()).containsKey(file);
            boolean mayBeKnown = !files.ids().containsKey(file) && lost.contains(file.length());
            if (!known && (look == Look.SCAN || mayBeKnown)) {
                try {
                    DigestRow row = read(label, file);
                    learnt.put(row.path(), row);
                    add(row, files);
                } catch (FileNotFoundException | AccessControlException e) {
                    files.unreadable().put(file, String.valueOf(e.getMessage()));
                }
            }
        }
        if (look == Look.SCAN) {
            files.moved().stream().filter(row -> !kept.contains(row)).forEach(row -> learnt.put(row.path(), row));
            table.append(List.copyOf(learnt.values()));
        }
        return files;
    }

    private static void add(DigestRow row, Files files) {
        ImageFile file = new ImageFile(row.path(), row.length(), row.modified());
        files.digests().put(file, row);
        files.ids().put(file, row.imageId());
    }

    private DigestRow read(ClassLabel label, ImageFile file) throws IOException {
        byte[] bytes = source.read(file, run);
        return new DigestRow(
                file.path(),
                file.length(),
                file.modified(),
                ContentId.of(label.classId(), bytes),
                ContentId.of("", bytes));
    }

    /** The table's chunks with images that count. */
    private static List<Catalog.Chunk> chunks(
            ClassLabel label, ImagesTable table, Set<String> counted, Map<String, String> captions) throws IOException {
        List<Catalog.Chunk> chunks = new ArrayList<>();
        for (String file : table.files()) {
            Map<String, List<String>> ids = new LinkedHashMap<>(); // in the order of the chunk
            for (ImageRow row : table.rows(file)) {
                ids.computeIfAbsent(row.chunk(), chunk -> new ArrayList<>()).add(row.imageId());
            }
            ids.forEach((chunk, all) -> {
                List<String> leftOut = all.stream()
                        .filter(id -> !counted.contains(id))
                        .sorted()
                        .toList();
                if (leftOut.size() < all.size()) {
                    String told = InversionChunk.captions(label.prompt(), all, captions);
                    chunks.add(new Catalog.Chunk(file, chunk, all.size() - leftOut.size(), told, leftOut));
                }
            });
        }
        return chunks;
    }

    /**
     * Chunks of the images that a scan may add: the most that it can, since files of the same bytes are one image.
     * Their ids are those of no other chunk.
     */
    private List<Catalog.Chunk> foreseen(long images) {
        List<Catalog.Chunk> chunks = new ArrayList<>();
        for (long start = 0; start < images; start += chunkRows) {
            chunks.add(new Catalog.Chunk("", "new " + start, (int) Math.min(chunkRows, images - start), "", List.of()));
        }
        return chunks;
    }

    /** A new image, which has no chunk yet. */
    private static ImageRow row(ClassLabel label, String id, ImageFile file) {
        return new ImageRow(
                id,
                label.classId(),
                label.label(),
                label.className(),
                file.path(),
                file.length(),
                file.modified(),
                "",
                0);
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
