package latentmix.research;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VerbsTest {
    @ParameterizedTest
    @ValueSource(strings = {"study", "morph", "train", "dataset", "bench", "run"})
    void theVerbsOfResearchStandBesideTheJobs(String verb) {
        StringWriter out = new StringWriter();
        int code = latentmix.cli.Main.execute(
                Main.verbs(), new PrintWriter(out, true), new PrintWriter(out, true), verb, "--help");
        assertThat(code).isZero();
        assertThat(out.toString()).contains("Usage: latentmix " + verb);
    }
}
