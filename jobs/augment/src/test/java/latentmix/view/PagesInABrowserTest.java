package latentmix.view;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import latentmix.stage.TinyRun;
import latentmix.table.CuratedTable;
import latentmix.table.RunFolder;
import latentmix.view.ViewServer.Mode;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The pages in Chromium, which {@code browser/browse.py} drives by Playwright. {@code -Dlatentmix.python} names a
 * Python with what {@code browser/requirements.txt} says, {@code -Dlatentmix.demo} the run folder of a demo; without it
 * a tiny run is looked at.
 */
@Tag("browser")
@Timeout(value = 30, unit = TimeUnit.MINUTES)
class PagesInABrowserTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    static Path folder;

    private static Path config;
    private static Path input;
    private static Path tiny;

    @BeforeAll
    static void aTinyRun() throws IOException {
        config = Files.writeString(folder.resolve("tiny.yaml"), ViewedRunTest.YAML);
        input = TinyRun.input(folder.resolve("in"), 8);
        tiny = folder.resolve("tiny");
        assertThat(TinyRun.run(2, config, input, tiny)).isZero();
    }

    private static RunFolder folder(Path run) {
        return new RunFolder(run.toString(), new Configuration(false));
    }

    private static ViewServer served(RunFolder run, Mode mode) throws IOException {
        return ViewServer.start(run, new ViewServer.Terms("127.0.0.1", 0, mode));
    }

    private static Process browse(ViewServer server, String... scenario) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                System.getProperty("latentmix.python", "python3"),
                "src/test/resources/browser/browse.py",
                server.address().toString()));
        command.addAll(List.of(scenario));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /** What a scenario printed, which must have ended well. */
    private static String browsed(ViewServer server, String... scenario) throws IOException, InterruptedException {
        Process process = browse(server, scenario);
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as("%s: %s", scenario[0], printed).isZero();
        return printed;
    }

    @ParameterizedTest
    @ValueSource(strings = {"pages", "playground"})
    void thePagesOfTheDemoWorkWideAndNarrowLightAndDark(String scenario) throws Exception {
        Path demo = Path.of(System.getProperty("latentmix.demo", tiny.toString()));
        try (ViewServer server = served(folder(demo), Mode.LOOK)) {
            browsed(server, scenario);
        }
    }

    @Test
    void everythingIsReachedByTheKeyboardAlone() throws Exception {
        try (ViewServer server = served(folder(tiny), Mode.EDIT)) {
            browsed(server, "keyboard");
        }
        assertThat(new CuratedTable(folder(tiny), "5-sandal").rows()).isEmpty();
    }

    @Test
    void whatIsDecidedInABrowserIsExported() throws Exception {
        JsonNode decided;
        try (ViewServer server = served(folder(tiny), Mode.EDIT)) {
            decided = JSON.readTree(browsed(server, "decide"));
        }
        Set<String> kept = new TreeSet<>();
        new CuratedTable(folder(tiny), "5-sandal").rows().forEach((id, row) -> {
            if (row.kept()) {
                kept.add(id);
            }
        });
        assertThat(kept).containsExactly(decided.get(1).asText());
        assertThat(TinyRun.run(2, config, input, tiny)).isZero();
        assertThat(ViewedRunTest.dataset(tiny))
                .contains(decided.get(1).asText())
                .doesNotContain(decided.get(0).asText());
    }

    @Test
    void whatIsShownIsDroppedAtOnceAndTakenBackAtOnce() throws Exception {
        try (ViewServer server = served(folder(tiny), Mode.EDIT)) {
            assertThat(browsed(server, "bulk").strip()).isEqualTo("8");
        }
        assertThat(new CuratedTable(folder(tiny), "5-sandal").rows()).isEmpty();
    }

    @Test
    void namesOfTheDataNeverBecomeMarkup() throws Exception {
        try (ViewServer server = served(ViewServerTest.hostile(folder.resolve("hostile")), Mode.LOOK)) {
            browsed(server, "hostile", JSON.writeValueAsString(ViewServerTest.HOSTILE));
        }
    }

    @Test
    void aPageFollowsARunThatIsGoingOn() throws Exception {
        Path growing = folder.resolve("growing");
        List<Path> later = new ArrayList<>();
        try (Stream<Path> files = Files.walk(tiny)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path relative = tiny.relativize(file);
                if (relative.startsWith("generated") && !relative.toString().contains("5-sandal")) {
                    later.add(relative);
                } else {
                    copy(relative, growing);
                }
            }
        }
        try (ViewServer server = served(folder(growing), Mode.LOOK)) {
            Process process = browse(server, "growing", "16");
            try (BufferedReader printed = process.inputReader(StandardCharsets.UTF_8)) {
                assertThat(printed.readLine()).isEqualTo("8");
                for (Path file : later) {
                    copy(file, growing);
                }
                assertThat(process.waitFor()).isZero();
            }
        }
    }

    private static void copy(Path relative, Path to) throws IOException {
        Path target = to.resolve(relative.toString());
        Files.createDirectories(target.getParent());
        Files.copy(tiny.resolve(relative.toString()), target);
    }
}
