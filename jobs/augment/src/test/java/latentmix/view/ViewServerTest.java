package latentmix.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import latentmix.config.ConfigException;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.plan.ExitCode;
import latentmix.plan.GenerationSettings;
import latentmix.plan.InversionSettings;
import latentmix.report.RunStart;
import latentmix.report.RunSummary;
import latentmix.stage.S3Server;
import latentmix.table.ContentId;
import latentmix.table.ImageRow;
import latentmix.table.ImagesTable;
import latentmix.table.RejectedRow;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The server on a folder of images that nothing was made of. */
class ViewServerTest {
    /** What a class may be called: markup, script, SQL, templates, bidirectional and invisible characters, and more. */
    static final List<String> HOSTILE = List.of(
            "<b>bold",
            "<script>alert(1)<script>",
            "<img src=x onerror=alert(1)>",
            "<svg onload=alert(1)>",
            "\"><img src=x onerror=alert(1)>",
            "' onmouseover='alert(1)",
            "\" autofocus onfocus=\"alert(1)",
            "onerror=alert(1)",
            "&lt;script&gt;",
            "&#60;b&#62;",
            "<!-- comment",
            "]]><b>",
            "${7*7}",
            "{{7*7}}",
            "#{7*7}",
            "`alert(1)`",
            "\\u003cb\\u003e",
            "%3Cb%3E",
            "%2e%2e%2f",
            "a?b=c&d=e#f",
            "a=b;c,d",
            "'; DROP TABLE images; --",
            "=cmd|' calc'!A0",
            "\u202Egnp.exe",
            "\u200Bempty",
            "a\tb",
            "__proto__",
            "constructor",
            "ünïcödé 日本 🙂",
            "  spaces  ");

    @TempDir
    static Path folder;

    private static RunFolder run;
    private static ViewServer server;
    private static Browser browser;

    @BeforeAll
    static void serve() throws IOException {
        run = hostile(folder);
        server = ViewServer.start(run, new ViewServer.Terms("127.0.0.1", 0, ViewServer.Mode.LOOK));
        browser = new Browser(server.address());
    }

    /** A run folder with a class of each hostile name, with an image and a refused one each. */
    static RunFolder hostile(Path folder) throws IOException {
        return filled(new RunFolder(folder.resolve("run").toString(), new Configuration(false)), folder, HOSTILE);
    }

    private static RunFolder filled(RunFolder run, Path folder, List<String> classes) throws IOException {
        RunConfig config = ConfigFile.parse(
                "input: {root: \"" + folder.resolve("in") + "\"}\nmodel: {checkpoint: \"builtin:fashion\"}",
                "test",
                List.of());
        String inversion =
                run.settings(new InversionSettings("f", "cpu", "float32", 1, 1, "{class}", "", 8, "ddim", 4, 1, 0));
        String generation = run.settings(new GenerationSettings(
                "f", "cpu", "float32", 1, 1, "", "ddim", 999, 4, 1, 0, 1000, "png", inversion, "ddim", ""));
        int label = 0;
        for (String classId : classes) {
            Path file = folder.resolve("in").resolve(classId).resolve(classId + ".png");
            Files.createDirectories(file.getParent());
            byte[] png = PngEncoder.encode(new Pixels(8, 8, new byte[3 * 8 * 8]));
            Files.write(file, png);
            String path = classId + "/" + classId + ".png";
            new ImagesTable(run, classId)
                    .commit(
                            List.of(new ImageRow(
                                    ContentId.of(classId, png),
                                    classId,
                                    label++,
                                    classId,
                                    path,
                                    png.length,
                                    0,
                                    "c",
                                    0)),
                            List.of(new RejectedRow(
                                    StageName.IMAGES, classId, "", path, "<b>reason", "<b>detail of " + classId, "")));
        }
        new RunStart(config.input(), config.model(), inversion, generation, "", List.of(), classes.size(), 0)
                .publish(run);
        RunSummary.publishFailure(run, ExitCode.TRY_AGAIN, "", "<b>the disk is full</b>");
        return run;
    }

    @AfterAll
    static void close() {
        server.close();
    }

    private JsonNode counted() throws Exception {
        JsonNode overview = browser.json("api/overview", Map.of());
        for (int i = 0; i < 600 && refused(overview) < HOSTILE.size(); i++) {
            Thread.sleep(100);
            overview = browser.json("api/overview", Map.of());
        }
        return overview;
    }

