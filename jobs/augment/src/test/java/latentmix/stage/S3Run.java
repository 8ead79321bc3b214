package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import latentmix.config.RunConfig;
import latentmix.table.StageName;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** A run whose folder is on s3a, and how it is compared with a local one. */
final class S3Run {
    private S3Run() {}

    /** Runs every stage in this process; returns the exit code. */
    static int run(RunConfig config, String run, Map<String, String> s3a) throws IOException {
        SparkConf conf = new SparkConf()
                .setAppName("test")
                .setMaster("local[2]")
                .set("spark.ui.enabled", "false")
                .set("spark.latentmix.lease", JobProcess.LEASE)
                .set("spark.driver.host", "127.0.0.1");
        s3a.forEach((key, value) -> conf.set("spark.hadoop." + key, value));
        try (JavaSparkContext spark = new JavaSparkContext(conf)) {
            return Pipeline.run(spark, config, run, List.of(StageName.values()));
        } finally {
            FileSystem.closeAll();
        }
    }

    /** A row of the images table without its file's time of change. */
    private record Listed(
            String imageId,
            String classId,
            int label,
            String className,
            String path,
            long length,
            String chunk,
            int position) {}

    /** Asserts that the files are the same, but for the times of change that the images table has. */
    static void assertSameTables(Path run, Path undisturbed) throws IOException {
        Map<String, String> expected = TinyRun.tables(undisturbed);
        Map<String, String> found = TinyRun.tables(run);
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        assertThat(found.keySet())
                .as("files with other bytes")
                .noneMatch(
                        file -> !file.startsWith("images/") && !found.get(file).equals(expected.get(file)));
        assertThat(TinyRun.rows(run, "images", Listed.class))
                .isEqualTo(TinyRun.rows(undisturbed, "images", Listed.class));
    }
}
