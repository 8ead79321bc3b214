package latentmix.research;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import latentmix.bench.FeatureBench;
import latentmix.bench.FilterBench;
import latentmix.bench.FullSize;
import latentmix.bench.FullSizeModel;
import latentmix.bench.InversionBench;
import latentmix.bench.MixingBench;
import latentmix.bench.PipelineBench;
import latentmix.bench.ScaleBench;
import latentmix.bench.SoakBench;
import latentmix.bench.SolversBench;
import latentmix.bench.TurnsBench;
import latentmix.bench.ViewBench;
import latentmix.cli.ModelCompileCommand.DtypeName;
import latentmix.cli.SparkJob;
import latentmix.config.ConfigFile;
import latentmix.config.Demo;
import latentmix.config.RunConfig;
import latentmix.model.Dtype;
import latentmix.plan.ExitCode;
import org.apache.spark.SparkConf;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code latentmix bench}: how near the job comes to its bounds. */
@Command(
        name = "bench",
        description = {
            "Measures, in one run each:",
            "  mixing     mixing against the bare matrix product",
            "  job        invert and generate in Spark against the bare model calls of the same work",
            "  filter     what a filter costs beside generating, in runs of demo --model fashion",
            "  features   the built-in classifier on images, and a Fréchet distance of 2,048 features",
            "  inversions methods by how near they come back, on the built-in model",
            "  full-size  networks of published size: compiling them, and their forward on this machine's CPU",
            "  scale      what the job costs beside the network, on 1,000 classes of 1,300 tiny images (10 GB of disk)",
            "  solvers    solvers, steps and a guidance interval on the built-in model: evaluations, time, error",
            "  view       how long the pages of a run folder take, of 1,000 classes of 100 images",
            "  soak       resident memory over thousands of micro-batches of whole runs in one JVM",
            "  turns      work for each line of standard input, beside other programs: jobs/research/src/peers"
        },
        mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
    /** The things that can be measured, as the command line spells them. */
    enum Case {
        MIXING("mixing"),
        JOB("job"),
        FILTER("filter"),
        FEATURES("features"),
        INVERSIONS("inversions"),
        FULL_SIZE("full-size"),
        SCALE("scale"),
        SOLVERS("solvers"),
        VIEW("view"),
        SOAK("soak"),
        TURNS("turns");

        private final String text;

        Case(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    private static final int SCALED = 1300; // images of a class of scale, unless others are asked for
    private static final int VIEWED = 100; // of view

    @Parameters(paramLabel = "CASE", arity = "0..*", description = "default: mixing and job")
    private final List<Case> cases = new ArrayList<>();

    @Option(
            names = "--rounds",
            defaultValue = "3",
            paramLabel = "N",
            description = "measured rounds, after one that is not (default: ${DEFAULT-VALUE})")
    private int rounds;

    @Option(
            names = "--model",
            split = ",",
            defaultValue = "sd15-unet,sdxl-unet,sd35-medium,dit-xl-2,t5-xxl",
            paramLabel = "NAME",
            description = {
                "networks of full-size: sd15-unet (8 GB of disk), sdxl-unet (11 GB), sd35-medium (10 GB), dit-xl-2 (8 GB),"
                        + " t5-xxl (20 GB)",
                "default: all"
            })
    private List<FullSizeModel> models;

    @Option(
            names = "--images",
            defaultValue = "320",
            paramLabel = "N",
            description = "sample images that inversions are measured on, 10 to 640 (default: ${DEFAULT-VALUE})")
    private int images;

    @Option(
            names = "--classes",
            defaultValue = "1000",
            paramLabel = "N",
            description = "classes of scale and view (default: ${DEFAULT-VALUE})")
    private int classes;

    @Option(
            names = "--images-a-class",
            paramLabel = "N",
            description =
                    "images of each class of scale and view, and mixtures (default: " + SCALED + " and " + VIEWED + ")")
    private Integer imagesOfClass;

    @Option(
            names = "--micro-batches",
            defaultValue = "4000",
            paramLabel = "N",
            description =
                    "how many soak takes; small ones, by --set inversion.steps=4 and the like, take minutes (default:"
                            + " ${DEFAULT-VALUE})")
    private long microBatches;

    @Option(
            names = "--work",
            paramLabel = "WORK",
            description =
                    "of turns: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}); forward takes the first --model",
            defaultValue = "forward")
    private TurnsBench.Work work;

    @Option(
            names = "--folder",
            paramLabel = "DIR",
            description = "of turns: where what both programs read lies, or is to be written")
    private Path folder;

    @Option(
            names = "--dtype",
            converter = DtypeName.class,
            defaultValue = "float32",
            paramLabel = "TYPE",
            description = "of turns: float32 or bfloat16 (default: ${DEFAULT-VALUE})")
    private Dtype dtype;

    @Option(
            names = "--threads",
            defaultValue = "1",
            paramLabel = "N",
            description = "of a forward pass of turns (default: ${DEFAULT-VALUE})")
    private int threads;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "replaces a value of the configuration, which is that of demo --model fashion")
    private final List<String> overrides = new ArrayList<>();

    @Override
    public Integer call() throws IOException {
        Set<Case> asked = cases.isEmpty() ? EnumSet.of(Case.MIXING, Case.JOB) : EnumSet.copyOf(cases);
        if (asked.contains(Case.MIXING)) {
            MixingBench.run(rounds, System.out);
        }
        if (asked.contains(Case.FEATURES)) {
            FeatureBench.run(rounds, System.out);
        }
        if (asked.contains(Case.INVERSIONS)) {
            new InversionBench(images).run(System.out);
        }
        if (asked.contains(Case.FULL_SIZE)) {
            for (FullSizeModel model : models) {
                FullSize.run(model, Files.createTempDirectory("latentmix-full-size"), rounds, System.out);
            }
        }
        if (asked.contains(Case.TURNS)) {
            turns();
        }
        if (asked.contains(Case.SOLVERS)) {
            SolversBench.run(ConfigFile.demo(Demo.FASHION, overrides), System.out);
        }
        if (asked.contains(Case.VIEW)) {
            new ViewBench(
                            classes,
                            imagesOfClass == null ? VIEWED : imagesOfClass,
                            Files.createTempDirectory("latentmix-view"),
                            System.out)
                    .run();
        }
        if (asked.contains(Case.SCALE)) {
            SparkJob.run(ConfigFile.demo(Demo.FASHION, overrides), new SparkConf(), spark -> {
                new ScaleBench(
                                spark,
                                classes,
                                imagesOfClass == null ? SCALED : imagesOfClass,
                                Files.createTempDirectory("latentmix-scale"))
                        .run(System.out);
                return ExitCode.DONE.code();
            });
        }
        if (asked.contains(Case.FILTER)) {
            SparkJob.run(ConfigFile.demo(Demo.FASHION, overrides), new SparkConf(), spark -> {
                FilterBench.run(spark, overrides, rounds, System.out);
                return ExitCode.DONE.code();
            });
        }
        if (asked.contains(Case.JOB) || asked.contains(Case.SOAK)) {
            RunConfig config = ConfigFile.demo(Demo.FASHION, overrides);
            return SparkJob.run(config, new SparkConf(), spark -> {
                if (asked.contains(Case.JOB)) {
                    new PipelineBench(spark, config).run(rounds, System.out);
                }
                if (asked.contains(Case.SOAK)) {
                    new SoakBench(spark, config).run(microBatches, System.out);
                }
                return ExitCode.DONE.code();
            });
        }
        return ExitCode.DONE.code();
    }

    private void turns() throws IOException {
        TurnsBench turns = new TurnsBench(
                folder == null ? Files.createTempDirectory("latentmix-turns") : folder, System.in, System.out);
        switch (work) {
            case FORWARD -> turns.forward(models.get(0), dtype, threads);
            case MIXING -> turns.mixing();
            case TABLES -> turns.tables();
        }
    }
}
