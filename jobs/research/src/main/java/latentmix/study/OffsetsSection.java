package latentmix.study;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.CheckpointSpec;
import latentmix.config.RunConfig;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.image.UnreadableImage;
import latentmix.model.Dtype;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassList;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;
import latentmix.schedule.Solver;
import latentmix.source.ImageSource;
import latentmix.stage.TaskDevice;
import latentmix.stage.Tasks;
import latentmix.study.LatentExperiment.Offsets;
import latentmix.table.ContentId;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import latentmix.work.ModelOnDevice;
import org.apache.hadoop.conf.Configuration;

/**
 * This section shows pictures of one noise with rising offsets, added before sampling in one row and after it in the
 * next. A task makes the pictures of a class, and the study folder keeps them.
 */
final class OffsetsSection {
    /**
     * A picture as the study folder keeps it.
     *
     * @param after 0 where the offset was added to the noise, 1 to the sampled latent
     */
    record OffsetRow(int example, int after, double offset, byte[] image) implements Serializable {}

    /** The settings that decide a class's pictures; the class itself names their file. */
    record Settings(
            String checkpoint,
            String dtype,
            int threads,
            int batch,
            String prompt,
            String negative,
            String solver,
            int steps,
            double guidance,
            double guidanceLeast,
            double guidanceMost,
            List<Integer> channels,
            List<Double> offsets,
            int examples,
            long seed)
            implements Serializable {
        Settings {
            channels = List.copyOf(channels);
            offsets = List.copyOf(offsets);
        }
    }

    private final Offsets offsets;

    private OffsetsSection(Offsets offsets) {
        this.offsets = offsets;
    }

    static StudySection of(StudyContext context, Offsets offsets) throws IOException {
        return new OffsetsSection(offsets).section(context);
    }

    private StudySection section(StudyContext context) throws IOException {
        CheckpointSpec checkpoint = offsets.run().model().checkpoint();
        String work = "work/" + offsets.heading().name() + "/";
        Settings common = settings(checkpoint.open(context.folder().conf()));
        List<ClassLabel> labels = classes(context);
        List<List<OffsetRow>> rows = new Tasks(context.spark(), context.location(), context.console())
                .onGpus()
                .map("add offsets", labels, (folder, label, progress) -> rows(folder, work, checkpoint, common, label));
        List<Figure> figures = new ArrayList<>();
        for (int i = 0; i < labels.size(); i++) {
            figures.add(figure(labels.get(i), rows.get(i)));
        }
        return new StudySection(
                offsets.heading().name(),
                offsets.heading().title(),
                offsets.heading().about(),
                List.of(),
                figures,
                List.of(),
                List.of());
    }

    private List<ClassLabel> classes(StudyContext context) throws IOException {
        RunConfig run = offsets.run();
        Configuration conf = context.folder().conf();
        ImageSource source = ImageSource.of(run.input(), ClassList.folders(run.input(), conf), conf);
        return ClassList.read(run.input(), run.prompt(), source, conf).classes();
    }

    private Settings settings(CheckpointFolder checkpoint) {
        RunConfig run = offsets.run();
        Scheduler scheduler = run.generation().scheduler(checkpoint.schedulerConfig());
        Guidance guidance = run.generation().guidance(scheduler.trainTimesteps());
        return new Settings(
                checkpoint.fingerprint(),
                run.model().dtype().toString(),
                run.model().threads(),
                run.model().batch(),
                "",
                run.prompt().negative(),
                scheduler.solver().toString(),
                run.generation().steps(),
                guidance.scale(),
                guidance.least(),
                guidance.most(),
                offsets.channels(),
                offsets.offsets(),
                offsets.examples(),
                run.run().seed());
    }

    /** One class's pictures: read, or made and published whole. */
    private static List<OffsetRow> rows(
            RunFolder study, String work, CheckpointSpec checkpoint, Settings common, ClassLabel label)
            throws IOException {
        String id = ContentId.of(label.classId(), label.prompt(), RunFolder.json(common));
        String file = id + ".parquet";
        var path = study.path(work + file);
        if (!study.files(work.substring(0, work.length() - 1)).contains(file)) {
            List<OffsetRow> rows = made(checkpoint.open(study.conf()), common, label);
            study.publish(path, RowFile.bytes(OffsetRow.class, rows));
        }
        return RowFile.read(path, study.conf(), OffsetRow.class);
    }

    private static List<OffsetRow> made(CheckpointFolder checkpoint, Settings settings, ClassLabel label) {
        ModelOnDevice model = new ModelOnDevice(checkpoint, TaskDevice.current(), Dtype.parse(settings.dtype()));
        OffsetPictures pictures = new OffsetPictures(
                model,
                Scheduler.of(model.checkpoint().schedulerConfig(), Solver.parse(settings.solver())),
                new OffsetPictures.Settings(
                        settings.channels().get(0),
                        settings.channels().get(1),
                        settings.offsets(),
                        settings.steps(),
                        new Guidance(settings.guidance(), settings.guidanceLeast(), settings.guidanceMost()),
                        settings.negative(),
                        settings.batch()));
        List<OffsetRow> rows = new ArrayList<>();
        for (int example = 0; example < settings.examples(); example++) {
            OffsetPictures.Pair pair =
                    pictures.of(label.prompt(), settings.seed() + " " + label.classId() + " offsets " + example);
            for (int i = 0; i < settings.offsets().size(); i++) {
                rows.add(row(
                        example,
                        0,
                        settings.offsets().get(i),
                        pair.beforeSampling().get(i)));
                rows.add(row(
                        example,
                        1,
                        settings.offsets().get(i),
                        pair.afterSampling().get(i)));
            }
        }
        return rows;
    }

    private static OffsetRow row(int example, int after, double offset, Pixels pixels) {
        return new OffsetRow(example, after, offset, PngEncoder.encode(pixels));
    }

    private Figure figure(ClassLabel label, List<OffsetRow> rows) {
        List<PictureGrid.Row> drawn = new ArrayList<>();
        for (int example = 0; example < offsets.examples(); example++) {
            for (int after = 0; after < 2; after++) {
                int number = example;
                int where = after;
                drawn.add(new PictureGrid.Row(
                        where == 0 ? "in the noise" : "in the image's latent",
                        rows.stream()
                                .filter(row -> row.example() == number && row.after() == where)
                                .map(row -> Optional.of(decoded(row.image())))
                                .toList()));
            }
        }
        return new Figure.Pictures(
                offsets.heading().name() + "-" + label.classId(),
                "Class " + label.classId() + ": in the top quarter of the latent, channel "
                        + offsets.channels().get(0) + " raised and channel "
                        + offsets.channels().get(1)
                        + " lowered by the offset above each column, before the first step of sampling or after the"
                        + " last.",
                new PictureGrid(
                        offsets.offsets().stream()
                                .map(offset -> String.format(Locale.ROOT, "%.3g", offset))
                                .toList(),
                        drawn));
    }

    private static Pixels decoded(byte[] image) {
        try {
            return ImageDecoder.decode(image, Integer.MAX_VALUE);
        } catch (UnreadableImage e) {
            throw new IllegalStateException("A picture of the study folder must decode: " + e.detail(), e);
        }
    }
}
