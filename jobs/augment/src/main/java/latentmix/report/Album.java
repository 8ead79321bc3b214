package latentmix.report;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.image.Resize;
import latentmix.image.UnreadableImage;
import latentmix.plan.ClassPool;
import latentmix.plan.GenerationChunk;
import latentmix.plan.Kept;
import latentmix.plan.MixedChunk;
import latentmix.plan.MixingEntry;
import latentmix.plan.MixingPlan;
import latentmix.plan.MixingSettings;
import latentmix.report.Gallery.Cell;
import latentmix.report.Gallery.Dropped;
import latentmix.report.Gallery.Grid;
import latentmix.report.Gallery.Picture;
import latentmix.source.ImageSource;
import latentmix.table.GeneratedRow.EncodedImage;
import latentmix.table.GeneratedTable;
import latentmix.table.InvertedTable;
import latentmix.table.JudgedRow;
import latentmix.table.JudgedTable;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;
import latentmix.work.GeneratedMixtures;
import latentmix.work.SourceImages;

/**
 * Finds the report's pictures in a run folder, class by class; a Spark task opens one class.
 *
 * @param source where the source images lie
 * @param maxPixels larger source images are not decoded
 * @param kept the mixtures that are shown as kept, of the configuration's mixing entries
 * @param generationId the settings id of the generated rows
 */
