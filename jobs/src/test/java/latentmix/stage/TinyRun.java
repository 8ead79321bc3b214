package latentmix.stage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import latentmix.table.ContentId;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** The built-in model on 2 classes × 8 images × 4 steps: small enough to run many times over. */
public final class TinyRun {
    static final List<String> CLASSES = List.of("5-sandal", "9-ankle-boot");

    private TinyRun() {}

    /** An input folder with the first images of the built-in sample. */
    public static Path input(Path root, int imagesPerClass) throws IOException {
        for (String folder : CLASSES) {
            copy(root, folder, 0, imagesPerClass);
        }
        return root;
    }

    /** Adds the sample's images from..to of a class to an input folder. */
    static void copy(Path root, String folder, int from, int to) throws IOException {
        Path sample = Path.of(BuiltIn.located("builtin:fashion-mnist-sample")).resolve(folder);
        Files.createDirectories(root.resolve(folder));
        try (Stream<Path> files = Files.list(sample)) {
            for (Path file : files.sorted().skip(from).limit(to - from).toList()) {
                Files.copy(file, root.resolve(folder).resolve(file.getFileName()));
            }
        }
    }

    /** The configuration, with overrides such as {@code generation.steps=5}. */
    static RunConfig config(Path input, String... overrides) {
        List<String> all = new ArrayList<>(List.of(
                "input.root=" + input,
                "model.batch=4",
                "run.chunk=4",
                "inversion.steps=4",
                "generation.steps=4",
                "generation.guidance=2"));
        all.addAll(List.of(overrides));
        return ConfigFile.parse(
                """
                model: {checkpoint: "builtin:fashion"}
                mixing:
                  - {name: dataset, methods: nin/chm, inputs: 3, weights: dirichlet(1), count: 6, export: true}
                  - {name: comparison, methods: [lin/0, fix/cmm], inputs: [2, 4], weights: equal, count: 1, export: false}
                """,
                "tiny run",
                all);
    }

    /** A local Spark; the caller closes it. */
    public static JavaSparkContext spark(int cores) {
        return new JavaSparkContext(new SparkConf()
                .setAppName("test")
                .setMaster("local[" + cores + "]")
                .set("spark.ui.enabled", "false")
                .set("spark.latentmix.lease", "2s") // a run that was killed is not waited for long
                .set("spark.driver.host", "127.0.0.1"));
    }

    static int run(int cores, RunConfig config, Path run) throws IOException {
        try (JavaSparkContext spark = spark(cores)) {
            return Pipeline.run(spark, config, run.toString(), List.of(StageName.values()));
        }
    }

    /** The same of a configuration's file. */
    public static int run(int cores, Path config, Path input, Path run) throws IOException {
        return run(cores, ConfigFile.read(config, List.of("input.root=" + input)), run);
    }

    /** Every table's files by name with a hash of their bytes. */
    public static Map<String, String> tables(Path run) throws IOException {
        Map<String, String> files = new TreeMap<>();
        for (String table : List.of(
                "images",
                "prompts",
                "companions",
                "inverted",
                "mixed",
                "generated",
                "rejected",
                "features",
                "metrics",
                "dataset",
                "settings")) {
            if (Files.exists(run.resolve(table))) {
                try (Stream<Path> found = Files.walk(run.resolve(table))) {
                    found.filter(Files::isRegularFile)
                            .forEach(file -> files.put(run.relativize(file).toString(), hash(file)));
                }
            }
        }
        return files;
    }

    private static String hash(Path file) {
        try {
            return ContentId.of("", Files.readAllBytes(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
