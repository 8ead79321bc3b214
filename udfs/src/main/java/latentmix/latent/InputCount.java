package latentmix.latent;

import java.util.regex.Pattern;
import org.apache.commons.rng.UniformRandomProvider;

/**
 * The number of inputs of a mixture: always the same, or one from a range, each equally likely.
 *
 * @param least at least 0
 * @param most at least as many
 */
public record InputCount(int least, int most) {
    private static final Pattern SPELLING = Pattern.compile("(\\d{1,9})(?:\\.\\.(\\d{1,9}))?");

    public InputCount {
        if (least < 0 || most < least) {
            throw new IllegalArgumentException(
                    "Inputs must be a count of at least 0 or a rising range, cannot be: " + least + ".." + most);
        }
    }

    /** Reads {@code 8} or {@code 2..8}. */
    public static InputCount parse(String spelling) {
        var parts = SPELLING.matcher(spelling.strip());
        if (!parts.matches()) {
            throw new IllegalArgumentException(
                    "Inputs must be a count such as 8 or a range such as 2..8, cannot be: '" + spelling + "'");
        }
        int least = Integer.parseInt(parts.group(1));
        return new InputCount(least, parts.group(2) == null ? least : Integer.parseInt(parts.group(2)));
    }

    /** Whether every count of the other is one of this. */
    public boolean holds(InputCount other) {
        return other.least >= least && other.most <= most;
    }

    public int draw(UniformRandomProvider rng) {
        return least == most ? least : rng.nextInt(least, most + 1);
    }

    @Override
    public String toString() {
        return least == most ? Integer.toString(least) : least + ".." + most;
    }
}