public record Album(ImageSource source, long maxPixels, Kept kept, String generationId, int chunkRows)
        implements Serializable {
    /** The longest side of a picture, in pixels. */
    public static final int SIDE = 128;

    private static final int SOURCES = 12;
    private static final int PICTURES_PER_GRID = 16;
    private static final int DROPPED = 8; // of a judge

    /** The pictures of a class. */
    public Gallery open(RunFolder run, ClassPool pool) throws IOException {
        List<Grid> grids = new ArrayList<>();
        for (MixingEntry entry : kept.entries()) {
            grids.add(grid(run, pool, entry));
        }
        return new Gallery(pool.label(), sources(run, pool), grids, dropped(run, pool));
    }

    /** What each judge dropped first, in the order of the table's chunks and of k. */
    private List<Dropped> dropped(RunFolder run, ClassPool pool) throws IOException {
        Map<String, Long> images = new TreeMap<>();
        Map<String, List<Picture>> pictures = new TreeMap<>();
        for (String mixed : new MixedTable(run, pool.classId()).chunks()) {
            if (!kept.judged().containsKey(mixed)) {
                continue;
            }
            Map<String, JudgedRow> shown = new LinkedHashMap<>(); // by mix id
            for (JudgedRow row :
                    new JudgedTable(run, pool.classId()).rows(kept.judged().get(mixed))) {
                if (!row.kept()) {
                    String judge = row.reasons().get(0);
                    if (images.merge(judge, 1L, Long::sum) <= DROPPED) {
                        shown.put(row.mixId(), row);
                    }
                }
            }
            if (!shown.isEmpty()) {
                Map<String, GeneratedTable.Image> files = new GeneratedMixtures(run, pool.classId())
                        .images(GenerationChunk.id(generationId, mixed), GeneratedTable.Image.class);
                shown.forEach((mixId, row) -> pictures.computeIfAbsent(
                                row.reasons().get(0), judge -> new ArrayList<>())
                        .add(picture(
                                decoded(files.get(mixId).image()),
                                score(row),
                                files.get(mixId).image().path() + "\ndropped by " + String.join(", ", row.reasons()))));
            }
        }
        return images.entrySet().stream()
                .map(of -> new Dropped(of.getKey(), of.getValue(), pictures.get(of.getKey())))
                .toList();
    }

    /** The score by which an image was dropped first. */
    private static String score(JudgedRow row) {
        return switch (row.reasons().get(0)) {
            case "class" -> String.format(Locale.ROOT, "%.3f", row.classScore());
            case "copy" -> near(row.copyHash(), row.copyDistance());
            case "twin" -> near(row.twinHash(), row.twinDistance());
            case "text" -> String.format(Locale.ROOT, "%.3f", row.textScore());
            default -> "";
        };
    }

    private static String near(int bits, double distance) {
        String hash = bits < 0 ? "" : bits + " bits";
        return Double.isNaN(distance) ? hash : (hash + String.format(Locale.ROOT, "\n%.4f", distance)).strip();
    }

    private List<Picture> sources(RunFolder run, ClassPool pool) throws IOException {
        InvertedTable table = new InvertedTable(run, pool.classId());
        SourceImages images = new SourceImages(source, run, maxPixels);
        List<Picture> pictures = new ArrayList<>();
        Set<String> leftOut = Set.copyOf(pool.leftOut());
        for (String chunk : pool.inverted()) {
            for (InvertedTable.Source row : table.sources(chunk)) {
                if (pictures.size() == SOURCES) {
                    return pictures;
                }
                if (!leftOut.contains(row.imageId())) {
                    source(images, row).ifPresent(pictures::add);
                }
            }
        }
        return pictures;
    }

    /** A source image; none where its file is gone or has other bytes than those that were inverted. */
    private static Optional<Picture> source(SourceImages images, InvertedTable.Source row) {
        try {
            return images.open(row) instanceof SourceImages.Image image
                    ? Optional.of(picture(image.pixels(), "", row.path()))
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // a report does without a file that the store does not give
        }
    }

    private Grid grid(RunFolder run, ClassPool pool, MixingEntry entry) throws IOException {
        MixingSettings settings = entry.settings();
        int perCell = Math.max(1, PICTURES_PER_GRID / settings.cells());
        long pictures = IntStream.range(0, settings.cells())
                .mapToLong(cell -> Math.min(perCell, entry.mixtures(pool.classId(), cell)))
                .sum();
        List<List<Picture>> cells = new ArrayList<>();
        for (int k = 0; k < settings.cells(); k++) {
            cells.add(new ArrayList<>());
        }
        Set<String> present = new GeneratedTable(run, pool.classId()).chunks();
        GeneratedMixtures tables = new GeneratedMixtures(run, pool.classId());
        for (MixedChunk mixed : new MixingPlan(run, chunkRows).mixed(pool, List.of(entry))) {
            String generated = GenerationChunk.id(generationId, mixed.id());
            if (cells.stream().mapToInt(List::size).sum() == pictures) {
                break;
            }
            if (!present.contains(generated)) {
                continue;
            }
            Predicate<String> isKept = kept.of(run, pool.classId(), mixed.id());
            var pairs = tables.chunk(
                    mixed.id(),
                    generated,
                    MixedTable.Recipe.class,
                    GeneratedTable.Image.class,
                    row -> row.k() < entry.mixtures(pool.classId())
                            && isKept.test(row.mixId())
                            && cells.get(row.k() % settings.cells()).size() < perCell);
            for (var pair : pairs) {
                List<Picture> cell = cells.get(pair.mixture().k() % settings.cells());
                if (cell.size() < perCell && pair.image().isPresent()) { // a mixture that was refused has none
                    cell.add(mixture(pair.mixture(), pair.image().get().image()));
                }
            }
        }
        List<Cell> grid = new ArrayList<>();
        for (int k = 0; k < settings.cells(); k++) {
            grid.add(new Cell(settings.method(k), settings.inputs(k), cells.get(k)));
        }
        return new Grid(entry.name(), settings.weights(), entry.exported(), grid);
    }

    private static Picture mixture(MixedTable.Recipe row, EncodedImage image) {
        String caption = String.format(
                Locale.ROOT,
                "%s\nN %d · ess %.1f",
                row.method(),
                row.sourceIds().size(),
                row.ess());
        StringBuilder title = new StringBuilder(image.path());
        for (int i = 0; i < row.sourceIds().size(); i++) {
            title.append(String.format(
                    Locale.ROOT,
                    "\n%.3f × %s",
                    row.weights().get(i),
                    row.sourceIds().get(i)));
        }
        return picture(decoded(image), caption, title.toString());
    }

    private static Pixels decoded(EncodedImage image) {
        try {
            return ImageDecoder.decode(image.bytes(), Integer.MAX_VALUE);
        } catch (UnreadableImage e) {
            throw new IllegalStateException("An image of the generated table must decode: " + e.detail(), e);
        }
    }

    private static Picture picture(Pixels image, String caption, String title) {
        int side = Math.min(SIDE, Math.min(image.width(), image.height()));
        return new Picture(PngEncoder.encode(Resize.square(image, side)), side, caption, title);
    }
}
