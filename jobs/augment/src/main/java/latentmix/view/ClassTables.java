package latentmix.view;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassPool;
import latentmix.plan.GenerationChunk;
import latentmix.report.RunStart;
import latentmix.table.GeneratedTable;
import latentmix.table.ImageRow;
import latentmix.table.ImagesTable;
import latentmix.table.InvertedTable;
import latentmix.table.JudgedRow;
import latentmix.table.JudgedTable;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;

/** What the tables say of one class's pictures under a run's settings, a chunk at a time. */
record ClassTables(RunFolder run, RunStart start, String classId) {
    /** The ids of all classes, sorted. */
    static Set<String> classIds(RunFolder run) throws IOException {
        Set<String> ids = run.classes(Table.IMAGES);
        ids.addAll(run.classes(Table.MIXED));
        return ids;
    }

    /** The real images. */
    List<Picture> real() throws IOException {
        return new ImagesTable(run, classId)
                .rows().stream()
                        .map(row -> new Picture(row.imageId(), "", 0, row.path(), "", "", 0, Score.none()))
                        .toList();
    }

    /** The names of the files of real images. */
    Set<String> files() throws IOException {
        return new ImagesTable(run, classId).files();
    }

    /** A file's real images. */
    List<ImageRow> rows(String file) throws IOException {
        return new ImagesTable(run, classId).rows(file);
    }

    /** What the class is called; nothing before its images were looked for. */
    Optional<ImageRow> first() throws IOException {
        ImagesTable table = new ImagesTable(run, classId);
        Optional<String> file = table.files().stream().findFirst();
        return file.isEmpty()
                ? Optional.empty()
                : table.rows(file.get()).stream().findFirst();
    }

    /** The chunks of the mixed table. */
    Set<String> mixed() throws IOException {
        return new MixedTable(run, classId).chunks();
    }

    /** Those of the mixed table's chunks of which images were generated, sorted. */
    List<String> generated() throws IOException {
        Set<String> done = new GeneratedTable(run, classId).chunks();
        return mixed().stream().filter(chunk -> done.contains(generated(chunk))).toList();
    }

    /** The chunk of the generated table that belongs to one of the mixed table. */
    String generated(String mixed) {
        return GenerationChunk.id(start.generate(), mixed);
    }

    /** How many mixtures of the run's entries a chunk holds. */
    long mixtures(String chunk) throws IOException {
        Map<String, String> entries = entries();
        return new MixedTable(run, classId)
                .keys(chunk).stream()
                        .filter(key -> entries.containsKey(key.settingsId()))
                        .count();
    }

    /** How a picture was mixed. */
    MixedTable.Trail mixture(Picture picture) throws IOException {
        return named(
                new MixedTable(run, classId).mixtures(picture.chunk(), MixedTable.Trail.class),
                MixedTable.Trail::mixId,
                picture);
    }

    /** What was measured of a picture when it was made. */
    GeneratedTable.Scores scores(Picture picture) throws IOException {
        return named(
                new GeneratedTable(run, classId).rows(generated(picture.chunk()), GeneratedTable.Scores.class),
                GeneratedTable.Scores::mixId,
                picture);
    }

    private static <T> T named(List<T> rows, Function<T, String> id, Picture picture) throws Images.MissingException {
        return rows.stream()
                .filter(row -> id.apply(row).equals(picture.id()))
                .findFirst()
                .orElseThrow(() -> new Images.MissingException("there is no such image"));
    }

    /** The images made of a chunk of the mixed table, in the order of k; those of other entries are left out. */
    List<Picture> made(String chunk) throws IOException {
        Map<String, String> entries = entries();
        Map<String, GeneratedTable.Scores> images = new HashMap<>();
        new GeneratedTable(run, classId)
                .rows(generated(chunk), GeneratedTable.Scores.class)
                .forEach(row -> images.put(row.mixId(), row));
        List<Picture> pictures = new ArrayList<>();
        for (MixedTable.Trail row : new MixedTable(run, classId).mixtures(chunk, MixedTable.Trail.class)) {
            GeneratedTable.Scores image = images.get(row.mixId());
            if (image != null && entries.containsKey(row.settingsId())) {
                pictures.add(new Picture(
                        row.mixId(),
                        chunk,
                        row.k(),
                        "",
                        entries.get(row.settingsId()),
                        row.method(),
                        row.sourceIds().size(),
                        scores(row, image)));
            }
        }
        return pictures;
    }

