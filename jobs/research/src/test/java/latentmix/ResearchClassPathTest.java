package latentmix;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The names that the job's own test looks for in vain are names that exist. */
class ResearchClassPathTest {
    static Stream<String> research() {
        return ResearchParts.CLASSES.stream();
    }

    @ParameterizedTest
    @MethodSource("research")
    void whatTheJobLacksIsOnResearchsClassPath(String file) {
        assertThat(getClass().getClassLoader().getResource(file)).isNotNull();
    }
}