    private static int refused(JsonNode overview) {
        return overview.path("refused").path("images").path("<b>reason").asInt();
    }

    @Test
    void classesOfAnyNameAreListedWithTheirImages() throws Exception {
        JsonNode overview = counted();
        List<String> listed = new ArrayList<>();
        overview.get("classes").forEach(of -> listed.add(of.get("id").asText()));
        assertThat(listed).containsAll(HOSTILE);
        for (String classId : HOSTILE) {
            JsonNode page = browser.json("api/class", Map.of("id", classId));
            assertThat(page.get("all").asInt()).as(classId).isEqualTo(1);
            JsonNode picture = page.get("shown").get(0).get("picture");
            assertThat(picture.get("real").asBoolean()).isTrue();
            HttpResponse<byte[]> image = browser.get("real?"
                    + Browser.encoded(
                            Map.of("class", classId, "id", picture.get("id").asText())));
            assertThat(image.statusCode()).as(classId).isEqualTo(200);
            assertThat(image.headers().firstValue("Content-Type")).contains("image/png");
        }
    }

    @Test
    void whatTheLastRunFailedOfIsTold() throws IOException {
        JsonNode overview = browser.json("api/overview", Map.of());
        assertThat(overview.get("ended").asText()).isEqualTo("try again");
        assertThat(overview.get("failure").asText()).isEqualTo("<b>the disk is full</b>");
        assertThat(overview.get("stopped").asText()).isEmpty();
    }

    @Test
    void whatWasRefusedIsListedWithItsPicture() throws Exception {
        assertThat(refused(counted())).isEqualTo(HOSTILE.size());
        JsonNode rows = browser.json("api/refused", Map.of("stage", "images", "reason", "<b>reason"));
        assertThat(rows).hasSize(HOSTILE.size());
        for (JsonNode row : rows) {
            HttpResponse<byte[]> picture =
                    browser.get("refused?number=" + row.get("number").asInt());
            assertThat(picture.statusCode()).isEqualTo(200);
        }
    }

    static Stream<String> pages() {
        return Stream.of("", "view.js", "view.css", "icon.svg", "api/overview", "api/class?id=x", "real", "nothing");
    }

    @ParameterizedTest
    @MethodSource("pages")
    void everyAnswerForbidsWhatAPageDoesNotNeed(String page) {
        HttpResponse<byte[]> answer = browser.get(page);
        assertThat(answer.headers().firstValue("Content-Security-Policy").orElseThrow())
                .contains("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'")
                .doesNotContain("unsafe");
        assertThat(answer.headers().firstValue("X-Content-Type-Options")).contains("nosniff");
        assertThat(answer.headers().firstValue("Referrer-Policy")).contains("no-referrer");
        assertThat(answer.headers().firstValue("Content-Type").orElseThrow())
                .matches("text/(html|css|javascript); charset=utf-8|image/svg\\+xml|application/json; charset=utf-8");
    }

    @Test
    void withoutTheTokenNothingIsAnswered() {
        String address = server.address().toString();
        String token = server.address().getPath().replace("/", "");
        for (String wrong : List.of("", "api/overview", "x" + token + "/", token.substring(1) + "/api/overview")) {
            URI uri = URI.create(address.replace(token + "/", "") + wrong);
            assertThat(browser.send(HttpRequest.newBuilder(uri)).statusCode())
                    .as(wrong)
                    .isEqualTo(403);
        }
    }

