package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import latentmix.table.ContentId;
import latentmix.table.RowFile;
import latentmix.table.StageName;
import org.apache.hadoop.conf.Configuration;
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

    /** Copies a folder with all that is in it. */
    static Path copy(Path from, Path to) throws IOException {
        List<Path> files;
        try (Stream<Path> found = Files.walk(from)) {
            files = found.toList();
        }
        for (Path file : files) {
            Path target = to.resolve(from.relativize(file).toString());
            if (Files.isDirectory(file)) {
                Files.createDirectories(target);
            } else {
                Files.copy(file, target);
            }
        }
        return to;
    }

    /** The configuration's file, which {@link #overrides} complete. */
    static final String YAML =
            """
            model: {checkpoint: "builtin:fashion"}
            mixing:
              - {name: dataset, methods: nin/chm, inputs: 3, weights: dirichlet(1), count: 6, export: true}
              - {name: comparison, methods: [lin/0, fix/cmm], inputs: [2, 4], weights: equal, count: 1, export: false}
            """;

    /** A list of these classes, with whose numbers the built-in classifier's outputs may be compared. */
    static Path classes(Path file) throws IOException {
        return Files.writeString(file, "index\tfolder\tname\n0\t5-sandal\tsandal\n1\t9-ankle-boot\tankle boot\n");
    }

    /**
     * Overrides by which the built-in classifier measures what is made, and more; the list of classes is written into a
     * folder.
     */
    static String[] measured(Path folder, String... more) throws IOException {
        return Stream.concat(
                        Stream.of("input.classes=" + classes(folder.resolve("classes.tsv")), "evaluation.sample=100"),
                        Stream.of(more))
                .toArray(String[]::new);
    }

    /** The configuration, with overrides such as {@code generation.steps=5}. */
    static RunConfig config(Path input, String... overrides) {
        return ConfigFile.parse(YAML, "tiny run", overrides(input, overrides));
    }

    /** What makes a run on this input tiny, and more. */
    static List<String> overrides(Path input, String... more) {
        return Stream.concat(
                        Stream.of(
                                "input.root=" + input,
                                "model.batch=4",
                                "run.chunk=4",
                                "inversion.steps=4",
                                "generation.steps=4",
                                "generation.guidance=2"),
                        Stream.of(more))
                .toList();
    }

    /** The jar that is submitted as the job: an empty one, since its classes are on the tests' class path. */
    public static Path application(Path folder) throws IOException {
        Path jar = folder.resolve("latentmix.jar");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            out.finish();
        }
        return jar;
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

    /** Runs every stage; returns the exit code. */
    static int run(int cores, RunConfig config, Path run) throws IOException {
        try (JavaSparkContext spark = spark(cores)) {
            return Pipeline.run(spark, config, run.toString(), List.of(StageName.values()));
        }
    }

    /** Runs every stage of a configuration's file. */
    public static int run(int cores, Path config, Path input, Path run) throws IOException {
        return run(cores, ConfigFile.read(config, List.of("input.root=" + input)), run);
    }

    /** Terms that keep what a run warns of. */
    static RunTerms keepingWarnings(List<String> warnings) {
        return RunTerms.saying(Console.warning(warnings::add));
    }

    /** What a run's summary says. */
    public static JsonNode summary(Path run) throws IOException {
        return new ObjectMapper().readTree(Files.readString(run.resolve("run_summary.json")));
    }

    /** How many rows the networks of a stage saw. */
    static long evaluations(Path run, String stage) throws IOException {
        return stage(run, stage).get("networkEvaluations").asLong();
    }

    /** What a run's summary says of a stage. */
    static JsonNode stage(Path run, String stage) throws IOException {
        for (JsonNode node : summary(run).get("stages")) {
            if (node.get("stage").asText().equals(stage)) {
                return node;
            }
        }
        throw new AssertionError("no stage " + stage);
    }

    /** How many images a run wrote into its dataset, which has so many formats. */
    static long exported(Path run, int formats) throws IOException {
        long rows = stage(run, "export").get("rows").asLong();
        assertThat(rows % formats).isZero();
        return rows / formats;
    }

    /** A local run's rows of a table, file by file. */
    public static <T extends Record> List<T> rows(Path run, String table, Class<T> type) throws IOException {
        List<T> rows = new ArrayList<>();
        try (Stream<Path> files = Files.walk(run.resolve(table))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".parquet"))
                    .sorted()
                    .toList()) {
                rows.addAll(
                        RowFile.read(new org.apache.hadoop.fs.Path(file.toString()), new Configuration(false), type));
            }
        }
        return rows;
    }

    /** Every table's files by name with a hash of their bytes. */
    public static Map<String, String> tables(Path run) throws IOException {
        Map<String, String> files = new TreeMap<>();
        for (String table : List.of(
                "images",
                "captions",
                "adapters",
                "adapted",
                "prompts",
                "companions",
                "inverted",
                "mixed",
                "generated",
                "looks",
                "judged",
                "leakage",
                "rejected",
                "features",
                "metrics",
                "dataset",
                "exported",
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

    /** Asserts that two runs have the same files of the same bytes. */
    static void assertSameTables(Path run, Path undisturbed) throws IOException {
        Map<String, String> expected = tables(undisturbed);
        Map<String, String> found = tables(run);
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        assertThat(found.keySet()).as("files with other bytes").noneMatch(file -> !found.get(file)
                .equals(expected.get(file)));
    }

    private static String hash(Path file) {
        try {
            return ContentId.of("", Files.readAllBytes(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
