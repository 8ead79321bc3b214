package latentmix.study;

import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.config.RunConfig;
import latentmix.image.Pixels;
import latentmix.latent.Latent;
import latentmix.latent.LatentPool;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassPool;
import latentmix.study.LatentExperiment.Perturbed;
import latentmix.study.StudyConfig.AxisScale;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;
import latentmix.table.StageName;

/**
 * This section looks at images that the model made from noise, perturbed and inverted: their centroids beside those of
 * real images and of the noise itself. The perturbed images are an input folder in the study folder; a run of its own
 * inverts, mixes and generates them.
 */
final class PerturbedSection {
    private static final String REAL = "real images, inverted";
    private static final String MADE = "made and perturbed images, inverted";
    private static final String NOISE = "the noise they were made from";

    /**
     * The size of the channels' means in the centroids of one class.
     *
     * @param source the latents that are averaged: inverted latents of real or of made images, or the noise that the
     *     made images came from
     * @param channelMean mean of |channel mean| over channels and repeats
     * @param low the lower end of the 95 % interval over channels
     * @param high its upper end
     * @param noise the value that unbiased noise has
     */
    public record PerturbedRow(
            String scope,
            String source,
            String method,
            int inputs,
            double channelMean,
            double low,
            double high,
            double noise) {}

    private final StudyContext context;
    private final StudyRuns.Done real;
    private final Perturbed perturbed;

    private PerturbedSection(StudyContext context, StudyRuns.Done real, Perturbed perturbed) {
        this.context = context;
        this.real = real;
        this.perturbed = perturbed;
    }

    static StudySection of(StudyContext context, StudyRuns runs, Perturbed perturbed) throws IOException {
        return new PerturbedSection(context, runs.of(perturbed.settings().get(0)), perturbed).section();
    }

    private StudySection section() throws IOException {
        String name = perturbed.heading().name();
        Pools pools = Pools.of(context, real);
        pools.check(size -> BiasSection.error(perturbed.methods(), perturbed.inputs(), size));
        String noiseId = real.mixing(perturbed.entry(Perturbed.MADE));
        String work = "work/" + name + "/" + noiseId.substring(0, 8) + "-"
                + real.generation().substring(0, 8)
                + String.format(Locale.ROOT, "-%.4g", perturbed.perturbation());
        PerturbedImages images = new PerturbedImages(
                work + "/images", noiseId, real.generation(), perturbed.images(), perturbed.perturbation());
        String study = context.location();
        pools.tasks("perturb images", (run, pool) -> images.write(run, new RunFolder(study, run.conf()), pool));
        StudyRuns.Done made = run(study + "/" + images.folder(), study + "/" + work + "/run");
        BiasSurvey survey = new BiasSurvey(perturbed.methods(), perturbed.inputs(), perturbed.repeats());
        String seed = perturbed.run().run().seed() + " " + name + " ";
        Map<String, Map<ClassLabel, BiasSurvey.Survey>> sources = new LinkedHashMap<>();
        sources.put(REAL, pools.map("mix centroids", (run, label, pool) -> survey.of(pool, seed + label.classId())));
        sources.put(
                MADE,
                Pools.of(context, made)
                        .map("mix centroids", (run, label, pool) -> survey.of(pool, seed + label.classId())));
        sources.put(
                NOISE,
                pools.tasks(
                        "mix centroids", (run, pool) -> survey.of(noise(run, pool, noiseId), seed + pool.classId())));
        List<PerturbedRow> rows = new ArrayList<>();
        sources.forEach((source, surveys) ->
                surveys.forEach((label, found) -> rows.addAll(rows(source, label.classId(), found))));
        List<Figure> figures = new ArrayList<>();
        perturbed.methods().forEach(method -> figures.add(drawing(rows, method)));
        for (ClassLabel label : pools.classes()) {
            figures.add(pictures(images, made, label.classId()));
        }
        return new StudySection(
                name,
                perturbed.heading().title(),
                perturbed.heading().about(),
                notes(rows),
                figures,
                List.of(),
                List.of(new StudyTable<>(
                        name,
                        "|Channel mean| of centroids of N latents of three kinds, over " + perturbed.repeats()
                                + " repeats in every class.",
                        PerturbedRow.class,
                        rows)));
    }

    /** Inverts, mixes and generates the perturbed images as any others. */
    private StudyRuns.Done run(String root, String folder) throws IOException {
        RunConfig base = perturbed.run();
        RunConfig config = base.withInput(new RunConfig.Input(
                        root,
                        base.input().classes(),
                        base.input().maxPixels(),
                        base.input().folders(),
                        null,
                        base.input().conflicts()))
                .withMixing(perturbed.mixtures());
        return StudyRuns.Done.of(
                context, config, folder, EnumSet.of(StageName.INVERT, StageName.MIX, StageName.GENERATE));
    }

    /** The noise that a class's images were made from. */
    private static LatentPool noise(RunFolder run, ClassPool pool, String settingsId) throws IOException {
        List<Latent> latents = new ArrayList<>();
        MixedTable table = new MixedTable(run, pool.classId());
        String poolId = pool.id(run);
        for (String chunk : table.chunks()) {
            for (MixedTable.Noise row : table.noise(chunk)) {
                if (row.poolId().equals(poolId) && row.settingsId().equals(settingsId)) {
                    latents.add(row.latent().latent());
                }
            }
        }
        return LatentPool.of(latents);
    }

