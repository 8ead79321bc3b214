package latentmix.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;

class LatentmixExtensionsTest {
    @Test
    void aSettingAddsTheFunctionsToEverySession() throws Exception {
        try (var spark = SparkSession.builder()
                .master("local[1]")
                .config("spark.ui.enabled", "false")
                .config("spark.sql.warehouse.dir", "target/warehouse")
                .config("spark.sql.extensions", "latentmix.sql.LatentmixExtensions")
                .getOrCreate()) {
            var one = "(SELECT named_struct('channels', 1, 'height', 1, 'width', 1, 'data',"
                    + " X'0000803F') AS latent)"; // 1.0
            for (var session : List.of(spark, spark.newSession())) {
                var row = session.sql("SELECT latent_norm(latent_centroid(latent, 2, 'fix/0')) FROM " + one)
                        .head();
                assertThat(row.getDouble(0)).isEqualTo(1);
                assertThat(session.sql("DESCRIBE FUNCTION latent_centroid")
                                .collectAsList()
                                .toString())
                        .contains("class_mean");
            }
        }
    }
}
