package latentmix.config;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How many inputs a mixture has: a count, {@code 8}, or a range with both ends, {@code 2..8}.
 *
 * @param least at least 1
 * @param most at least {@code least}
 */
record InputCounts(int least, int most) {
    private static final Pattern SPELLING = Pattern.compile("(\\d{1,9})(?:\\.\\.(\\d{1,9}))?");

    InputCounts {
        if (least < 1 || most < least) {
            throw refused(least + ".." + most);
        }
    }

    /** @throws IllegalArgumentException for another spelling */
    static InputCounts parse(String spec) {
        Matcher matcher = SPELLING.matcher(spec);
        if (!matcher.matches()) {
            throw refused(spec);
        }
        int least = Integer.parseInt(matcher.group(1));
        return new InputCounts(least, matcher.group(2) == null ? least : Integer.parseInt(matcher.group(2)));
    }

    private static IllegalArgumentException refused(String spec) {
        return new IllegalArgumentException(
                "expected a count such as 8 or a range such as 2..8, got " + spec + "; write one of the two");
    }
}
