package latentmix.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checkpoints of the Hugging Face hub, in the hub's own cache on this machine, where Python finds them too.
 *
 * <pre>
 * models--org--name/refs/main                the commit that a revision's name stands for
 * models--org--name/snapshots/&lt;commit&gt;/…     links to blobs, in the repository's layout
 * models--org--name/blobs/&lt;hash&gt;             the files
 * </pre>
 *
 * <p>A revision is asked for at the hub unless {@code HF_HUB_OFFLINE} is set. Where the hub does not answer, the commit
 * that was fetched last counts. Only the files in use are fetched: configurations, tokenizers and the safetensors of
 * one variant; or a checkpoint in one file alone. A download that was cut off goes on where it ended. Every file is
 * compared with the hash that the hub states for it.
 *
 * @see <a href="https://huggingface.co/docs/huggingface_hub/guides/manage-cache">The cache's layout</a>
 */
public final class HubCache {
    private static final Logger LOG = LoggerFactory.getLogger(HubCache.class);
    private static final String SCHEME = "hf://";
    private static final String MAIN = "main";
    private static final String WEIGHTS = "safetensors|bin|ckpt|gguf|pt|pth";
    private static final Pattern LOCATION = Pattern.compile("(?<scheme>hf://)?"
            + "(?<id>[A-Za-z0-9][\\w.-]*/[A-Za-z0-9][\\w.-]*)"
            + "(?:@(?<revision>(?:refs/(?:pr|convert)/)?[\\w.-]+(?:/[\\w.-]+)*?))?"
            + "(?:/(?<file>[^@]+\\.(?:" + WEIGHTS + ")))?");
    private static final Pattern FILE =
            Pattern.compile(".*\\.(csv|json|onnx|parquet|tar|tsv|txt|ya?ml|zip|" + WEIGHTS + ")");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long SAID_EVERY = 256L << 20; // bytes between two lines of progress
    private static final int MOST_REDIRECTS = 5;
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * A repository and a revision of it, or one file there.
     *
     * @param id such as {@code org/name}
     * @param revision a branch, a tag or a commit
     * @param file the path below it of a checkpoint in one file; empty for the whole repository
     */
    record Repository(String id, String revision, String file) {
        Repository(String id, String revision) {
            this(id, revision, "");
        }

        String folder() {
            return "models--" + id.replace("/", "--");
        }

        @Override
        public String toString() {
            return SCHEME + id + (revision.equals(MAIN) ? "" : "@" + revision) + (file.isEmpty() ? "" : "/" + file);
        }
    }

    /**
     * A file as the hub lists it.
     *
     * @param hash SHA-256 of a large file, else git's SHA-1 of it
     */
    private record Listed(String hash, long size) {}

    /** A revision's commit and its files by path. */
    private record Listing(String commit, Map<String, Listed> files) {}

    private final Path dir;
    private final URI endpoint;
    private final Optional<String> token;
    private final boolean isOffline;
    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(PATIENCE).build();

    /**
     * A cache in a folder.
     *
     * @param endpoint where the hub answers
     * @param token what private and gated repositories ask for
     * @param isOffline whether the cache alone is looked into
     */
    HubCache(Path dir, URI endpoint, Optional<String> token, boolean isOffline) {
        this.dir = dir;
        this.endpoint = endpoint;
        this.token = token;
        this.isOffline = isOffline;
    }

    /**
     * The cache that these variables of the environment describe, which are those of Hugging Face's own libraries:
     * {@code HF_HUB_CACHE}, {@code HF_HOME}, {@code HF_ENDPOINT}, {@code HF_TOKEN}, {@code HF_HUB_OFFLINE}.
     */
    static HubCache of(Map<String, String> environment) {
        Path home =
                Path.of(environment.getOrDefault("HF_HOME", System.getProperty("user.home") + "/.cache/huggingface"));
        Path dir = environment.containsKey("HF_HUB_CACHE")
                ? Path.of(environment.get("HF_HUB_CACHE"))
                : home.resolve("hub");
        String endpoint = environment.getOrDefault("HF_ENDPOINT", "https://huggingface.co");
        String offline = environment.getOrDefault("HF_HUB_OFFLINE", "");
        return new HubCache(
                dir,
                URI.create(endpoint.replaceAll("/+$", "") + "/"),
                token(environment.get("HF_TOKEN"), home.resolve("token")),
                Set.of("1", "on", "yes", "true").contains(offline.toLowerCase(java.util.Locale.ROOT)));
    }

