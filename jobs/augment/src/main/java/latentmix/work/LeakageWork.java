package latentmix.work;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import latentmix.image.DifferenceHash;
import latentmix.plan.ClassLabel;
import latentmix.plan.ExportChunk;
import latentmix.plan.ExportChunk.Split;
import latentmix.plan.FeatureChunk;
import latentmix.plan.OfClass;
import latentmix.table.ContentId;
import latentmix.table.GeneratedTable;
import latentmix.table.ImageRow;
import latentmix.table.ImagesTable;
import latentmix.table.LeakageRow;
import latentmix.table.LeakageTable;
import latentmix.table.LookRow;
import latentmix.table.LooksTable;
import latentmix.table.RunFolder;

/**
 * Compares a class's images, those of the dataset that a model made and the real ones, with the real ones and with
 * those of folders that are kept for tests.
 */
public record LeakageWork(RunFolder run) {
    /**
     * A file with the bytes of an image.
     *
     * @param id the image id that it has in its class
     */
    public record Same(String id, String path) implements Serializable {}

    /**
     * Real images that others are compared with.
     *
     * @param among what they are called
     * @param tables the folder of the tables that list them
     * @param looks chunks of the looks table that stand
     * @param same by the ids of the input's images of the class, the files among them with the same bytes
     */
    public record Others(String among, String tables, List<FeatureChunk> looks, Map<String, Same> same)
            implements Serializable {
        public Others {
            looks = List.copyOf(looks);
            same = new LinkedHashMap<>(same);
        }
    }

    /**
     * A class.
     *
     * @param input its real images, which are compared with each other, too
     * @param tests of each folder the images of the class
     */
    public record Item(ClassLabel label, List<ExportChunk.Made> made, Others input, List<Others> tests)
            implements OfClass.Labelled, Serializable {
        public Item {
            made = List.copyOf(made);
            tests = List.copyOf(tests);
        }

        /** The chunk's id in the leakage table: it tells everything that is compared. */
        String id() {
            List<String> parts = new ArrayList<>();
            made.forEach(chunk -> parts.add(chunk.id()));
            for (Others others : others()) {
                parts.add(others.among());
                others.looks().forEach(chunk -> parts.add(chunk.content()));
                others.same().forEach((id, file) -> parts.add(id + " " + file.path()));
            }
            return ContentId.of(parts);
        }

        private List<Others> others() {
            List<Others> others = new ArrayList<>(tests);
            others.add(0, input);
            return others;
        }
    }

    /** An image's dHash. */
    private record Hashed(String id, String path, long hash) {}

    /** Compares what is not compared yet, publishes it and says how near the images are. */
    public List<Nearness> compare(Item item) throws IOException {
        LeakageTable table = new LeakageTable(run, item.classId());
        String id = item.id();
        if (!table.chunks().contains(id)) {
            table.commit(id, rows(item), List.of());
        }
        table.keep(id);
        Map<String, Nearness> sums = new LinkedHashMap<>();
        for (Others others : item.others()) {
            long asked = others.looks().stream().mapToLong(FeatureChunk::rows).sum();
            long opened = looks(item.classId(), others).size();
            for (Split split : Split.values()) {
                sums.put(
                        split + " " + others.among(),
                        Nearness.none(split.toString(), others.among(), opened, asked - opened));
            }
        }
        for (LeakageRow row : table.rows(id)) {
            sums.computeIfPresent(row.split() + " " + row.among(), (key, sum) -> sum.with(row));
        }
        return List.copyOf(sums.values());
    }

    private List<LeakageRow> rows(Item item) throws IOException {
        List<Hashed> made = made(item);
        List<Hashed> real = hashed(item.classId(), item.input());
        List<LeakageRow> rows = new ArrayList<>();
        for (Others others : item.others()) {
            boolean own = others.among().equals(LeakageRow.INPUT);
            List<Hashed> among = own ? real : hashed(item.classId(), others);
            made.forEach(image -> add(item.classId(), Split.MADE, image, "", others, among, rows));
            real.forEach(image -> add(item.classId(), Split.REAL, image, own ? image.id() : "", others, among, rows));
        }
        return rows;
    }

    /** Adds an image's row, where there is anything beside {@code without} to compare it with. */
    private static void add(
            String classId,
            Split split,
            Hashed image,
            String without,
            Others others,
            List<Hashed> among,
            List<LeakageRow> rows) {
        Same same = others.same().get(image.id());
        if (same != null) {
            rows.add(row(classId, split, image, others, same.id(), same.path(), 0, true));
            return;
        }
        among.stream()
                .filter(other -> !other.id().equals(without))
                .min(Comparator.comparingInt(other -> distance(image, other)))
                .map(near -> row(classId, split, image, others, near.id(), near.path(), distance(image, near), false))
                .ifPresent(rows::add);
    }

    private static LeakageRow row(
            String classId, Split split, Hashed image, Others others, String id, String path, int bits, boolean same) {
        return new LeakageRow(
                image.id(), classId, split.toString(), image.path(), others.among(), id, path, bits, same);
    }

    private static int distance(Hashed one, Hashed other) {
        return DifferenceHash.distance(one.hash(), other.hash());
    }

    private List<Hashed> made(Item item) throws IOException {
        List<Hashed> made = new ArrayList<>();
        for (ExportChunk.Made chunk : item.made()) {
            for (var pair : ExportWork.pairs(run, chunk, GeneratedTable.Scores.class)) {
                pair.image().ifPresent(image -> made.add(new Hashed(image.mixId(), "", image.differenceHash())));
            }
        }
        return made;
    }

    /** Real images in the order of their ids. */
    private List<Hashed> hashed(String classId, Others others) throws IOException {
        Map<String, String> paths = new HashMap<>();
        for (ImageRow row : new ImagesTable(new RunFolder(others.tables(), run.conf()), classId).rows()) {
            paths.put(row.imageId(), row.path());
        }
        return looks(classId, others).stream()
                .map(row -> new Hashed(row.imageId(), paths.get(row.imageId()), row.differenceHash()))
                .sorted(Comparator.comparing(Hashed::id))
                .toList();
    }

    private List<LookRow> looks(String classId, Others others) throws IOException {
        List<LookRow> looks = new ArrayList<>();
        for (FeatureChunk chunk : others.looks()) {
            looks.addAll(new LooksTable(run, classId).rows(chunk.id(), chunk.leftOut()));
        }
        return looks;
    }
}
