package latentmix.study;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The name of a metric of the metrics table in words, and the direction that is better. */
record MetricName(String words, Better better) {
    private static final Map<String, String> WORDS = Map.of(
            "kept_chance", "Chance that an input is closer than another image of its class (1/2: nothing is kept)",
            "kept_cosine", "By how much closer inputs are than others (cosine; 0: nothing is kept)",
            "kept_nearest", "Share of outputs whose closest image is an input",
            "clipped", "Share of values at 0 or 255",
            "entropy", "Entropy of grey levels, in bits");

    /** The metrics in a report's order. */
    private static final List<String> ORDER = List.of(
            "fid",
            "frechet",
            "clip_distance",
            "distance",
            "kid",
            "cmmd",
            "diversity",
            "precision",
            "recall",
            "density",
            "coverage",
            "kept",
            "accuracy",
            "confidence");

    /** Says which of two values is better. */
    enum Better {
        LOWER,
        HIGHER,
        /** Neither is better: the metric tells something else than quality. */
        NEITHER
    }

    static MetricName of(String metric) {
        String words = words(metric);
        if (metric.startsWith("frechet")
                || metric.equals("fid")
                || metric.startsWith("kid")
                || metric.startsWith("cmmd")
                || metric.contains("distance")) {
            return new MetricName(words, Better.LOWER);
        }
        return metric.matches("(precision|recall|density|coverage|accuracy|confidence|diversity).*")
                ? new MetricName(words, Better.HIGHER)
                : new MetricName(words, Better.NEITHER);
    }

    /** The place of a metric in a report. */
    static int rank(String metric) {
        for (int i = 0; i < ORDER.size(); i++) {
            if (metric.startsWith(ORDER.get(i))) {
                return i;
            }
        }
        return ORDER.size();
    }

    private static String words(String metric) {
        String known = WORDS.get(metric);
        if (known != null) {
            return known;
        }
        String words = metric.replace("frechet", "Fréchet distance").replace('_', ' ');
        if (words.matches("(fid|kid|cmmd).*")) {
            return words.replaceFirst("fid|kid|cmmd", words.split(" ", -1)[0].toUpperCase(Locale.ROOT));
        }
        return words.substring(0, 1).toUpperCase(Locale.ROOT) + words.substring(1);
    }

    /** The name with an arrow to the better end. */
    String label() {
        return switch (better) {
            case LOWER -> words + " (lower is better)";
            case HIGHER -> words + " (higher is better)";
            case NEITHER -> words;
        };
    }
}