    private static Optional<String> token(String given, Path file) {
        try {
            return Optional.ofNullable(given)
                    .or(() -> Files.isRegularFile(file) ? Optional.of(read(file)) : Optional.empty())
                    .map(String::strip)
                    .filter(text -> !text.isEmpty());
        } catch (UncheckedIOException e) {
            throw new CheckpointException(
                    "expected the hub's token in " + file + ", but it cannot be read; set HF_TOKEN");
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The repository that a location names: {@code hf://org/name@revision}, or {@code org/name} where there is no such
     * local path; and the file where it goes on with {@code /file.safetensors}.
     */
    static Optional<Repository> repository(String location) {
        Matcher parts = LOCATION.matcher(location);
        boolean isOfHub = location.startsWith(SCHEME);
        if (!parts.matches()) {
            if (isOfHub) {
                throw new CheckpointException("expected " + SCHEME + "org/name, " + SCHEME + "org/name@revision or "
                        + SCHEME + "org/name@revision/file.safetensors, got " + location + "; correct it");
            }
            return Optional.empty();
        }
        String file = parts.group("file") == null ? "" : parts.group("file");
        if (!isOfHub && isLocal(location, file)) {
            return Optional.empty();
        }
        if (!file.isEmpty() && !file.endsWith(SingleFile.ENDING)) {
            throw CheckpointFile.refusal(location).orElseThrow();
        }
        String revision = parts.group("revision");
        return Optional.of(new Repository(parts.group("id"), revision == null ? MAIN : revision, file));
    }

    /** Whether a location that looks like the hub's is rather a path, that of a file that is missing too. */
    private static boolean isLocal(String location, String file) {
        Path path = Path.of(location);
        return Files.exists(path, LinkOption.NOFOLLOW_LINKS)
                || Files.isDirectory(path.getName(0))
                || (!file.endsWith(SingleFile.ENDING) && FILE.matcher(location).matches());
    }

    /**
     * The local folder with the files in use of a checkpoint or a component, fetched where they are missing; or the one
     * file that is named.
     *
     * @param spec what is left out of it, and the variant
     * @throws CheckpointException if they are neither here nor to be had
     */
    Path snapshot(Repository repository, CheckpointSpec spec) {
        try {
            Path home = dir.resolve(repository.folder());
            return isOffline ? kept(home, repository) : fetched(home, repository, spec);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot fetch " + repository, e);
        }
    }

    /** What was fetched before. */
    private Path kept(Path home, Repository repository) throws IOException {
        Path ref = home.resolve("refs").resolve(repository.revision());
        String commit = COMMIT.matcher(repository.revision()).matches()
                ? repository.revision()
                : Files.isRegularFile(ref) ? Files.readString(ref).strip() : "";
        Path snapshot = home.resolve("snapshots").resolve(commit).resolve(repository.file());
        if (commit.isEmpty() || !Files.exists(snapshot)) {
            throw new CheckpointException("expected " + repository + " in the hub's cache " + dir
                    + ", found nothing of it; unset HF_HUB_OFFLINE to download it, or correct the name");
        }
        return snapshot;
    }

    private Path fetched(Path home, Repository repository, CheckpointSpec spec) throws IOException {
        Listing listing;
        try {
            listing = list(repository);
        } catch (ConnectException | HttpTimeoutException e) {
            try {
                Path kept = kept(home, repository);
                LOG.warn("{} does not answer: {} is taken as it was fetched before", endpoint, repository);
                return kept;
            } catch (CheckpointException nothing) {
                throw new CheckpointException("expected " + repository + " in the hub's cache " + dir + " or at "
                        + endpoint + ", which does not answer; try again, or correct the name if it is a local path");
            }
        }
        Path snapshot = home.resolve("snapshots").resolve(listing.commit());
        if (repository.file().isEmpty()) {
            fetch(home, repository, listing, texts(repository, listing.files().keySet()));
            fetch(
                    home,
                    repository,
                    listing,
                    CheckpointFolder.weights(snapshot, listing.files().keySet(), spec));
        } else if (listing.files().containsKey(repository.file())) {
            fetch(home, repository, listing, List.of(repository.file()));
        } else {
            throw new CheckpointException("expected the file " + repository + ", but the repository has no such one"
                    + singleFiles(listing.files().keySet())
                            .map(files -> " among " + files)
                            .orElse(", nor any other " + SingleFile.ENDING)
                    + "; correct the name");
        }
        if (!COMMIT.matcher(repository.revision()).matches()) {
            Caches.publish(
                    home.resolve("refs").resolve(repository.revision()),
                    part -> Files.writeString(part, listing.commit()));
        }
        return snapshot.resolve(repository.file());
    }

    /** The files of a checkpoint's or a component's folder that are no weights. */
    private static List<String> texts(Repository repository, Set<String> names) {
        if (!names.contains(CheckpointFolder.INDEX) && !names.contains("config.json")) {
            throw new CheckpointException("expected a checkpoint in diffusers layout at " + repository + ", found "
                    + singleFiles(names)
                            .map(files -> files + "; name one of them, as in " + repository + "/file.safetensors")
                            .orElseGet(() -> StateDict.abbreviate(List.copyOf(names))
                                    + "; name a repository that has a " + CheckpointFolder.INDEX));
        }
        return names.stream()
                .filter(name -> name.matches(CheckpointFolder.TEXT))
                .toList();
    }

    /** The files that may be checkpoints in one file, if there are any. */
    private static Optional<String> singleFiles(Set<String> names) {
        List<String> files =
                names.stream().filter(name -> name.endsWith(SingleFile.ENDING)).toList();
        return files.isEmpty() ? Optional.empty() : Optional.of(StateDict.abbreviate(files));
    }

    private Listing list(Repository repository) throws IOException {
        String path = "api/models/" + repository.id() + "/revision/"
                + URLEncoder.encode(repository.revision(), StandardCharsets.UTF_8) + "?blobs=true";
        HttpResponse<InputStream> answer = get(endpoint.resolve(path), 0);
        try (InputStream body = answer.body()) {
            check(repository, answer.statusCode());
            JsonNode json = JSON.readTree(body);
            Map<String, Listed> files = new TreeMap<>();
            for (JsonNode file : json.path("siblings")) {
                JsonNode large = file.path("lfs");
                files.put(
                        file.path("rfilename").asText(),
                        new Listed(
                                large.path("sha256").asText(file.path("blobId").asText()),
                                large.path("size").asLong(file.path("size").asLong())));
            }
            return new Listing(json.path("sha").asText(), files);
        }
    }

    private void check(Repository repository, int status) throws IOException {
        switch (status) {
            case 200, 206 -> {}
            case 401, 403 ->
                throw new CheckpointException("expected to be let read " + repository + ", got " + status + " from "
                        + endpoint + "; correct the name, accept the repository's terms there, or set HF_TOKEN");
            case 404 ->
                throw new CheckpointException("expected a repository with this revision, but " + endpoint + " has no "
                        + repository + "; correct the name, or set HF_TOKEN if it is private");
            default -> throw new IOException("expected " + repository + " of " + endpoint + ", got status " + status);
        }
    }

    private void fetch(Path home, Repository repository, Listing listing, List<String> names) throws IOException {
        for (String name : names) {
            Path link = home.resolve("snapshots").resolve(listing.commit()).resolve(name);
            if (Files.isRegularFile(link)) {
                continue;
            }
            Listed file = listing.files().get(name);
            if (file == null) {
                throw new CheckpointException(repository + " names the file " + name + ", which it does not have");
            }
            Path blob = home.resolve("blobs").resolve(file.hash());
            if (!Files.isRegularFile(blob)) {
                download(home, repository, listing.commit(), name, file, blob);
            }
            Files.createDirectories(link.getParent());
            try {
                Files.deleteIfExists(link); // one that leads nowhere
                Files.createSymbolicLink(link, link.getParent().relativize(blob));
            } catch (FileAlreadyExistsException anotherProcessWasFaster) {
                LOG.debug("{} is there already", link);
            }
        }
    }

    /** Downloads a file beside its place, from where an earlier download ended, and puts it there when it is whole. */
    @SuppressWarnings("try") // the lock is held, not used
    private void download(Path home, Repository repository, String commit, String name, Listed file, Path blob)
            throws IOException {
        Files.createDirectories(blob.getParent());
        Path part = blob.resolveSibling(blob.getFileName() + ".incomplete");
        synchronized (HubCache.class) { // a file lock holds between processes alone
            try (FileChannel channel = FileChannel.open(
                            home.resolve("blobs.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = channel.lock()) {
                if (Files.isRegularFile(blob)) {
                    return; // another process fetched it
                }
                URI uri = endpoint.resolve(repository.id() + "/resolve/" + commit + "/" + escaped(name));
                long from = Files.exists(part) ? Files.size(part) : 0;
                if (from < file.size()) {
                    LOG.info(
                            "Downloading {} of {}: {} bytes, {} of them are here", name, repository, file.size(), from);
                    append(repository, uri, from, part, file.size());
                }
                String hash = file.hash().length() == 40 ? gitHash(part) : Fingerprint.ofFile(part);
                if (!hash.equals(file.hash())) {
                    Files.delete(part);
                    throw new IOException("expected a file of the hash " + file.hash() + " from " + uri
                            + ", got one of " + hash + "; try again");
                }
                Files.move(part, blob, StandardCopyOption.ATOMIC_MOVE);
            }
        }
    }

    /** A path as a URI has it. */
    private static String escaped(String path) {
        return Stream.of(path.split("/", -1))
                .map(part -> URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20"))
                .collect(Collectors.joining("/"));
    }

    private void append(Repository repository, URI uri, long from, Path part, long size) throws IOException {
        HttpResponse<InputStream> answer = get(uri, from);
        check(repository, answer.statusCode());
        boolean goesOn = answer.statusCode() == 206;
        try (InputStream body = answer.body();
                var out = Files.newOutputStream(
                        part,
                        StandardOpenOption.CREATE,
                        goesOn ? StandardOpenOption.APPEND : StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE)) {
            byte[] buffer = new byte[1 << 20];
            long done = goesOn ? from : 0;
            long said = done;
            for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
                out.write(buffer, 0, n);
                done += n;
                if (done - said >= SAID_EVERY) {
                    said = done;
                    LOG.info("{}: {} of {} bytes", uri.getPath(), done, size);
                }
            }
        }
    }

    /** Follows redirects by hand: the token is for the hub alone, and stores refuse requests that carry one. */
    private HttpResponse<InputStream> get(URI uri, long from) throws IOException {
        URI next = uri;
        for (int i = 0; i <= MOST_REDIRECTS; i++) {
            HttpRequest.Builder request =
                    HttpRequest.newBuilder(next).timeout(PATIENCE).header("User-Agent", "latentmix");
            if (from > 0) {
                request.header("Range", "bytes=" + from + "-");
            }
            if (endpoint.getAuthority().equals(next.getAuthority())) {
                token.ifPresent(text -> request.header("Authorization", "Bearer " + text));
            }
            HttpResponse<InputStream> answer = send(request.build());
            Optional<String> location = answer.headers().firstValue("Location");
            if (answer.statusCode() / 100 != 3 || location.isEmpty()) {
                return answer;
            }
            answer.body().close();
            next = next.resolve(location.get());
        }
        throw new IOException("expected a file, got more than " + MOST_REDIRECTS + " redirects from " + uri);
    }

    private HttpResponse<InputStream> send(HttpRequest request) throws IOException {
        try {
            return client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("stopped while waiting for " + request.uri(), e);
        }
    }

    /** SHA-1 of {@code blob <size>\0} and the bytes, as git names files. */
    private static String gitHash(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
            sha1.update(("blob " + Files.size(file) + "\0").getBytes(StandardCharsets.UTF_8));
            byte[] buffer = new byte[1 << 16];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                sha1.update(buffer, 0, n);
            }
            return HexFormat.of().formatHex(sha1.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("Every Java platform has SHA-1", e);
        }
    }
}
