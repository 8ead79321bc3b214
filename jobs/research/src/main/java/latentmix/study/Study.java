package latentmix.study;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import latentmix.stage.Console;
import latentmix.study.StudyConfig.Experiment;
import latentmix.table.RunFolder;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * A study: the pipeline's runs that its experiments need, then every experiment's figures and tables, then the report.
 * A second call does only what is missing and writes the figures anew.
 *
 * <pre>
 * &lt;study&gt;/report.html
 * &lt;study&gt;/figures/&lt;name&gt;.svg, .png
 * &lt;study&gt;/tables/&lt;name&gt;.csv, .parquet
 * &lt;study&gt;/runs/&lt;images a class&gt;        run folders, as `latentmix run` makes them
 * </pre>
 */
public final class Study {
    private final StudyContext context;

    private Study(StudyContext context) {
        this.context = context;
    }

    /**
     * Runs a study.
     *
     * @param folder the study folder, local or s3a
     * @return 0 done, 3 finished with more rejects in some run than allowed
     */
    public static int run(JavaSparkContext spark, StudyConfig config, String folder, Console console)
            throws IOException {
        return new Study(new StudyContext(
                        spark, console, config, folder, new RunFolder(folder, spark.hadoopConfiguration())))
                .run();
    }

    private int run() throws IOException {
        StudyConfig config = context.config();
        String cost = StudyCost.of(config, context.folder().conf())
                .text(config, context.spark().defaultParallelism());
        context.console().say(cost);
        StudyRuns runs = StudyRuns.run(context);
        List<StudyReport.Published> sections = new ArrayList<>();
        for (Experiment experiment : config.experiments()) {
            sections.add(publish(section(experiment, runs)));
        }
        publish(
                "report.html",
                new StudyReport(config, cost, runs.all(), sections).html().getBytes(StandardCharsets.UTF_8));
        context.console()
                .say(sections.size() + " experiments in " + context.folder().path("figures") + " and "
                        + context.folder().path("tables") + "; open "
                        + context.folder().path("report.html"));
        return runs.all().stream()
                .mapToInt(run -> run.summary().exitCode().code())
                .max()
                .orElse(0);
    }

    /** The one place that knows every kind of experiment. */
    private StudySection section(Experiment experiment, StudyRuns runs) throws IOException {
        if (experiment instanceof StudyConfig.Grid grid) {
            return GridSection.of(runs, grid);
        }
        if (experiment instanceof StudyConfig.Curves curves) {
            return CurvesSection.of(runs, curves);
        }
        if (experiment instanceof StudyConfig.Downstream downstream) {
            return DownstreamSection.of(context, downstream);
        }
        if (experiment instanceof LatentExperiment.Paths paths) {
            return PathsSection.of(context, runs, paths);
        }
        if (experiment instanceof LatentExperiment.Bias bias) {
            return BiasSection.of(context, runs, bias);
        }
        if (experiment instanceof LatentExperiment.Perturbed perturbed) {
            return PerturbedSection.of(context, runs, perturbed);
        }
        if (experiment instanceof LatentExperiment.Offsets offsets) {
            return OffsetsSection.of(context, offsets);
        }
        throw new IllegalArgumentException("Every kind of experiment must have a section, none has: " + experiment);
    }

    private StudyReport.Published publish(StudySection section) throws IOException {
        List<PageImage> figures = new ArrayList<>();
        for (Figure figure : section.figures()) {
            if (figure instanceof Figure.Drawing drawing) {
                byte[] svg = drawing.chart().svg();
                publish("figures/" + figure.name() + ".svg", svg);
                publish("figures/" + figure.name() + ".png", drawing.chart().png());
                figures.add(PageImage.of(drawing, svg));
            } else if (figure instanceof Figure.Pictures pictures) {
                byte[] png = pictures.grid().png();
                publish("figures/" + figure.name() + ".png", png);
                figures.add(PageImage.of(pictures, png));
            }
        }
        for (StudyTable<?> table : section.tables()) {
            publish("tables/" + table.name() + ".csv", table.csv().getBytes(StandardCharsets.UTF_8));
            publish("tables/" + table.name() + ".parquet", table.parquet());
        }
        return new StudyReport.Published(section, figures);
    }

    private void publish(String file, byte[] bytes) throws IOException {
        context.folder().publish(context.folder().path(file), bytes);
    }
}
