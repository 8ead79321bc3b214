package latentmix.study;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import latentmix.config.ConfigException;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;

class StudyCostTest {
    @Test
    void imagesInOtherFilesThanTheirOwnAreRefusedBeforeAnythingRuns() {
        Path parquet =
                Path.of("../augment/src/test/resources/shapes/datasets.parquet").toAbsolutePath();
        StudyConfig config = StudyFile.parse(
                """
                title: a study
                run: {model: {checkpoint: "builtin:fashion"}, evaluation: {}}
                experiments: [{name: a, inputs: [2], methods: [lin/0], count: 1}]
                """,
                "a test",
                List.of("run.input.root=" + parquet));
        assertThatThrownBy(() -> StudyCost.of(config, new Configuration()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("input.root: expected folders, <root>/<class>/<image>, which alone are read here,"
                        + " got parquet")
                .hasMessageContaining("write its images as files in folders");
    }
}
