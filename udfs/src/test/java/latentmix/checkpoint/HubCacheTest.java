package latentmix.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A server of our own speaks the interface of the hub: listings, files, a redirect of large ones to a store. */
class HubCacheTest {
    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    private static final String WEIGHTS = "unet/diffusion_pytorch_model.safetensors";
    private static final HubCache.Repository REPOSITORY = new HubCache.Repository("someone/fashion", "main");

    private static final CheckpointSpec SPEC = CheckpointSpec.of("someone/model");

    @TempDir
    Path folder;

    private final List<String> asked = Collections.synchronizedList(new ArrayList<>());
    private final List<String> withToken = Collections.synchronizedList(new ArrayList<>());
    private Path published;
    private Path dir;
    private HttpServer server;
    private String isPrivateTo = "";
    private boolean breaksOff;
    private boolean isDamaged;

    @BeforeEach
    void aHub() throws IOException {
        published = copied(BuiltIn.FASHION.folder(), folder.resolve("published"));
        Files.writeString(published.resolve("unet/diffusion_pytorch_model.bin"), "a pickle");
        Files.writeString(published.resolve("unet/diffusion_pytorch_model.fp16.safetensors"), "another variant");
        dir = folder.resolve("hub");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private HubCache hub(String... token) {
        return new HubCache(dir, endpoint(), Arrays.stream(token).findFirst(), false);
    }

    private URI endpoint() {
        return URI.create("http://localhost:" + server.getAddress().getPort() + "/");
    }

    @Test
    void theFilesInUseAreFetchedOnceIntoTheLayoutThatPythonReads() {
        Path snapshot = hub().snapshot(REPOSITORY, SPEC);
        assertThat(snapshot).isEqualTo(dir.resolve("models--someone--fashion/snapshots/" + COMMIT));
        assertThat(dir.resolve("models--someone--fashion/refs/main")).hasContent(COMMIT);
        assertThat(snapshot.resolve(WEIGHTS)).isSymbolicLink();
        assertThat(CheckpointFolder.open(snapshot).fingerprint())
                .isEqualTo(CheckpointFolder.open(published).fingerprint());
        assertThat(asked).noneMatch(path -> path.endsWith(".bin") || path.contains(".fp16."));
        asked.clear();
        assertThat(hub().snapshot(REPOSITORY, SPEC)).isEqualTo(snapshot);
        assertThat(asked).hasSize(1).allMatch(path -> path.contains("/revision/"));
    }

    @Test
    void aDownloadThatWasCutOffGoesOnWhereItEnded() throws IOException {
        breaksOff = true;
        assertThatThrownBy(() -> hub().snapshot(REPOSITORY, SPEC)).hasRootCauseInstanceOf(IOException.class);
        breaksOff = false;
        Path snapshot = hub().snapshot(REPOSITORY, SPEC);
        assertThat(snapshot.resolve(WEIGHTS)).hasSameBinaryContentAs(published.resolve(WEIGHTS));
        assertThat(asked).anyMatch(path -> path.matches("/store/.* bytes=[1-9]\\d*-"));
    }

    @Test
    void aFileOfAnotherHashIsNotKept() {
        isDamaged = true;
        assertThatThrownBy(() -> hub().snapshot(REPOSITORY, SPEC))
                .rootCause()
                .hasMessageContaining("expected a file of the hash");
        isDamaged = false;
        assertThat(CheckpointFolder.open(hub().snapshot(REPOSITORY, SPEC)).fingerprint())
                .isEqualTo(CheckpointFolder.open(published).fingerprint());
    }

    @Test
    void theTokenGoesToTheHubAndNotToItsStore() {
        isPrivateTo = "hf_secret";
        assertThatThrownBy(() -> hub().snapshot(REPOSITORY, SPEC))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("set HF_TOKEN");
        hub("hf_secret").snapshot(REPOSITORY, SPEC);
        assertThat(withToken).isNotEmpty().noneMatch(path -> path.startsWith("/store/"));
    }

    @Test
    void whatIsHereServesWithoutTheHub() {
        HubCache offline = new HubCache(dir, endpoint(), Optional.empty(), true);
        assertThatThrownBy(() -> offline.snapshot(REPOSITORY, SPEC))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("unset HF_HUB_OFFLINE");
        Path snapshot = hub().snapshot(REPOSITORY, SPEC);
        asked.clear();
        assertThat(offline.snapshot(REPOSITORY, SPEC)).isEqualTo(snapshot);
        assertThat(asked).isEmpty();
        server.stop(0);
        assertThat(hub().snapshot(REPOSITORY, SPEC))
                .as("a hub that does not answer")
                .isEqualTo(snapshot);
        assertThatThrownBy(() -> hub().snapshot(new HubCache.Repository("someone/other", "main"), SPEC))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("does not answer");
    }

    @Test
    void oneFileOfARepositoryIsFetchedAlone() throws IOException {
        Path file = Files.write(published.resolve("some model.safetensors"), new byte[] {1, 2, 3});
        var repository = new HubCache.Repository("someone/fashion", "main", "some model.safetensors");
        Path fetched = hub().snapshot(repository, SPEC);
        assertThat(fetched)
                .isEqualTo(dir.resolve("models--someone--fashion/snapshots/" + COMMIT + "/some model.safetensors"))
                .hasSameBinaryContentAs(file);
        assertThat(asked).hasSize(3).last().asString().startsWith("/store/some model.safetensors");
        HubCache offline = new HubCache(dir, endpoint(), Optional.empty(), true);
        assertThat(offline.snapshot(repository, SPEC)).isEqualTo(fetched);
        var another = new HubCache.Repository("someone/fashion", "main", "another.safetensors");
        for (HubCache hub : List.of(offline, hub())) {
            assertThatThrownBy(() -> hub.snapshot(another, SPEC))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("hf://someone/fashion/another.safetensors")
                    .hasMessageContaining("correct the name");
        }
    }

    @Test
    void aRepositoryOfSingleFilesNamesThem() throws IOException {
        Files.delete(published.resolve("model_index.json"));
        assertThatThrownBy(() -> hub().snapshot(REPOSITORY, SPEC))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(WEIGHTS)
                .hasMessageContaining("as in hf://someone/fashion/file.safetensors");
    }

    @Test
    void aRepositoryThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> hub().snapshot(new HubCache.Repository("someone/other", "v2"), SPEC))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("no hf://someone/other@v2");
    }

    @Test
    void aLocationIsOfTheHubWhereItSaysSoOrWhereNoSuchPathIs() {
        assertThat(HubCache.repository("hf://someone/fashion@v2"))
                .contains(new HubCache.Repository("someone/fashion", "v2"));
        assertThat(HubCache.repository("someone/fashion")).contains(REPOSITORY);
        assertThat(HubCache.repository("src/test")).as("a path that is there").isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "hf://a/b/c.safetensors,                  a/b, main,      c.safetensors",
        "hf://a/b@v2/c/d.safetensors,             a/b, v2,        c/d.safetensors",
        "hf://a/b@refs/pr/1/c.safetensors,        a/b, refs/pr/1, c.safetensors",
        "hf://a/b@feature/x,                      a/b, feature/x, ''",
        "a/b/c d.safetensors,                     a/b, main,      c d.safetensors",
        "a/b@v2/c.safetensors,                    a/b, v2,        c.safetensors"
    })
    void aFileOfARepositoryHasItsPathAfterIt(String location, String id, String revision, String file) {
        assertThat(HubCache.repository(location)).contains(new HubCache.Repository(id, revision, file));
        assertThat(HubCache.repository(location).orElseThrow())
                .hasToString((location.startsWith("hf://") ? "" : "hf://") + location);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/models/sd15",
                "./runs/model",
                "model",
                "s3a://bucket/model",
                "a/b/c",
                "builtin:fashion",
                "models/inception.pt",
                "conf/absent.yaml",
                "models/sd.safetensors",
                "models/sd/absent.ckpt",
                "src/absent/model.safetensors",
                "/a/b/c.safetensors",
                "src/absent",
                "../model",
                "~/model",
                "target/../x"
            })
    void otherLocationsAreNotOfTheHub(String location) {
        assertThat(HubCache.repository(location)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"hf://name", "hf://a/b/c", "hf://someone/fashion@"})
    void aMisspeltRepositoryIsRefused(String location) {
        assertThatThrownBy(() -> HubCache.repository(location))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("hf://org/name");
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String range = exchange.getRequestHeaders().getFirst("Range");
        String token = exchange.getRequestHeaders().getFirst("Authorization");
        asked.add(path + (range == null ? "" : " " + range));
        if (token != null) {
            withToken.add(path);
        }
        try (exchange) {
            if (path.startsWith("/store/")) {
                send(exchange, Files.readAllBytes(published.resolve(path.substring(7))), range);
            } else if (!isPrivateTo.isEmpty() && !("Bearer " + isPrivateTo).equals(token)) {
                exchange.sendResponseHeaders(401, -1);
            } else if (path.equals("/api/models/someone/fashion/revision/main")) {
                send(exchange, listing(), null);
            } else if (path.startsWith("/someone/fashion/resolve/" + COMMIT + "/")) {
                String name = path.substring(path.indexOf(COMMIT) + COMMIT.length() + 1);
                if (name.endsWith(".safetensors")) {
                    exchange.getResponseHeaders()
                            .set(
                                    "Location",
                                    "http://127.0.0.1:" + server.getAddress().getPort() + "/store/"
                                            + name.replace(" ", "%20"));
                    exchange.sendResponseHeaders(302, -1);
                } else {
                    send(exchange, Files.readAllBytes(published.resolve(name)), range);
                }
            } else {
                exchange.sendResponseHeaders(404, -1);
            }
        }
    }

    private void send(HttpExchange exchange, byte[] bytes, String range) throws IOException {
        int from = range == null ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
        byte[] rest = Arrays.copyOfRange(bytes, from, bytes.length);
        boolean isWeights = exchange.getRequestURI().getPath().endsWith(WEIGHTS);
        if (isDamaged && isWeights) {
            rest[0] ^= 1;
        }
        exchange.sendResponseHeaders(range == null ? 200 : 206, rest.length);
        exchange.getResponseBody().write(rest, 0, breaksOff && isWeights ? rest.length / 2 : rest.length);
        exchange.getResponseBody().flush();
    }

    private byte[] listing() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode json = mapper.createObjectNode().put("sha", COMMIT);
        ArrayNode siblings = json.putArray("siblings");
        try (Stream<Path> files = Files.walk(published)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                byte[] bytes = Files.readAllBytes(file);
                ObjectNode sibling = siblings.addObject()
                        .put("rfilename", published.relativize(file).toString())
                        .put("size", bytes.length)
                        .put(
                                "blobId",
                                hash("SHA-1", ("blob " + bytes.length + "\0").getBytes(StandardCharsets.UTF_8), bytes));
                if (file.toString().endsWith(".safetensors")) {
                    sibling.putObject("lfs")
                            .put("sha256", hash("SHA-256", bytes))
                            .put("size", bytes.length);
                }
            }
        }
        return mapper.writeValueAsBytes(json);
    }

    private static String hash(String algorithm, byte[]... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            for (byte[] part : parts) {
                digest.update(part);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static Path copied(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path copy = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(file, copy);
                }
            }
        }
        return to;
    }
}
