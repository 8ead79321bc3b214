package latentmix.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import latentmix.config.ConfigFile;
import latentmix.config.Demo;
import latentmix.config.RunConfig;
import latentmix.report.StageSummary;
import latentmix.stage.Pipeline;
import latentmix.table.StageName;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * This bench compares what a filter costs with what generating costs, in the same runs of the grey demo. The judges
 * look by the built-in classifier, nothing that is dropped is replaced, and as many images are made as there are real
 * ones, which are looked at for the first time.
 */
public final class FilterBench {
    private static final List<String> FILTER = List.of(
            "evaluation={}",
            "mixing.0.count=64",
            "filter={tries: 1, class: {by: mean}, copy: {features: classifier}, twin: {features: classifier}, blank:"
                    + " {}}");

    private FilterBench() {}

    /** Runs the demo once unmeasured and some rounds more, and prints each round and the median. */
    public static void run(JavaSparkContext spark, List<String> overrides, int rounds, PrintStream out)
            throws IOException {
        List<String> all = new ArrayList<>(FILTER);
        all.addAll(overrides);
        RunConfig config = ConfigFile.demo(Demo.FASHION, all);
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i <= rounds; i++) {
            Path run = Files.createTempDirectory("latentmix-bench");
            List<StageSummary> stages = Pipeline.summary(
                            spark,
                            config,
                            run.toString(),
                            List.of(StageName.INVERT, StageName.MIX, StageName.GENERATE, StageName.FILTER))
                    .stages();
            StageSummary generate = stages.get(2);
            StageSummary filter = stages.get(3);
            if (i > 0) {
                ratios.add(filter.seconds() / generate.seconds());
                out.printf(
                        "round %d: %d images, generate %.2f s, filter %.2f s, ratio %.3f%n",
                        i, generate.rows(), generate.seconds(), filter.seconds(), ratios.get(i - 1));
            }
        }
        out.printf("median of %d: filter over generate %.3f%n", rounds, Median.of(ratios));
    }
}