    /** The names of the run's mixing entries by their settings; entries of the same settings share their mixtures. */
    private Map<String, String> entries() {
        Map<String, String> entries = new LinkedHashMap<>();
        start.entries().forEach(entry -> entries.merge(entry.settingsId(), entry.name(), (a, b) -> a + ", " + b));
        return entries;
    }

    private static float[] scores(MixedTable.Trail mixture, GeneratedTable.Scores image) {
        float[] scores = Score.none();
        Score.ESS.put(scores, mixture.ess());
        Score.CLASS_MEAN.put(scores, mixture.classMeanGain());
        Score.putLatent(scores, mixture.degeneracy());
        Score.ENTROPY.put(scores, image.entropy());
        Score.CLIPPED.put(scores, image.clipped());
        Score.SATURATION.put(scores, image.saturation());
        Score.SHARPNESS.put(scores, image.sharpness());
        return scores;
    }

    /** The chunks of verdicts; none without a filter. */
    Set<String> judged() throws IOException {
        return start.filter().isEmpty() ? Set.of() : new JudgedTable(run, classId).chunks();
    }

    /** A chunk's verdicts of the run's filter, by mix id. */
    Map<String, JudgedRow> verdicts(String chunk) throws IOException {
        Map<String, JudgedRow> verdicts = new HashMap<>();
        for (JudgedRow row : new JudgedTable(run, classId).rows(chunk)) {
            if (row.settingsId().equals(start.filter())) {
                verdicts.put(row.mixId(), row);
            }
        }
        return verdicts;
    }

    /** The ids of the images that were inverted under the run's settings, by chunk of the inverted table. */
    Map<String, List<String>> inverted() throws IOException {
        Map<String, List<String>> inverted = new LinkedHashMap<>();
        for (String chunk : invertedChunks()) {
            List<String> ids = inverted(chunk);
            if (!ids.isEmpty()) {
                inverted.put(chunk, ids);
            }
        }
        return inverted;
    }

    /** The chunks of the inverted table. */
    Set<String> invertedChunks() throws IOException {
        return new InvertedTable(run, classId).chunks();
    }

    /** The ids of a chunk's images that were inverted under the run's settings. */
    List<String> inverted(String chunk) throws IOException {
        return new InvertedTable(run, classId).imageIds(chunk, start.invert());
    }

    /** The class with the prompt that its mixtures have; nothing where no image of it was inverted. */
    Optional<ClassLabel> label() throws IOException {
        Optional<ImageRow> first = first();
        for (String chunk : first.isEmpty() ? Set.<String>of() : mixed()) {
            Optional<MixedTable.Trail> row = new MixedTable(run, classId)
                    .mixtures(chunk, MixedTable.Trail.class).stream().findFirst();
            if (row.isPresent()) {
                return Optional.of(label(first.get(), row.get().prompt()));
            }
        }
        for (String chunk : first.isEmpty() ? Set.<String>of() : inverted().keySet()) {
            Optional<InvertedTable.Terms> terms = new InvertedTable(run, classId).terms(chunk);
            if (terms.isPresent()) {
                return Optional.of(label(first.get(), terms.get().prompt()));
            }
        }
        return Optional.empty();
    }

    private ClassLabel label(ImageRow image, String prompt) {
        return new ClassLabel(classId, image.label(), image.className(), prompt);
    }

    /**
     * The pool of this id, where it is that of all images that were inverted under the run's settings: images that were
     * withdrawn since are not known here.
     */
    Optional<ClassPool> pool(String poolId, String prompt) throws IOException {
        try {
            Optional<ImageRow> first = first();
            if (first.isEmpty()) {
                return Optional.empty();
            }
            ClassPool all = new ClassPool(
                    label(first.get(), prompt), List.copyOf(inverted().keySet()), List.of());
            return all.id(run).equals(poolId) ? Optional.of(all) : Optional.empty();
        } catch (FileNotFoundException e) { // of a chunk that a run just took away
            return Optional.empty();
        }
    }
}