    private List<PerturbedRow> rows(String source, String classId, BiasSurvey.Survey survey) {
        List<PerturbedRow> rows = new ArrayList<>();
        double scale = 1 / Math.sqrt(survey.shape().plane());
        for (String method : perturbed.methods()) {
            for (int n = 0; n < perturbed.inputs().size(); n++) {
                int count = n;
                double[] channels = survey.patterns().stream()
                        .filter(pattern -> pattern.startsWith("channel "))
                        .flatMapToDouble(pattern -> survey.growths().stream()
                                .filter(growth -> growth.method().equals(method)
                                        && growth.pattern().equals(pattern))
                                .mapToDouble(growth -> scale * Math.abs(growth.values()[count]))
                                .average()
                                .stream())
                        .filter(Double::isFinite)
                        .toArray();
                if (channels.length > 0) {
                    SampleMean mean = SampleMean.of(channels);
                    rows.add(new PerturbedRow(
                            classId,
                            source,
                            method,
                            perturbed.inputs().get(n),
                            mean.mean(),
                            mean.low(),
                            mean.high(),
                            scale * BiasSurvey.NOISE));
                }
            }
        }
        return rows;
    }

    private Figure drawing(List<PerturbedRow> rows, String method) {
        List<Chart.Series> series = Stream.of(REAL, MADE, NOISE)
                .map(source -> new Chart.Series(
                        source,
                        Chart.Mark.LINE,
                        perturbed.inputs().stream()
                                .flatMap(count -> point(rows, source, method, count).stream())
                                .toList()))
                .toList();
        return new Figure.Drawing(
                perturbed.heading().name() + "-" + method.replaceAll("[^A-Za-z0-9]+", "-"),
                method
                        + ": |channel mean| of centroids, the mean over channels and classes with "
                        + "its 95 % interval over classes.",
                new Chart(
                        "",
                        new Chart.Axis("inputs N, at √N", AxisScale.SQRT),
                        new Chart.Axis("|channel mean|", AxisScale.LINEAR),
                        series,
                        List.of(new Chart.Reference(
                                "unbiased noise", rows.get(0).noise()))));
    }

    private static Optional<Chart.Point> point(List<PerturbedRow> rows, String source, String method, int count) {
        double[] values = rows.stream()
                .filter(row -> row.source().equals(source) && row.method().equals(method) && row.inputs() == count)
                .mapToDouble(PerturbedRow::channelMean)
                .toArray();
        if (values.length == 0) {
            return Optional.empty();
        }
        SampleMean estimate = SampleMean.of(values);
        return Optional.of(new Chart.Point(count, estimate.mean(), estimate.low(), estimate.high()));
    }

    private List<String> notes(List<PerturbedRow> rows) {
        String method = perturbed.methods().get(0);
        int largest = perturbed.inputs().get(perturbed.inputs().size() - 1);
        return List.of(String.format(
                Locale.ROOT,
                "%s of %d: |channel mean| %s of %s; %s of %s; %s of %s; unbiased noise has %.3f.",
                method,
                largest,
                mean(rows, REAL, method, largest),
                REAL,
                mean(rows, MADE, method, largest),
                MADE,
                mean(rows, NOISE, method, largest),
                NOISE,
                rows.get(0).noise()));
    }

    private static String mean(List<PerturbedRow> rows, String source, String method, int count) {
        return point(rows, source, method, count)
                .map(point -> String.format(Locale.ROOT, "%.3f", point.y()))
                .orElse("none");
    }

    private Figure pictures(PerturbedImages images, StudyRuns.Done made, String classId) throws IOException {
        int columns = perturbed.inputs().size();
        List<List<Pixels>> pairs = images.pairs(real.run(), real.pool(classId), columns);
        List<PictureGrid.Row> rows = new ArrayList<>();
        rows.add(new PictureGrid.Row(
                "made", pairs.get(0).stream().map(Optional::of).toList()));
        rows.add(new PictureGrid.Row(
                "perturbed", pairs.get(1).stream().map(Optional::of).toList()));
        for (String method : perturbed.methods()) {
            rows.add(row(method + " of perturbed", made, classId, method));
            rows.add(row(method + " of real", real, classId, method));
        }
        return new Figure.Pictures(
                perturbed.heading().name() + "-" + classId,
                "Class " + classId
                        + ": images made from noise, the same perturbed, and centroids of N "
                        + "perturbed and of N real ones.",
                new PictureGrid(
                        perturbed.inputs().stream().map(count -> "N = " + count).toList(), rows));
    }

    private PictureGrid.Row row(String label, StudyRuns.Done run, String classId, String method) throws IOException {
        int columns = perturbed.inputs().size();
        Map<Integer, Pixels> images = MixtureImages.of(run.run(), run.pool(classId))
                .open(run.mixing(perturbed.entry(method)), run.generation(), columns);
        return new PictureGrid.Row(
                label,
                IntStream.range(0, columns)
                        .mapToObj(k -> Optional.ofNullable(images.get(k)))
                        .toList());
    }
}
