package latentmix.stage;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A proxy before an S3 server that answers some requests as a store does on a bad day, and passes on the others. */
public final class FaultyStore implements AutoCloseable {
    /** What becomes of a request. */
    public enum Answer {
        PASS,
        /** 503: ask less often. */
        SLOW_DOWN,
        /** 403. */
        FORBIDDEN,
        /** The connection ends when half of the request's body has reached the server. */
        CUT_UPLOAD,
        /** The connection ends when half of the answer's body has reached the client. */
        CUT_DOWNLOAD,
        /** The connection ends when the server has done what was asked, before the client hears of it. */
        NO_ANSWER
    }

    /** A request, such as {@code PUT /bucket/run/mixed/class_id=a/1.parquet}. */
    public record Request(String method, String path, Map<String, String> headers) {
        long length() {
            return Long.parseLong(headers.getOrDefault("content-length", "0"));
        }
    }

    private final int server;
    private final ServerSocket socket = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
    private final List<Socket> connections = new CopyOnWriteArrayList<>();
    private volatile Function<Request, Answer> rule = request -> Answer.PASS;

    /** Passes requests on to this port. */
    public FaultyStore(int server) throws IOException {
        this.server = server;
        start("accept", () -> {
            while (!socket.isClosed()) {
                Socket client = socket.accept();
                start("serve", () -> serve(client));
            }
        });
    }

    public int port() {
        return socket.getLocalPort();
    }

    /** What decides from now on what becomes of requests; it is asked by several threads. */
    public void rule(Function<Request, Answer> other) {
        rule = other;
    }

    private interface Connection {
        void run() throws IOException;
    }

    private static void start(String name, Connection connection) {
        Thread thread = new Thread(
                () -> {
                    try {
                        connection.run();
                    } catch (IOException ended) {
                        // either side ends a connection when it likes
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
    }

    private void serve(Socket client) throws IOException {
        connections.add(client);
        try (client;
                Socket upstream = new Socket(InetAddress.getLoopbackAddress(), server)) {
            connections.add(upstream);
            InputStream in = new BufferedInputStream(client.getInputStream());
            InputStream answers = new BufferedInputStream(upstream.getInputStream());
            for (byte[] head = head(in); head.length > 0; head = head(in)) {
                Request request = request(head);
                Answer answer = rule.apply(request);
                if (answer == Answer.SLOW_DOWN || answer == Answer.FORBIDDEN) {
                    refuse(request, answer, in, client.getOutputStream());
                    return;
                }
                if (!pass(request, answer, head, in, answers, client.getOutputStream(), upstream.getOutputStream())) {
                    return;
                }
            }
        } finally {
            connections.remove(client);
        }
    }

    /** Passes a request on and its answer back; false where that was the connection's end. */
    private static boolean pass(
            Request request,
            Answer answer,
            byte[] head,
            InputStream in,
            InputStream answers,
            OutputStream client,
            OutputStream upstream)
            throws IOException {
        upstream.write(head);
        upstream.flush();
        if (request.headers().containsKey("expect")) {
            byte[] proceed = head(answers);
            client.write(proceed);
            client.flush();
            if (!text(proceed).startsWith("HTTP/1.1 100")) { // the server's last word: it wants no body
                copy(answers, client, request(proceed).length());
                return false;
            }
        }
        long sent = answer == Answer.CUT_UPLOAD ? request.length() / 2 : request.length();
        copy(in, upstream, sent);
        if (answer == Answer.CUT_UPLOAD) {
            return false;
        }
        byte[] answered = head(answers);
        if (answer == Answer.NO_ANSWER) {
            return false;
        }
        client.write(answered);
        Request headers = request(answered);
        long length = request.method().equals("HEAD") ? 0 : headers.length();
        copy(answers, client, answer == Answer.CUT_DOWNLOAD ? length / 2 : length);
        if (headers.headers().containsKey("transfer-encoding")) {
            copyChunks(answers, client);
        }
        client.flush();
        return answer != Answer.CUT_DOWNLOAD;
    }

    private static void refuse(Request request, Answer answer, InputStream in, OutputStream client) throws IOException {
        if (!request.headers().containsKey("expect")) {
            copy(in, OutputStream.nullOutputStream(), request.length());
        }
        String code = answer == Answer.SLOW_DOWN ? "SlowDown" : "AccessDenied";
        String body = request.method().equals("HEAD")
                ? ""
                : "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>" + code + "</Message></Error>";
        client.write(("HTTP/1.1 " + (answer == Answer.SLOW_DOWN ? "503 Slow Down" : "403 Forbidden")
                        + "\r\nContent-Type: application/xml\r\nConnection: close\r\nContent-Length: " + body.length()
                        + "\r\n\r\n" + body)
                .getBytes(StandardCharsets.US_ASCII));
        client.flush();
    }

    /** The bytes up to the empty line; none where the connection ended. */
    private static byte[] head(InputStream in) throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        int matched = 0;
        for (int b = in.read(); b >= 0; b = in.read()) {
            head.write(b);
            matched = b == "\r\n\r\n".charAt(matched) ? matched + 1 : b == '\r' ? 1 : 0;
            if (matched == 4) {
                return head.toByteArray();
            }
        }
        return new byte[0];
    }

    private static Request request(byte[] head) {
        List<String> lines = text(head).lines().toList();
        String[] words = (lines.isEmpty() ? "- -" : lines.get(0)).split(" ", 3);
        Map<String, String> headers = lines.stream()
                .skip(1)
                .filter(line -> line.contains(":"))
                .collect(Collectors.toMap(
                        line -> line.substring(0, line.indexOf(':')).toLowerCase(Locale.ROOT),
                        line -> line.substring(line.indexOf(':') + 1).strip(),
                        (one, other) -> one));
        String path = URLDecoder.decode(words[1].replace("+", "%2B"), StandardCharsets.UTF_8);
        return new Request(words[0], path, headers);
    }

    private static String text(byte[] head) {
        return new String(head, StandardCharsets.ISO_8859_1);
    }

    private static void copy(InputStream in, OutputStream out, long bytes) throws IOException {
        byte[] buffer = new byte[1 << 14];
        for (long left = bytes; left > 0; ) {
            int n = in.read(buffer, 0, (int) Math.min(left, buffer.length));
            if (n < 0) {
                throw new EOFException();
            }
            out.write(buffer, 0, n);
            left -= n;
        }
        out.flush();
    }

    /** Copies chunks, each after a line with its size in hexadecimal, up to the empty one. */
    private static void copyChunks(InputStream in, OutputStream out) throws IOException {
        long size;
        do {
            StringBuilder line = new StringBuilder();
            for (int b = in.read(); b != '\n'; b = in.read()) {
                if (b < 0) {
                    throw new EOFException();
                }
                line.append((char) b);
            }
            out.write((line + "\n").getBytes(StandardCharsets.ISO_8859_1));
            size = Long.parseLong(line.toString().strip(), 16);
            copy(in, out, size + 2); // and the line's end behind it
        } while (size > 0);
    }

    @Override
    public void close() throws IOException {
        socket.close();
        for (Socket connection : connections) {
            connection.close();
        }
    }
}
