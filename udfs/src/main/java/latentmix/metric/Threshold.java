package latentmix.metric;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a line is drawn through scores: at a number, at a quantile of a sample of them, or nowhere.
 *
 * <pre>quantile(q): x₍ᵢ₎ + (h - i) (x₍ᵢ₊₁₎ - x₍ᵢ₎), h = (n - 1) q, i = ⌊h⌋, of x₍₀₎ ≤ … ≤ x₍ₙ₋₁₎</pre>
 *
 * (Hyndman and Fan's type 7, numpy's default.)
 */
public sealed interface Threshold extends Serializable {
    /** Spellings that are known beforehand. */
    List<String> SPELLINGS = List.of("off", "0.5", "quantile(0.01)");

    /** A regular expression for editors. */
    String PATTERN = "^\\s*(off|[0-9.eE+-]+|quantile\\(\\s*[0-9.eE+-]+\\s*\\))\\s*$";

    /** The line; NaN, which no number is above or below, where there is none. */
    double of(double[] sample);

    /** No line. */
    record Off() implements Threshold {
        @Override
        public double of(double[] sample) {
            return Double.NaN;
        }

        @Override
        public String toString() {
            return "off";
        }
    }

    /** A number, whatever the sample. */
    record Fixed(double value) implements Threshold {
        @Override
        public double of(double[] sample) {
            return value;
        }

        @Override
        public String toString() {
            return plain(value);
        }
    }

    /** The number below which this share of the sample is. */
    record Quantile(double share) implements Threshold {
        public Quantile {
            if (!(share >= 0 && share <= 1)) {
                throw new IllegalArgumentException(
                        "expected a quantile from 0 to 1, got " + plain(share) + "; 0.01 is one of a hundred");
            }
        }

        @Override
        public double of(double[] sample) {
            return quantile(sample, share);
        }

        /** The same share from the other end. */
        public Quantile upper() {
            return new Quantile(1 - share);
        }

        @Override
        public String toString() {
            return "quantile(" + plain(share) + ")";
        }
    }

    /** Whether the line depends on a sample. */
    default boolean needsSample() {
        return this instanceof Quantile;
    }

    /** A quantile of numbers, none of which is NaN; NaN where there are none. */
    static double quantile(double[] sample, double share) {
        if (sample.length == 0) {
            return Double.NaN;
        }
        double[] sorted = sample.clone();
        Arrays.sort(sorted);
        double h = (sorted.length - 1) * share;
        int i = (int) h;
        return i + 1 < sorted.length ? sorted[i] + (h - i) * (sorted[i + 1] - sorted[i]) : sorted[i];
    }

    /**
     * Reads {@code 0.5}, {@code quantile(0.01)} or {@code off}.
     *
     * @throws IllegalArgumentException saying what was expected, what came and what to do
     */
    static Threshold parse(String text) {
        String word = text.strip();
        if (word.equals("off")) {
            return new Off();
        }
        Matcher quantile = Pattern.compile("quantile\\((.*)\\)").matcher(word);
        try {
            if (quantile.matches()) {
                return new Quantile(finite(quantile.group(1)));
            }
            return new Fixed(finite(word));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "expected a number, quantile(q) or off, got " + text + "; write for example quantile(0.01)", e);
        }
    }

    private static double finite(String text) {
        double value = Double.parseDouble(text.strip());
        if (!Double.isFinite(value)) {
            throw new NumberFormatException(text);
        }
        return value;
    }

    private static String plain(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e9
                ? String.format(Locale.ROOT, "%.0f", value)
                : Double.toString(value);
    }
}
