package latentmix.stage;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.RunConfig.PromptFrom;
import latentmix.inversion.InversionMethod;
import latentmix.latent.Shape;
import latentmix.model.Models;
import latentmix.plan.InversionSettings;
import latentmix.report.StageLeft;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * What a row takes in the tables, by the shapes of what it holds: for tables that have no files yet whose size tells.
 *
 * @param latent float32
 * @param companion of an image, 0 where its inversion keeps none
 * @param prompt of a caption, 0 where captions are not asked for
 * @param image as PNG, whose compression is guessed
 */
public record RowBytes(long latent, long companion, long prompt, long image) {
    /** Of a file, whatever it holds: Parquet's headers and footer with some twenty columns. */
    private static final long FILE = 5_000;

    /** The same with twice as many: mixtures have their scores. */
    private static final long MIXED_FILE = 9_000;

    /** Ids, names, weights and scores. */
    private static final long COLUMNS = 150;

    /** Of a network's features, about. */
    private static final long FEATURES = 2_000;

    /** Of photographs' bytes, what PNG leaves. */
    private static final double PNG = 0.6;

    /** Rows of images of these settings' size. */
    public static RowBytes of(
            CheckpointFolder checkpoint, InversionSettings inversion, InversionMethod method, PromptFrom from) {
        Shape own = Models.latentShape(checkpoint);
        double scale = (double) inversion.size() / Models.imageSize(checkpoint);
        long latent = Math.round(4.0 * own.channels() * own.height() * own.width() * scale * scale);
        long companion = 0;
        if (method instanceof InversionMethod.NullText) {
            companion = inversion.steps() * Models.promptBytes(checkpoint);
        } else if (method.hasCompanion()) {
            companion = latent;
        }
        long prompt = from == PromptFrom.CAPTION ? Models.promptBytes(checkpoint) : 0;
        return new RowBytes(latent, companion, prompt, image(inversion.size()));
    }

    /** Of an image as PNG, whose compression is guessed. */
    static long image(int side) {
        return Math.round(3.0 * side * side * PNG);
    }

    /** What will be added to the tables. */
    public List<Plan.Size> sizes(RunFolder run, List<StageLeft> left) throws IOException {
        Map<String, StageLeft> stages = left.stream().collect(Collectors.toMap(StageLeft::stage, stage -> stage));
        List<Plan.Size> sizes = new ArrayList<>();
        sizes.add(size(run, "inverted", stages.get(StageName.INVERT.text()), 2 * latent + COLUMNS));
        if (prompt > 0) {
            long images = stages.get(StageName.INVERT.text()).rows(); // as if each had a caption of its own
            sizes.add(new Plan.Size("prompts", images, images * (prompt + FILE)));
        }
        if (companion > 0) {
            sizes.add(size(run, "companions", stages.get(StageName.INVERT.text()), companion));
        }
        sizes.add(size(run, "mixed", stages.get(StageName.MIX.text()), latent + COLUMNS));
        sizes.add(size(run, "generated", stages.get(StageName.GENERATE.text()), image + COLUMNS));
        if (stages.get(StageName.EVALUATE.text()).rows() > 0) {
            sizes.add(size(run, "features", stages.get(StageName.EVALUATE.text()), FEATURES));
        }
        sizes.add(size(
                run,
                "dataset",
                stages.get(StageName.EXPORT.text()),
                image + COLUMNS)); // once a format, as its rows are counted
        return sizes;
    }

    private static Plan.Size size(RunFolder run, String table, StageLeft todo, long row) throws IOException {
        List<FileStatus> files = files(run, run.path(table));
        long bytes = todo.chunks() * (table.equals("mixed") ? MIXED_FILE : FILE) + todo.rows() * row;
        if (!files.isEmpty() && !table.equals("companions") && !table.equals("dataset")) { // whose files are unlike
            double mean = files.stream().mapToLong(FileStatus::getLen).average().orElse(0);
            bytes = Math.round(mean * todo.chunks());
        }
        return new Plan.Size(table, todo.chunks(), bytes);
    }

    private static List<FileStatus> files(RunFolder run, Path folder) throws IOException {
        FileSystem fs = folder.getFileSystem(run.conf());
        try {
            return RunFolder.filesBelow(fs, folder);
        } catch (FileNotFoundException e) {
            return List.of();
        }
    }
}
