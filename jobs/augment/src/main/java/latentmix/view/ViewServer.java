package latentmix.view;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import latentmix.config.ConfigException;
import latentmix.latent.MeanAdjusted;
import latentmix.report.RunStart;
import latentmix.table.RejectedRow;
import latentmix.table.RunFolder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the pages that show a run folder, on the JDK's own HTTP server.
 *
 * <p>An address begins with a token that nobody else knows, {@code /<token>/…}; requests without it, or for another
 * host, are refused before anything else is looked at. Pages load nothing from elsewhere, and the browser is told to
 * hold them to it. What is read is found by the run folder's tables: no path comes from a request.
 */
public final class ViewServer implements AutoCloseable {
    private static final int THREADS = 16;
    private static final int MOST_AT_ONCE = 64; // requests; more are told to come again
    private static final int PICTURES_A_PAGE = 500;
    private static final int REFUSALS_A_PAGE = 100;

    /** How long a page waits for tables to be read; the browser asks again for the rest. */
    private static final long PATIENCE_NANOS = 150_000_000L;

    private static final String JSON_TYPE = "application/json; charset=utf-8";
    private static final String PNG = "image/png";
    private static final String NO_STORE = "no-store";
    private static final String FOR_EVER = "private, max-age=86400, immutable"; // an id is of the content

    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self';"
            + " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /** The files of the page by name. */
    private static final Map<String, String> FILES = Map.of(
            "", "text/html; charset=utf-8",
            "view.css", "text/css; charset=utf-8",
            "view.js", "text/javascript; charset=utf-8",
            "icon.svg", "image/svg+xml");

    private static final Logger LOG = LoggerFactory.getLogger(ViewServer.class);
    private static final ObjectMapper JSON = JsonMapper.builder()
            .addModule(new SimpleModule().addSerializer(Optional.class, new OrNull()))
            .build();

    /** What may be missing, as null. */
    @SuppressWarnings({"rawtypes", "unchecked"}) // as a class is
    private static final class OrNull extends JsonSerializer<Optional> {
        @Override
        public void serialize(Optional value, JsonGenerator out, SerializerProvider serializers) throws IOException {
            out.writePOJO(value.orElse(null));
        }
    }

    static { // read by the JDK's server when it is loaded
        limit("sun.net.httpserver.maxReqTime", "20"); // seconds
        limit("sun.net.httpserver.maxRspTime", "300");
        limit("sun.net.httpserver.maxReqHeaders", "64");
        limit("sun.net.httpserver.idleInterval", "30");
        limit(
                "sun.net.httpserver.nodelay",
                "true"); // else an answer's second packet waits 40 ms for the first one's receipt
        limit("jdk.httpserver.maxConnections", "256");
    }

