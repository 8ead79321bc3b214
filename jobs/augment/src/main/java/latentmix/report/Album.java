package latentmix.report;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.image.Resize;
import latentmix.image.UnreadableImage;
import latentmix.plan.ClassLabel;
import latentmix.plan.GenerationChunk;
import latentmix.plan.MixedChunk;
import latentmix.plan.MixingEntry;
import latentmix.plan.MixingSettings;
import latentmix.report.Gallery.Cell;
import latentmix.report.Gallery.Grid;
import latentmix.report.Gallery.Picture;
import latentmix.table.GeneratedRow.EncodedImage;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.work.MixingPlan;
import org.apache.hadoop.fs.Path;

/**
 * Finds the report's pictures in a run folder, class by class; a Spark task opens one class.
 *
 * @param input the root that image paths are relative to
 * @param maxPixels larger source images are not decoded
 * @param entries the configuration's mixing entries
 * @param generationId the settings id of the generated rows
 */
public record Album(String input, long maxPixels, List<Entry> entries, String generationId, int chunkRows)
        implements Serializable {
    /** The longest side of a picture, in pixels. */
    public static final int SIDE = 128;

    private static final int SOURCES = 12;
    private static final int PICTURES_PER_GRID = 16;

    public Album {
        entries = List.copyOf(entries);
    }

    /** An entry of the configuration's mixing, by name. */
    public record Entry(String name, boolean exported, MixingEntry mixing) implements Serializable {}

    private record Inverted(String imageId, String path) {}

    private record Mixed(
            String mixId,
            int k,
            String method,
            List<String> sourceIds,
            List<Double> weights,
            double ess,
            String settingsId) {}

    private record Generated(String mixId, EncodedImage image) {}

    /** The pictures of a class, of which these chunks of the inverted table are the configuration's. */
    public Gallery open(RunFolder run, ClassLabel label, List<String> inverted) throws IOException {
        List<Grid> grids = new ArrayList<>();
        for (Entry entry : entries) {
            grids.add(grid(run, label, entry));
        }
        return new Gallery(label, sources(run, label, inverted), grids);
    }

    private List<Picture> sources(RunFolder run, ClassLabel label, List<String> inverted) throws IOException {
        Set<String> present = run.chunks(Table.INVERTED, label.classId());
        List<Picture> pictures = new ArrayList<>();
        for (String chunk : inverted) {
            if (!present.contains(chunk)) {
                continue;
            }
            for (Inverted row :
                    RowFile.read(run.chunk(Table.INVERTED, label.classId(), chunk), run.conf(), Inverted.class)) {
                if (pictures.size() == SOURCES) {
                    return pictures;
                }
                source(run, row.path()).ifPresent(pictures::add);
            }
        }
        return pictures;
    }

    /** A source image, if it is still there. */
    private Optional<Picture> source(RunFolder run, String path) {
        try {
            Pixels image = ImageDecoder.decode(run.read(new Path(input, path)), maxPixels);
            return Optional.of(picture(image, "", path));
        } catch (UnreadableImage | IOException e) {
            return Optional.empty(); // gone or changed since it was inverted
        }
    }

    private Grid grid(RunFolder run, ClassLabel label, Entry entry) throws IOException {
        MixingSettings settings = entry.mixing().settings();
        int perCell = Math.min(entry.mixing().count(), Math.max(1, PICTURES_PER_GRID / settings.cells()));
        List<List<Picture>> cells = new ArrayList<>();
        for (int k = 0; k < settings.cells(); k++) {
            cells.add(new ArrayList<>());
        }
        Set<String> present = run.chunks(Table.GENERATED, label.classId());
        for (MixedChunk mixed : new MixingPlan(run, chunkRows).mixed(label, List.of(entry.mixing()))) {
            String generated = GenerationChunk.id(generationId, mixed.id());
            if (cells.stream().allMatch(cell -> cell.size() == perCell)) {
                break;
            }
            if (!present.contains(generated)) {
                continue;
            }
            Map<String, EncodedImage> images = new HashMap<>();
            for (Mixed row :
                    RowFile.read(run.chunk(Table.MIXED, label.classId(), mixed.id()), run.conf(), Mixed.class)) {
                List<Picture> cell = cells.get(row.k() % settings.cells());
                if (row.k() >= entry.mixing().mixtures() || cell.size() == perCell) {
                    continue;
                }
                if (images.isEmpty()) {
                    for (Generated image : RowFile.read(
                            run.chunk(Table.GENERATED, label.classId(), generated), run.conf(), Generated.class)) {
                        images.put(image.mixId(), image.image());
                    }
                }
                EncodedImage image = images.get(row.mixId());
                if (image != null) { // else it was rejected
                    cell.add(mixture(row, image));
                }
            }
        }
        List<Cell> grid = new ArrayList<>();
        for (int k = 0; k < settings.cells(); k++) {
            grid.add(new Cell(settings.method(k), settings.inputs(k), cells.get(k)));
        }
        return new Grid(entry.name(), settings.weights(), entry.exported(), grid);
    }

    private static Picture mixture(Mixed row, EncodedImage image) {
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
        try {
            return picture(ImageDecoder.decode(image.bytes(), Integer.MAX_VALUE), caption, title.toString());
        } catch (UnreadableImage e) {
            throw new IllegalStateException("An image of the generated table must decode: " + e.detail(), e);
        }
    }

    private static Picture picture(Pixels image, String caption, String title) {
        int side = Math.min(SIDE, Math.min(image.width(), image.height()));
        return new Picture(PngEncoder.encode(Resize.square(image, side)), side, caption, title);
    }
}
