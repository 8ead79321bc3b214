package latentmix;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The job's jar is shaded from this module's class path, so what is not on the one is not in the other. */
class JobClassPathTest {
    static Stream<String> research() {
        return ResearchParts.CLASSES.stream();
    }

    @ParameterizedTest
    @MethodSource("research")
    void nothingOfResearchIsOnTheJobsClassPath(String file) {
        assertThat(getClass().getClassLoader().getResource(file)).isNull();
    }

    @Test
    void theJobItselfIsOnIt() {
        assertThat(getClass().getClassLoader().getResource("latentmix/cli/Main.class"))
                .isNotNull();
    }
}