    private static void limit(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    /** What a browser may do. */
    public enum Mode {
        LOOK,
        /** It may decide which images enter the dataset, too. */
        EDIT
    }

    /**
     * How a folder is served.
     *
     * @param host an address of this machine
     * @param port 0 for any that is free
     */
    public record Terms(String host, int port, Mode mode) {}

    /** What is answered. */
    private record Answer(int status, String type, byte[] bytes, String caching) {
        static Answer json(Object value) throws JsonProcessingException {
            return new Answer(200, JSON_TYPE, JSON.writeValueAsBytes(value), NO_STORE);
        }

        static Answer png(byte[] file) {
            return new Answer(200, PNG, file, FOR_EVER);
        }

        static Answer problem(int status, String message) throws JsonProcessingException {
            return new Answer(status, JSON_TYPE, JSON.writeValueAsBytes(Map.of("error", message)), NO_STORE);
        }
    }

    @FunctionalInterface
    private interface Get {
        Answer answer(Map<String, String> query) throws IOException;
    }

    @FunctionalInterface
    private interface Post {
        Answer answer(byte[] body) throws IOException;
    }

    /**
     * What is decided of images.
     *
     * @param decision {@code keep}, {@code drop}, or empty for neither
     */
    private record Decision(String classId, List<String> ids, String decision) {}

    /**
     * What is decided of all images of a class that a page shows.
     *
     * @param query what is asked of the class
     * @param count how many the person was told that there are
     */
    private record DecisionOfAll(String classId, Map<String, String> query, int count, String decision) {}

    /** An image that a request names. */
    private record Named(String classId, String id) {}

    private final RunFolder run;
    private final HttpServer server;
    private final ExecutorService threads;
    private final Semaphore atOnce = new Semaphore(MOST_AT_ONCE);
    private final String token;
    private final String host;
    private final Set<String> hosts;
    private final Mode mode;
    private final Curation curation;
    private final Map<String, Get> gets = new LinkedHashMap<>();
    private final Map<String, Post> posts = new LinkedHashMap<>();
    private volatile RunView view;

    private ViewServer(RunFolder run, RunView view, Terms terms) throws IOException {
        this.run = run;
        this.view = view;
        this.host = terms.host();
        this.mode = terms.mode();
        this.curation = new Curation(run);
        InetAddress address = InetAddress.getByName(terms.host());
        this.hosts = hosts(terms.host(), address);
        byte[] secret = new byte[16];
        new SecureRandom().nextBytes(secret);
        this.token = Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
        gets.put("api/overview", query -> Answer.json(refreshed().overview(curation.counts())));
        gets.put("api/mode", query -> Answer.json(Map.of("edit", mode == Mode.EDIT)));
        gets.put("curated.csv", query -> csv());
        if (mode == Mode.EDIT) {
            posts.put("api/decide", this::decide);
            posts.put("api/decide-all", this::decideAll);
            posts.put("api/undo", body -> Answer.json(curation.undo()));
        }
        gets.put("api/refused", this::refused);
        gets.put("api/class", this::pictures);
        gets.put("api/image", this::image);
        gets.put("api/nearest", this::nearest);
        gets.put("made", this::made);
        gets.put("real", this::real);
        gets.put("refused", this::refusedPicture);
        gets.put("api/choices", query -> Answer.json(choices()));
        posts.put("api/again", this::again);
        posts.put("api/mix", body -> Answer.json(view.playground().answer(body(body, Playground.Question.class))));
        this.threads = Executors.newFixedThreadPool(THREADS, daemons("serve"));
        this.server = HttpServer.create(new InetSocketAddress(address, terms.port()), MOST_AT_ONCE);
        server.createContext("/", this::serve);
        server.setExecutor(threads);
        server.start();
    }

    /**
     * Begins to serve a folder.
     *
     * @throws ConfigException if the folder says nothing of a run
     */
    public static ViewServer start(RunFolder run, Terms terms) throws IOException {
        return new ViewServer(run, opened(run), terms);
    }

    private static RunView opened(RunFolder run) throws IOException {
        RunStart start = RunStart.read(run)
                .orElseThrow(() -> new ConfigException(List.of("RUN: expected a run folder, but " + run.root()
                        + " has no run.json, which a run writes once its images are listed; name another folder, or"
                        + " run its command again, which makes nothing twice")));
        return new RunView(run, start);
    }

    static ThreadFactory daemons(String name) {
        AtomicInteger number = new AtomicInteger();
        return work -> {
            Thread thread = new Thread(work, name + " " + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** The names under which a browser may ask: a page of another name that leads here is refused. */
    private static Set<String> hosts(String host, InetAddress address) throws SocketException {
        Set<String> hosts = new TreeSet<>(List.of("localhost", "127.0.0.1", "[::1]", host.toLowerCase(Locale.ROOT)));
        if (address.isAnyLocalAddress()) {
            for (NetworkInterface card : Collections.list(NetworkInterface.getNetworkInterfaces())) {
                for (InetAddress one : Collections.list(card.getInetAddresses())) {
                    String text = one.getHostAddress().replaceAll("%.*", "");
                    hosts.add(text.contains(":") ? "[" + text + "]" : text);
                }
            }
        }
        return hosts;
    }

    /** Where the pages are: whoever knows it sees them. */
    public URI address() {
        String name = host.contains(":") ? "[" + host + "]" : host;
        return URI.create("http://" + name + ":" + server.getAddress().getPort() + "/" + token + "/");
    }

    /** The view of the run that was begun last. */
    private synchronized RunView refreshed() throws IOException {
        RunStart start = RunStart.read(run).orElse(view.start());
        if (!start.equals(view.start())) {
            RunView before = view;
            view = new RunView(run, start);
            before.close();
        }
        return view;
    }

    private void serve(HttpExchange exchange) {
        try (exchange) {
            if (!atOnce.tryAcquire()) {
                send(exchange, Answer.problem(503, "too many requests at once; try again"));
                return;
            }
            try {
                send(exchange, answered(exchange));
            } finally {
                atOnce.release();
            }
        } catch (IOException e) {
            LOG.debug("A browser went away: {}", e.toString());
        } catch (RuntimeException | Error e) {
            LOG.warn("A request failed", e);
            throw e;
        }
    }

    private Answer answered(HttpExchange exchange) throws IOException {
        try {
            return answer(exchange);
        } catch (Requests.RefusedException e) {
            return Answer.problem(e.status(), e.getMessage());
        } catch (Images.MissingException e) {
            return Answer.problem(404, e.getMessage());
        } catch (FileNotFoundException e) {
            return Answer.problem(404, "a run just took it away; load the page again");
        } catch (IOException | RuntimeException e) {
            LOG.warn("A request failed", e);
            return Answer.problem(500, "that went wrong; the terminal says why");
        }
    }

    private Answer answer(HttpExchange exchange) throws IOException {
        String host = exchange.getRequestHeaders().getFirst("Host");
        if (host == null || !hosts.contains(host.toLowerCase(Locale.ROOT).replaceFirst(":\\d+$", ""))) {
            throw new Requests.RefusedException(421, "expected a request for this machine");
        }
        String path = exchange.getRequestURI().getRawPath();
        String[] parts = path.split("/", 3); // "", token, rest
        if (parts.length < 2 || !isToken(parts[1])) {
            throw new Requests.RefusedException(
                    403, "expected the address that `latentmix view` printed, with its token");
        }
        if (parts.length < 3) {
            throw new Requests.RefusedException(404, "expected a / at the end of the address");
        }
        return switch (exchange.getRequestMethod()) {
            case "GET" -> get(parts[2], exchange);
            case "POST" -> post(parts[2], exchange);
            default -> throw new Requests.RefusedException(405, "expected GET or POST");
        };
    }

    private Answer get(String page, HttpExchange exchange) throws IOException {
        if (FILES.containsKey(page)) {
            return file(page);
        }
        Get get = gets.get(page);
        if (get == null) {
            throw new Requests.RefusedException(404, "there is no such page");
        }
        return get.answer(Requests.query(exchange.getRequestURI().getRawQuery()));
    }

    /** Answers what a page of this server sent: another page's form cannot send JSON, nor say that it is this one. */
    private Answer post(String page, HttpExchange exchange) throws IOException {
        Post post = posts.get(page);
        if (post == null) {
            throw new Requests.RefusedException(404, "there is no such page");
        }
        Headers headers = exchange.getRequestHeaders();
        String origin = headers.getFirst("Origin");
        if (origin != null && !origin.equals("http://" + headers.getFirst("Host"))) {
            throw new Requests.RefusedException(403, "expected a request of this server's own pages");
        }
        if (!String.valueOf(headers.getFirst("Content-Type")).startsWith("application/json")) {
            throw new Requests.RefusedException(415, "expected JSON");
        }
        return post.answer(Requests.body(exchange.getRequestBody()));
    }

    /** What a body says. */
    private static <T extends Record> T body(byte[] body, Class<T> type) throws Requests.RefusedException {
        try {
            return JSON.readValue(body, type);
        } catch (IOException e) {
            throw Requests.bad("expected JSON of " + type.getSimpleName().toLowerCase(Locale.ROOT));
        }
    }

    private boolean isToken(String given) {
        return MessageDigest.isEqual(given.getBytes(StandardCharsets.UTF_8), token.getBytes(StandardCharsets.UTF_8));
    }

    private static Answer file(String name) throws IOException {
        try (InputStream in = ViewServer.class.getResourceAsStream(name.isEmpty() ? "index.html" : name)) {
            return new Answer(200, FILES.get(name), in.readAllBytes(), "no-cache");
        }
    }

    private static void send(HttpExchange exchange, Answer answer) throws IOException {
        Headers headers = exchange.getResponseHeaders();
        headers.set("Content-Type", answer.type());
        headers.set("Cache-Control", answer.caching());
        headers.set("Content-Security-Policy", POLICY);
        headers.set("X-Content-Type-Options", "nosniff");
        headers.set("Referrer-Policy", "no-referrer");
        headers.set("Cross-Origin-Resource-Policy", "same-origin");
        headers.set("Cross-Origin-Opener-Policy", "same-origin");
        exchange.sendResponseHeaders(answer.status(), answer.bytes().length == 0 ? -1 : answer.bytes().length);
        exchange.getResponseBody().write(answer.bytes());
    }

    private Answer pictures(Map<String, String> query) throws IOException {
        String classId = Requests.text(query, "id");
        ClassPictures pictures = view.pictures(classId);
        pictures.follow(System.nanoTime() + PATIENCE_NANOS);
        ClassPictures.Page page = pictures.page(
                Requests.pictures(query),
                Requests.number(query, "from", 0, Integer.MAX_VALUE, 0),
                Requests.number(query, "count", 0, PICTURES_A_PAGE, 100),
                curation.of(classId));
        return Answer.json(page);
    }

    private Picture picture(Map<String, String> query) throws IOException {
        return picture(Requests.text(query, "class"), Requests.text(query, "id"));
    }

    /** The picture that a request names; only what the class's tables have can be named. */
    private Picture picture(String classId, String name) throws IOException {
        String id = Requests.id(name);
        ClassPictures pictures = view.pictures(classId);
        if (pictures.find(id).isEmpty()) {
            long until = System.nanoTime() + 20 * PATIENCE_NANOS;
            while (pictures.find(id).isEmpty() && System.nanoTime() < until && pictures.isGrowing()) {
                pictures.follow(System.nanoTime() + PATIENCE_NANOS);
            }
        }
        return pictures.find(id).orElseThrow(() -> new Images.MissingException("there is no such image"));
    }

    private Answer image(Map<String, String> query) throws IOException {
        Picture picture = picture(query);
        String classId = Requests.text(query, "class");
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("picture", picture);
        answer.put("byHand", curation.of(classId).getOrDefault(picture.id(), ""));
        answer.put("beside", view.pictures(classId).beside(picture.id()));
        if (!picture.isReal()) {
            answer.put("details", Details.of(view.tables(classId), view.images(), picture));
        }
        return Answer.json(answer);
    }

    /** What the playground lets a person choose. */
    private Map<String, Object> choices() throws IOException {
        return Map.of(
                "classes", view.classIds(),
                "methods",
                        MeanAdjusted.all().stream().map(MeanAdjusted::toString).toList(),
                "steps", view.networks().generation().steps(),
                "guidance", view.networks().generation().guidance());
    }

    private Answer nearest(Map<String, String> query) throws IOException {
        Picture picture = mixture(Requests.text(query, "class"), Requests.text(query, "id"));
        return Answer.json(Details.nearest(view.tables(Requests.text(query, "class")), view.images(), picture));
    }

    private Answer again(byte[] body) throws IOException {
        Named named = body(body, Named.class);
        return Answer.json(view.again().of(view.tables(named.classId()), mixture(named.classId(), named.id())));
    }

    private Answer decide(byte[] body) throws IOException {
        Decision decision = body(body, Decision.class);
        requireDecision(decision.decision());
        if (decision.ids() == null || decision.ids().size() > PICTURES_A_PAGE) {
            throw Requests.bad("expected at most " + PICTURES_A_PAGE + " images");
        }
        List<Picture> pictures = new ArrayList<>();
        for (String id : decision.ids()) {
            pictures.add(mixture(decision.classId(), id));
        }
        curation.decide(decision.classId(), pictures, decision.decision());
        return Answer.json(curation.of(decision.classId()));
    }

    /** Decides of all that a filter shows, if they are as many as the person saw. */
    private Answer decideAll(byte[] body) throws IOException {
        DecisionOfAll decision = body(body, DecisionOfAll.class);
        requireDecision(decision.decision());
        if (decision.query() == null) {
            throw Requests.bad("expected what is asked of the class");
        }
        ClassPictures pictures = view.pictures(decision.classId());
        if (pictures.isGrowing()) {
            throw new Requests.RefusedException(409, "the class is still read; try again when all of it is");
        }
        List<Picture> shown = pictures.made(Requests.pictures(decision.query()), curation.of(decision.classId()));
        if (shown.size() != decision.count()) {
            throw new Requests.RefusedException(
                    409, "it is of " + shown.size() + " images now, not of " + decision.count() + "; look again");
        }
        curation.decide(decision.classId(), shown, decision.decision());
        return Answer.json(Map.of("decided", shown.size()));
    }

    private static void requireDecision(String decision) throws Requests.RefusedException {
        if (!Set.of(Curation.KEEP, Curation.DROP, "").contains(String.valueOf(decision))) {
            throw Requests.bad("expected keep, drop or neither");
        }
    }

    private Answer csv() throws IOException {
        return new Answer(200, "text/csv; charset=utf-8", curation.csv().getBytes(StandardCharsets.UTF_8), NO_STORE);
    }

    private Picture mixture(String classId, String id) throws IOException {
        Picture picture = picture(classId, id);
        if (picture.isReal()) {
            throw Requests.bad("expected an image that was made");
        }
        return picture;
    }

    private Answer made(Map<String, String> query) throws IOException {
        ClassTables tables = view.tables(Requests.text(query, "class"));
        String chunk = Requests.id(Requests.text(query, "chunk"));
        String id = Requests.id(Requests.text(query, "id"));
        return Answer.png(
                query.containsKey("whole")
                        ? view.images().made(tables, chunk, id)
                        : view.images().small(tables, chunk, id));
    }

    private Answer real(Map<String, String> query) throws IOException {
        ClassTables tables = view.tables(Requests.text(query, "class"));
        return Answer.png(view.images().real(tables.classId(), Requests.id(Requests.text(query, "id"))));
    }

    private Answer refused(Map<String, String> query) throws IOException {
        return Answer.json(view.summaries()
                .refused(
                        Requests.text(query, "stage"),
                        Requests.text(query, "reason"),
                        Requests.number(query, "from", 0, Integer.MAX_VALUE, 0),
                        REFUSALS_A_PAGE));
    }

    private Answer refusedPicture(Map<String, String> query) throws IOException {
        RejectedRow row = view.summaries()
                .refused(Requests.number(query, "number", 0, Integer.MAX_VALUE, -1))
                .orElseThrow(() -> new Images.MissingException("there is no such row"));
        return new Answer(200, PNG, view.images().refused(row), NO_STORE); // its number may be another's later
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
        view.close();
    }
}
