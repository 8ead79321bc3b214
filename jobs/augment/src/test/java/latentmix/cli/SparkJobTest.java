package latentmix.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class SparkJobTest {
    /** What a configuration says of file systems, without the keys that Spark takes from the environment. */
    private static Map<String, String> said(Configuration of) {
        Map<String, String> said = new TreeMap<>();
        of.forEach(entry -> said.put(entry.getKey(), entry.getValue()));
        said.keySet()
                .removeIf(name -> !name.matches("(fs|file|io|hadoop)\\..*")
                        || name.matches("fs\\.s3[an]?\\..*(key|Key|KeyId|token)"));
        return said;
    }

    @Test
    void withoutSparkTheSettingsOfFileSystemsAreSparks() {
        String property = "spark.hadoop.fs.s3a.endpoint";
        System.setProperty(property, "http://store.example:9000");
        try {
            Configuration ours = SparkJob.hadoop();
            assertThat(ours.get("fs.s3a.endpoint")).isEqualTo("http://store.example:9000");
            assertThat(said(ours)).containsExactlyEntriesOf(said(SparkJob.hadoop(new SparkConf())));
        } finally {
            System.clearProperty(property);
        }
    }
}
