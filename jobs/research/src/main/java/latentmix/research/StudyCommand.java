package latentmix.research;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import latentmix.cli.GpuOption;
import latentmix.cli.OutputFolder;
import latentmix.cli.SparkJob;
import latentmix.cli.Streams;
import latentmix.study.Study;
import latentmix.study.StudyConfig;
import latentmix.study.StudyFile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code latentmix study}: experiments, with their figures, tables and a report. */
@Command(
        name = "study",
        description = "Runs the experiments of a study and writes figures, tables and a report.",
        mixinStandardHelpOptions = true)
final class StudyCommand implements Callable<Integer> {
    @Option(
            names = "--config",
            required = true,
            paramLabel = "FILE",
            description = "the study's configuration, such as conf/study/fig8.yaml")
    private Path config;

    @Option(
            names = "--run",
            required = true,
            paramLabel = "FOLDER",
            description = "the study folder, local or s3a://; what is done there is not done again")
    private String folder;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description =
                    "replaces a value of the configuration, such as run.generation.steps=20 or experiments.0.count=100")
    private final List<String> overrides = new ArrayList<>();

    @Mixin
    private final GpuOption gpus = new GpuOption();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        StudyConfig study = StudyFile.read(config, overrides);
        OutputFolder.requireWritable("--run", folder, SparkJob.hadoop(gpus.settings()));
        return SparkJob.run(study.base(), gpus.settings(), spark -> Study.run(spark, study, folder, Streams.of(spec)));
    }
}