    @Test
    void aPageOfAnotherNameThatLeadsHereIsRefused() throws IOException {
        String path = server.address().getPath();
        assertThat(browser.raw("GET " + path + " HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"))
                .startsWith("421");
        assertThat(browser.raw("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n"))
                .startsWith("421");
        assertThat(browser.raw("GET " + path + " HTTP/1.0\r\n\r\n")).startsWith("421");
        assertThat(browser.raw("GET " + path + " HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n"))
                .startsWith("200");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "real?class=..&id=00000000",
                "real?class=..%2F..%2Fetc&id=00000000",
                "real?class=__proto__&id=..%2F..%2Fetc%2Fpasswd",
                "made?class=__proto__&chunk=..%2F..%2Fsettings&id=00000000",
                "made?class=__proto__&chunk=00000000&id=00000000",
                "api/class?id=%00",
                "api/image?class=__proto__&id=%2e%2e%2f",
                "refused?number=-1",
                "refused?number=99999",
                "..%2f..%2fetc/passwd",
                "../../../../etc/passwd",
                "view.css/../../run.json",
                "api/class?id=a&id=b",
                "api/class?id=__proto__&count=100000",
                "api/class?id=__proto__&least.entropy=NaN",
                "api/class?%ZZ=1"
            })
    void noRequestLeadsToAnotherFileOrBeyondItsBounds(String page) throws IOException {
        String status = browser.raw("GET " + server.address().getPath() + page
                + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assertThat(status).matches("40[034].*");
    }

    @Test
    void aTableThatNamesAFileBesideTheInputLeadsToNone() throws Exception {
        byte[] secret = PngEncoder.encode(new Pixels(8, 8, new byte[3 * 8 * 8]));
        Files.write(folder.resolve("secret.png"), secret);
        String id = ContentId.of("crafted", secret);
        new ImagesTable(run, "crafted")
                .commit(
                        List.of(new ImageRow(id, "crafted", 0, "crafted", "../secret.png", secret.length, 0, "c", 0)),
                        List.of());
        HttpResponse<byte[]> answer = browser.get("real?class=crafted&id=" + id);
        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(new String(answer.body(), StandardCharsets.UTF_8)).contains("out of the input");
    }

    @Test
    void postsAreOfTheServersOwnPagesAndSmall() throws IOException {
        String body = "{\"classId\": \"__proto__\", \"id\": \"00000000\"}";
        assertThat(browser.send(browser.posting("api/again", body)).statusCode())
                .isEqualTo(404);
        assertThat(browser.send(browser.posting("api/again", body).header("Origin", "http://evil.example"))
                        .statusCode())
                .isEqualTo(403);
        assertThat(browser.send(HttpRequest.newBuilder(URI.create(server.address() + "api/again"))
                                .POST(HttpRequest.BodyPublishers.ofString(body)))
                        .statusCode())
                .isEqualTo(415);
        assertThat(browser.send(browser.posting("api/again", "x".repeat(1 << 20)))
                        .statusCode())
                .isEqualTo(413);
        assertThat(browser.send(browser.posting("api/again", "[[[")).statusCode())
                .isEqualTo(400);
        assertThat(browser.send(HttpRequest.newBuilder(URI.create(server.address() + "api/overview"))
                                .method("DELETE", HttpRequest.BodyPublishers.noBody()))
                        .statusCode())
                .isEqualTo(405);
    }

    @Test
    void aFolderInAStoreIsServedAlike() throws Exception {
        List<String> names = HOSTILE.subList(0, 3);
        try (S3Server store = new S3Server(folder)) {
            RunFolder there = filled(
                    new RunFolder(S3Server.location("viewed"), S3Server.hadoop(store.settings())),
                    folder.resolve("store"),
                    names);
            try (ViewServer other =
                    ViewServer.start(there, new ViewServer.Terms("127.0.0.1", 0, ViewServer.Mode.LOOK))) {
                Browser looking = new Browser(other.address());
                for (String classId : names) {
                    JsonNode picture = looking.json("api/class", Map.of("id", classId))
                            .get("shown")
                            .get(0)
                            .get("picture");
                    assertThat(looking.get("real?"
                                            + Browser.encoded(Map.of(
                                                    "class",
                                                    classId,
                                                    "id",
                                                    picture.get("id").asText())))
                                    .statusCode())
                            .isEqualTo(200);
                }
            }
        } finally {
            FileSystem.closeAll(); // they know that store alone
        }
    }

    @Test
    void aLongQueryIsRefused() {
        assertThat(browser.get("api/class?id=" + "x".repeat(10_000)).statusCode())
                .isEqualTo(414);
    }

    @Test
    void aFolderThatSaysNothingOfARunIsRefusedInALine() {
        RunFolder other = new RunFolder(folder.resolve("other").toString(), new Configuration(false));
        assertThatThrownBy(() -> ViewServer.start(other, new ViewServer.Terms("127.0.0.1", 0, ViewServer.Mode.LOOK)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("expected a run folder")
                .hasMessageContaining("no run.json");
    }
}
