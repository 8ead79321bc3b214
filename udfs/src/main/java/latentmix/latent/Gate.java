package latentmix.latent;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The rule for a mixture that is predicted to degenerate, applied before a network runs on it: {@code off},
 * {@code refuse}, {@code refuse(4)}, {@code redraw} or {@code redraw(4, tries=8)}.
 *
 * <pre>refused if any score's z &gt; limit,   {@link Baseline}'s z in standard deviations</pre>
 *
 * @param limit more standard deviations than this are refused
 * @param tries draws of inputs and weights before a mixture is refused for good
 */
public record Gate(Action action, double limit, int tries) {
    /** The action on such a mixture. */
    public enum Action {
        /** Every mixture passes and none is judged. */
        OFF,
        /** The mixture is refused. */
        REFUSE,
        /** Other inputs and weights are drawn, up to so many times. */
        REDRAW
    }

    public static final Gate OFF = new Gate(Action.OFF, Double.POSITIVE_INFINITY, 1);

    private static final double LIMIT = 4;
    private static final int TRIES = 8;
    private static final int MOST_TRIES = 1000;

    private static final Pattern SPELLING = Pattern.compile("(refuse|redraw)(?:\\(([^()]*)\\))?");

    public Gate {
        if (!(limit > 0)) {
            throw new IllegalArgumentException(
                    "A gate's limit must be above 0 standard deviations, cannot be: " + limit);
        }
        if (tries < 1 || tries > MOST_TRIES || (action == Action.REDRAW && tries < 2)) {
            throw new IllegalArgumentException("A gate that redraws must have 2 to " + MOST_TRIES
                    + " tries, cannot have: " + tries + "; use refuse for a single one");
        }
    }

    /**
     * Reads a gate's spelling.
     *
     * @throws IllegalArgumentException saying what was expected and what came
     */
    public static Gate parse(String spelling) {
        var parts = SPELLING.matcher(spelling.strip());
        if (spelling.strip().equals("off") || spelling.strip().equals("false")) { // as YAML reads off
            return OFF;
        }
        if (!parts.matches()) {
            throw unknown(spelling);
        }
        boolean redraws = parts.group(1).equals("redraw");
        double limit = LIMIT;
        int tries = redraws ? TRIES : 1;
        try {
            for (String argument :
                    parts.group(2) == null ? new String[0] : parts.group(2).split(",", -1)) {
                if (redraws && argument.strip().startsWith("tries=")) {
                    tries = Integer.parseInt(argument.strip().substring("tries=".length()));
                } else {
                    limit = Double.parseDouble(argument);
                }
            }
        } catch (NumberFormatException e) {
            throw unknown(spelling);
        }
        return new Gate(redraws ? Action.REDRAW : Action.REFUSE, limit, tries);
    }

    /** Whether the gate judges mixtures at all. */
    public boolean isOn() {
        return action != Action.OFF;
    }

    /** The finding that speaks against a mixture, if there is one. */
    public Optional<Baseline.Finding> refusal(Baseline baseline, Latent mixture) {
        var worst = baseline.worst(mixture);
        return worst.deviations() > limit ? Optional.of(worst) : Optional.empty();
    }

    private static IllegalArgumentException unknown(String spelling) {
        return new IllegalArgumentException(
                "A gate must be off, refuse, refuse(limit), redraw or redraw(limit, tries=count),"
                        + " the limit in standard deviations, cannot be: '" + spelling + "'");
    }

    /** The canonical spelling: every argument stands in it. */
    @Override
    public String toString() {
        String number = limit == Math.rint(limit) ? String.format(Locale.ROOT, "%.0f", limit) : Double.toString(limit);
        return switch (action) {
            case OFF -> "off";
            case REFUSE -> "refuse(" + number + ")";
            case REDRAW -> "redraw(" + number + ", tries=" + tries + ")";
        };
    }
}
