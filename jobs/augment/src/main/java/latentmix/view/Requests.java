package latentmix.view;

import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoublePredicate;

/** What a browser asked for: texts and numbers of bounded size, each checked before it is used. */
final class Requests {
    private static final int MOST_CHARS = 8192; // of a query
    private static final int MOST_BYTES = 1 << 18; // of a body
    private static final long MOST_DRAINED = 8L << 20;

    private Requests() {}

    /** A request that is answered with a status and a line. */
    static final class RefusedException extends IOException {
        private final int status;

        RefusedException(int status, String message) {
            super(message);
            this.status = status;
        }

        int status() {
            return status;
        }
    }

    static RefusedException bad(String message) {
        return new RefusedException(400, message);
    }

    /** The parameters of a query, each at most once. */
    static Map<String, String> query(String raw) throws RefusedException {
        Map<String, String> values = new LinkedHashMap<>();
        if (raw == null || raw.isEmpty()) {
            return values;
        }
        if (raw.length() > MOST_CHARS) {
            throw new RefusedException(414, "a query must be at most " + MOST_CHARS + " characters");
        }
        for (String pair : raw.split("&", -1)) {
            int equals = pair.indexOf('=');
            if (equals < 0) {
                throw bad("a query must be of name=value");
            }
            try {
                String name = URLDecoder.decode(pair.substring(0, equals), StandardCharsets.UTF_8);
                String value = URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8);
                if (values.put(name, value) != null) {
                    throw bad("a query must have each name once");
                }
            } catch (IllegalArgumentException e) {
                throw bad("a query must be well encoded");
            }
        }
        return values;
    }

    /** A body's bytes. */
    static byte[] body(InputStream in) throws IOException {
        byte[] bytes = in.readNBytes(MOST_BYTES + 1);
        if (bytes.length > MOST_BYTES) {
            drain(in);
            throw new RefusedException(413, "a body must be at most " + MOST_BYTES + " bytes");
        }
        return bytes;
    }

    /** Reads on for a while: who still sends hears no answer. */
    private static void drain(InputStream in) throws IOException {
        byte[] some = new byte[1 << 16];
        for (long left = MOST_DRAINED; left > 0 && in.read(some) > 0; left -= some.length) {
            // what was read is of no use
        }
    }

    static String text(Map<String, String> query, String name) throws RefusedException {
        String value = query.get(name);
        if (value == null) {
            throw bad("expected " + name + "=…");
        }
        return value;
    }

    /** A whole number of this range; a value by default where it is left out. */
    static int number(Map<String, String> query, String name, int least, int most, int byDefault)
            throws RefusedException {
        String value = query.get(name);
        if (value == null) {
            return byDefault;
        }
        try {
            int number = Integer.parseInt(value);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // as of one out of range
        }
        throw bad("expected " + name + " from " + least + " to " + most);
    }

    /** A finite number that a range takes. */
    static double number(double value, DoublePredicate range, String expected) throws RefusedException {
        if (!Double.isFinite(value) || !range.test(value)) {
            throw bad(expected);
        }
        return value;
    }

    /** An id of content: hex digits. */
    static String id(String value) throws RefusedException {
        if (!value.matches("[0-9a-f]{8,128}")) {
            throw bad("expected an id of hex digits");
        }
        return value;
    }

    /** A score by its name. */
    static Score score(String text) {
        return Arrays.stream(Score.values())
                .filter(score -> score.text().equals(text))
                .findFirst()
                .orElse(Score.ESS);
    }

    /** What is asked of a class: {@code least.<score>} and {@code most.<score>} beside the rest. */
    static ClassPictures.Query pictures(Map<String, String> query) throws RefusedException {
        Map<Score, ClassPictures.Limit> limits = new EnumMap<>(Score.class);
        for (Score score : Score.values()) {
            String least = query.get("least." + score.text());
            String most = query.get("most." + score.text());
            if (least != null || most != null) {
                limits.put(
                        score,
                        new ClassPictures.Limit(
                                least == null ? Float.NEGATIVE_INFINITY : real(least),
                                most == null ? Float.POSITIVE_INFINITY : real(most)));
            }
        }
        return new ClassPictures.Query(
                query.getOrDefault("sort", "k"),
                query.getOrDefault("order", "up").equals("down"),
                query.getOrDefault("kind", "all"),
                query.getOrDefault("method", ""),
                number(query, "inputs", 0, Integer.MAX_VALUE, 0),
                query.getOrDefault("verdict", "all"),
                limits);
    }

    private static float real(String value) throws RefusedException {
        try {
            return (float) number(Float.parseFloat(value), any -> true, "expected a number");
        } catch (NumberFormatException e) {
            throw bad("expected a number");
        }
    }
}
