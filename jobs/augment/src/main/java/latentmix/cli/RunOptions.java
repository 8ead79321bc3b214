package latentmix.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import org.apache.spark.SparkConf;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A configuration and the folder that it is run in. */
final class RunOptions {
    @Option(
            names = "--config",
            required = true,
            paramLabel = "FILE",
            description = "the run's configuration, such as conf/sd15.yaml")
    private Path config;

    @Option(
            names = "--run",
            required = true,
            paramLabel = "FOLDER",
            description = "the run folder, local or s3a://; what is done there is not done again")
    private String run;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "replaces a value of the configuration, such as generation.steps=20 or mixing.method=nin/chm")
    private final List<String> overrides = new ArrayList<>();

    @Mixin
    private final GpuOption gpus = new GpuOption();

    RunConfig config() throws IOException {
        return ConfigFile.read(config, overrides);
    }

    /** Spark's, as given to the driver and by these options. */
    SparkConf settings() {
        return gpus.settings();
    }

    String run() {
        return run;
    }
}
