package latentmix.study;

import java.util.Locale;

/** How a metric of the metrics table is read: in words, and which way is better. */
record MetricName(String words, Better better) {
    /** Which of two values is better. */
    enum Better {
        LOWER,
        HIGHER,
        /** Neither: it tells something else than quality. */
        NEITHER
    }

    static MetricName of(String metric) {
        String words = words(metric);
        if (metric.startsWith("frechet")
                || metric.equals("fid")
                || metric.startsWith("kid")
                || metric.startsWith("cmmd")
                || metric.startsWith("clip_distance")) {
            return new MetricName(words, Better.LOWER);
        }
        return metric.matches("(precision|recall|density|coverage|accuracy|confidence|diversity).*")
                ? new MetricName(words, Better.HIGHER)
                : new MetricName(words, Better.NEITHER);
    }

    private static String words(String metric) {
        switch (metric) {
            case "kept_chance":
                return "Chance that an input is closer to the output than another image of its class (1/2: nothing is kept)";
            case "kept_cosine":
                return "By how much closer inputs are (cosine; 0: nothing is kept)";
            case "kept_nearest":
                return "Share of outputs whose closest image is an input";
            default:
                break;
        }
        String words = metric.replace("frechet", "Fréchet distance").replace('_', ' ');
        if (words.matches("(fid|kid|cmmd).*")) {
            return words.replaceFirst("fid|kid|cmmd", words.split(" ")[0].toUpperCase(Locale.ROOT));
        }
        return words.substring(0, 1).toUpperCase(Locale.ROOT) + words.substring(1);
    }

    /** With an arrow to the better end. */
    String label() {
        return switch (better) {
            case LOWER -> words + " (lower is better)";
            case HIGHER -> words + " (higher is better)";
            case NEITHER -> words;
        };
    }
}
