package latentmix.source;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import latentmix.config.ConfigException;
import latentmix.table.ContentId;
import latentmix.table.DigestRow;
import latentmix.table.IndexRow;
import latentmix.table.IndexTable;
import latentmix.table.IndexTable.Text;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;

/**
 * Images inside larger files, or named by one. Each larger file is read once and leaves a file of index rows in the run
 * folder; which classes there are and what they have comes from those.
 *
 * @param base the folder that paths are relative to
 * @param shards the larger files, sorted by path
 * @param folders of a class list by number; empty where none is given
 * @param tables the run folder that holds the index; empty before {@link #known}
 * @param unused names of columns that are not looked at
 * @param known what the surveys found; null before
 */
public record IndexedSource(
        String base,
        ShardFormat format,
        List<Shard> shards,
        Map<Integer, String> folders,
        List<String> unused,
        String tables,
        Known known)
        implements ImageSource {
    private static final String VERSION = "index 1";

    public IndexedSource {
        shards = List.copyOf(shards);
        folders = Map.copyOf(folders);
        unused = List.copyOf(unused);
    }

    /** Shards that nobody has looked into. */
    IndexedSource(
            String base, ShardFormat format, List<Shard> shards, Map<Integer, String> folders, List<String> unused) {
        this(base, format, shards, folders, unused, "", null);
    }

    /**
     * What one shard has.
     *
     * @param names the names that it gives to numbers, in their order
     * @param classes images by class
     * @param refused rows without a class, by reason
     */
    public record Survey(List<String> names, Map<SourceClass, Tally> classes, Map<String, Long> refused)
            implements Serializable {}

    /**
     * What all shards have.
     *
     * @param classes by number
     * @param present the ids of those with images
     * @param unreadFiles how many shards the index does not have yet
     * @param unread images by class id that lie in those
     * @param refused rows without a class that nobody has rejected yet, by reason
     * @param captions rows that have one
     */
    public record Known(
            List<SourceClass> classes,
            List<String> present,
            int unreadFiles,
            Map<String, Tally> unread,
            Map<String, Long> refused,
            long captions)
            implements Serializable {}

    /** The name of a shard's file of the index. */
    public String index(Shard shard) {
        return ContentId.of(
                VERSION,
                format.settings(),
                RunFolder.json(new TreeMap<>(folders)),
                shard.path(),
                Long.toString(shard.length()),
                Long.toString(shard.modified()));
    }

    /** The shards that no run in this folder has read as they are now. */
    public List<Shard> unread(RunFolder run) throws IOException {
        Set<String> indexed = new IndexTable(run).names();
        return shards.stream().filter(shard -> !indexed.contains(index(shard))).toList();
    }

    /**
     * Reads a shard and publishes its rows, as they come.
     *
     * @param progress counts its {@link Shard#megabytes}
     */
    public void index(Shard shard, RunFolder run, LongConsumer progress) throws IOException {
        List<String> names = format.names(new Path(base), shard, run.conf());
        AtomicLong bytes = new AtomicLong();
        AtomicLong said = new AtomicLong();
        new IndexTable(run).publish(index(shard), rows -> {
            format.read(new Path(base), shard, ShardFormat.Extent.WHOLE, run.conf(), entry -> {
                rows.add(row(entry, names));
                long read = bytes.addAndGet(entry.size());
                long fresh = Math.min(read / Shard.MEGABYTE, shard.megabytes()) - said.get();
                if (fresh > 0) {
                    said.addAndGet(fresh);
                    progress.accept(fresh);
                }
            });
            progress.accept(shard.megabytes() - said.get());
        });
    }

    /** What a shard has: by its rows of the index, else by its texts alone. */
    public Survey survey(Shard shard, RunFolder run) throws IOException {
        IndexTable table = new IndexTable(run);
        List<String> names = format.names(new Path(base), shard, run.conf());
        Map<SourceClass, Tally> classes = new HashMap<>();
        Map<String, Long> refused = new TreeMap<>();
        if (table.has(index(shard))) {
            try (RowFile.Cursor<Text> rows = table.texts(index(shard))) {
                for (Text row = rows.next(); row != null; row = rows.next()) {
                    count(row, classes, refused);
                }
            }
        } else {
            format.read(new Path(base), shard, ShardFormat.Extent.TEXTS, run.conf(), entry -> {
                IndexRow row = row(entry, names);
                count(new Text(row.classId(), row.className(), row.caption(), row.reason()), classes, refused);
            });
        }
        return new Survey(names, classes, refused);
    }

    private static void count(Text row, Map<SourceClass, Tally> classes, Map<String, Long> refused) {
        if (row.reason().isEmpty()) {
            classes.merge(
                    new SourceClass(row.classId(), row.className()),
                    new Tally(1, row.caption().isEmpty() ? 0 : 1),
                    Tally::plus);
        } else {
            refused.merge(row.reason(), 1L, Long::sum);
        }
    }

    private IndexRow row(ShardFormat.Entry entry, List<String> names) {
        if (entry instanceof ShardFormat.Refused refused) {
            return refused(refused.path(), refused.reason(), refused.detail());
        }
        ShardFormat.Image image = (ShardFormat.Image) entry;
        String label = image.label();
        SourceClass found;
        if (label.isEmpty()) {
            return refused(image.path(), "no label", "expected the number or the name of a class, got none");
        } else if (label.matches("-\\d{1,18}")) {
            return refused(image.path(), "no label", "expected a class's number from 0 on, got " + label);
        } else if (label.matches("\\d{1,9}") && !folders.isEmpty()) {
            String folder = folders.get(Integer.parseInt(label));
            if (folder == null) {
                return refused(image.path(), "unknown label", "expected an index of input.classes, got " + label);
            }
            found = SourceClass.named(folder);
        } else if (label.matches("\\d{1,9}") && !names.isEmpty()) {
            int number = Integer.parseInt(label);
            if (number >= names.size()) {
                return refused(
                        image.path(),
                        "unknown label",
                        "expected a number below the " + names.size() + " names of the label column, got " + label);
            }
            found = SourceClass.named(names.get(number));
        } else {
            found = SourceClass.named(label);
        }
        return new IndexRow(
                found.id(),
                found.name(),
                format.namesFiles() ? "" : ContentId.of(found.id(), image.bytes()),
                format.namesFiles() ? "" : ContentId.of("", image.bytes()),
                image.path(),
                image.bytes().length,
                image.caption(),
                "",
                "");
    }

    private static IndexRow refused(String path, String reason, String detail) {
        return new IndexRow("", "", "", "", path, 0, "", reason, detail);
    }

    /**
     * The same shards, of which it is known what they have.
     *
     * @param run the folder whose index is read
     * @param surveys of the shards, in their order
     * @throws ConfigException if they have no classes, or some that cannot be used
     */
    public IndexedSource known(RunFolder run, List<Survey> surveys) throws IOException {
        Set<String> indexed = new IndexTable(run).names();
        List<String> names = List.of();
        Map<String, SourceClass> byId = new TreeMap<>();
        Map<String, Tally> unread = new TreeMap<>();
        int unreadFiles = 0;
        long captions = 0;
        Map<String, Long> refused = new TreeMap<>();
        Map<String, Long> allRefused = new TreeMap<>();
        for (int i = 0; i < surveys.size(); i++) {
            Survey survey = surveys.get(i);
            boolean isIndexed = indexed.contains(index(shards.get(i)));
            unreadFiles += isIndexed ? 0 : 1;
            if (!survey.names().isEmpty() && !names.isEmpty() && !survey.names().equals(names)) {
                throw new ConfigException(
                        List.of("input.root: expected the same class names in every file, but those of "
                                + shards.get(i).path() + " differ from those before; convert the files together"));
            }
            names = survey.names().isEmpty() ? names : survey.names();
            for (Map.Entry<SourceClass, Tally> one : survey.classes().entrySet()) {
                put(one.getKey(), byId);
                captions += one.getValue().captioned();
                if (!isIndexed) {
                    unread.merge(one.getKey().id(), one.getValue(), Tally::plus);
                }
            }
            survey.refused().forEach((reason, rows) -> allRefused.merge(reason, rows, Long::sum));
            if (!isIndexed) {
                survey.refused().forEach((reason, rows) -> refused.merge(reason, rows, Long::sum));
            }
        }
        if (byId.isEmpty()) {
            throw new ConfigException(List.of("input.root: expected images with labels in the " + shards.size()
                    + " files of " + base + ", but there is none"
                    + (allRefused.isEmpty() ? "" : " (refused rows: " + allRefused + ")")
                    + "; name the columns by input.columns"));
        }
        List<SourceClass> classes = new ArrayList<>(byId.values());
        if (folders.isEmpty() && !names.isEmpty()) {
            Map<String, SourceClass> all = new LinkedHashMap<>();
            names.forEach(name -> put(SourceClass.named(name), all));
            byId.values().forEach(one -> put(one, all));
            classes = new ArrayList<>(all.values());
        } else if (classes.stream().allMatch(SourceClass::isNumber)) {
            classes.sort(Comparator.comparingInt(one -> Integer.parseInt(one.name())));
        }
        return new IndexedSource(
                base,
                format,
                shards,
                folders,
                unused,
                run.root(),
                new Known(List.copyOf(classes), List.copyOf(byId.keySet()), unreadFiles, unread, refused, captions));
    }

    private static void put(SourceClass one, Map<String, SourceClass> byId) {
        SourceClass other = byId.putIfAbsent(one.id(), one);
        if (other != null && !other.equals(one)) {
            throw new ConfigException(List.of("input.root: expected class names that differ in more than the signs a"
                    + " folder's name cannot have, got " + other.name() + " and " + one.name() + "; rename one"));
        }
    }

    @Override
    public List<String> remarks() {
        return unused.isEmpty()
                ? List.of()
                : List.of("input.columns: these columns of " + base + " are not used: " + String.join(", ", unused)
                        + "; name one by input.columns, if it should be");
    }

    private Known looked() {
        if (known == null) {
            throw FolderSource.expected("input.root", format.settings().split(" ", 2)[0], base);
        }
        return known;
    }

    @Override
    public List<String> classIds(Configuration conf) {
        return looked().present();
    }

    @Override
    public List<SourceClass> classes(Configuration conf) {
        return looked().classes();
    }

    @Override
    public Listing beside(Configuration conf) {
        Map<String, Long> counts = new TreeMap<>();
        looked().refused().forEach((reason, rows) -> counts.put("rows: " + reason, rows));
        return new Listing(List.of(), List.of(), counts);
    }

    @Override
    public List<String> indices() {
        return shards.stream().map(this::index).toList();
    }

    @Override
    public Tally unread(String classId) {
        return looked().unread().getOrDefault(classId, Tally.NONE);
    }

    @Override
    public int unreadFiles() {
        return looked().unreadFiles();
    }

    @Override
    public long captions() {
        return looked().captions();
    }

    @Override
    public int together(int classes, int tasks) {
        return Math.max(1, (classes + tasks - 1) / tasks);
    }

    @Override
    public ImageSource listing(List<String> classIds, Configuration conf) throws IOException {
        return new Listed(this, listings(classIds, conf));
    }

    @Override
    public Listing list(String classId, Configuration conf) throws IOException {
        return listings(List.of(classId), conf).get(classId);
    }

    /** Reads each file of the index once. */
    private Map<String, Listing> listings(List<String> classIds, Configuration conf) throws IOException {
        Map<String, Listing.Builder> builders = new HashMap<>();
        Map<String, Set<String>> paths = new HashMap<>();
        for (String classId : classIds) {
            builders.put(classId, new Listing.Builder());
            paths.put(classId, new HashSet<>());
        }
        NamedFiles named = new NamedFiles(new Path(base), conf);
        IndexTable table = new IndexTable(new RunFolder(tables, conf));
        Set<String> indexed = table.names();
        for (Shard shard : shards) {
            if (!indexed.contains(index(shard))) {
                continue;
            }
            try (RowFile.Cursor<IndexRow> rows = table.rows(index(shard))) {
                for (IndexRow row = rows.next(); row != null; row = rows.next()) {
                    if (builders.containsKey(row.classId())) {
                        add(row, shard, paths.get(row.classId()), builders.get(row.classId()), named);
                    }
                }
            }
        }
        named.look();
        Map<String, Listing> listings = new HashMap<>();
        builders.forEach((classId, builder) -> listings.put(classId, builder.listing()));
        return Collections.unmodifiableMap(listings);
    }

    private void add(IndexRow row, Shard shard, Set<String> paths, Listing.Builder builder, NamedFiles named)
            throws IOException {
        if (!paths.add(row.path())) {
            builder.refuse(row.path(), "duplicate", shard.path() + " names it twice in this class; one is used");
            return;
        }
        builder.caption(row.path(), row.caption());
        if (format.namesFiles()) {
            named.add(row.path(), builder);
        } else {
            builder.known(new DigestRow(row.path(), row.length(), shard.modified(), row.imageId(), row.digest()));
        }
    }

    @Override
    public byte[] read(ImageFile image, RunFolder files) throws IOException {
        if (!format.namesFiles()) {
            return read(image.path(), files);
        }
        Path file = Manifest.file(new Path(base), image.path());
        return files.read(new FileStatus(image.length(), false, 1, 0, image.modified(), file));
    }

    @Override
    public byte[] read(String path, RunFolder files) throws IOException {
        return format.image(new Path(base), path, files.conf());
    }
}
