package latentmix.latent;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Mean-adjusted interpolation, a cell of the grid of norms, splits and scopes, named {@code norm/split} or
 * {@code norm/split@scope}: {@code lin/0 nin/chm fix/cmm@band}.
 *
 * <pre>z_i = d_i + r_i,   d̄ = Σ w_i d_i,   r̄ = Σ w_i r_i,   z' = d̄ + (τ / ‖r̄‖) · r̄</pre>
 *
 * @param norm τ: lin, fix, nin, lol, ess or coh
 * @param split d: 0, m, chm, lp or cmm
 * @param scope where τ is restored: the whole latent, {@code @channel} or {@code @band}
 * @see <a href="https://arxiv.org/abs/2505.07481">Landolsi and Kahl, Addressing degeneracies in latent interpolation
 *     for diffusion models, Section 5</a>
 */
public record MeanAdjusted(Norm norm, Split split, Scope scope) implements Method {
    private static final Map<String, Norm> NORMS =
            named(new Lin(), new Fix(), new Nin(), new Lol(), new Ess(), new Coh());
    private static final Map<String, Split> SPLITS =
            named(new NoSplit(), new MeanSplit(), new ChannelMeanSplit(), new LowPassSplit(), new ClassMeanSplit());
    private static final Pattern NAME = Pattern.compile("([^/@]*)/([^/@]*)(@[^/@]*)?");

    public MeanAdjusted {
        refusal(norm, split, scope).ifPresent(reason -> {
            throw new IllegalArgumentException("Method '" + norm + "/" + split + scope + "': " + reason);
        });
    }

    /**
     * Reads a method's name.
     *
     * @throws IllegalArgumentException saying what was expected, what came and what to write instead
     */
    public static MeanAdjusted parse(String name) {
        var parts = NAME.matcher(name);
        if (!parts.matches()) {
            throw new IllegalArgumentException("A method must be norm/split or norm/split@scope, for example nin/chm or"
                    + " fix/0@band, cannot be: '" + name + "'");
        }
        var norm = known("norm", NORMS, parts.group(1), name);
        var split = known("split", SPLITS, parts.group(2), name);
        var scopes = named(new Whole(), new PerChannel(), new PerBand(lowestBand(split)));
        var scope = known("scope", scopes, parts.group(3) == null ? "" : parts.group(3), name);
        return new MeanAdjusted(norm, split, scope);
    }

    @Override
    public InputCount inputs() {
        return Method.ANY;
    }

    @Override
    public boolean needsClassMean() {
        return split instanceof ClassMeanSplit;
    }

    /**
     * The gain is about √ESS where a norm is restored and the channel means are part of what is scaled, else 1 (Section
     * 4 of the paper).
     */
    @Override
    public double predictedGain(double ess) {
        boolean scaled = (split instanceof NoSplit || split instanceof MeanSplit)
                && !(norm instanceof Lin)
                && !(scope instanceof PerBand);
        return scaled ? Math.sqrt(ess) : 1;
    }

    /** Every method of the grid. */
    public static List<MeanAdjusted> all() {
        var methods = new ArrayList<MeanAdjusted>();
        for (var split : SPLITS.values()) {
            for (var scope : List.of(new Whole(), new PerChannel(), new PerBand(lowestBand(split)))) {
                for (var norm : NORMS.values()) {
                    if (refusal(norm, split, scope).isEmpty()) {
                        methods.add(new MeanAdjusted(norm, split, scope));
                    }
                }
            }
        }
        return List.copyOf(methods);
    }

    @Override
    public String toString() {
        return norm + "/" + split + scope;
    }

    private static Optional<String> refusal(Norm norm, Split split, Scope scope) {
        if (!(scope instanceof Whole) && (norm instanceof Lin || norm instanceof Lol)) {
            return Optional.of(scope + " says where a norm is restored, and " + norm
                    + " restores none; use fix, nin, ess or coh, or write '" + norm + "/" + split + "'");
        }
        if (scope instanceof PerBand && (split instanceof MeanSplit || split instanceof ChannelMeanSplit)) {
            return Optional.of(
                    "with @band the splits 0, m and chm are one method, since band 0 is interpolated linearly;"
                            + " write '" + norm + "/0@band'");
        }
        if (scope instanceof PerBand band && band.lowest() != lowestBand(split)) {
            return Optional.of("its lowest band must be " + lowestBand(split) + ", cannot be: " + band.lowest());
        }
        return Optional.empty();
    }

    private static int lowestBand(Split split) {
        return split instanceof LowPassSplit ? LowPassSplit.CUTOFF : 1;
    }

    private static <T> T known(String what, Map<String, T> values, String value, String name) {
        var found = values.get(value);
        if (found == null) {
            throw new IllegalArgumentException("Method '" + name + "': its " + what + " must be one of "
                    + String.join(" ", values.keySet()).strip() + ", cannot be: '" + value + "'");
        }
        return found;
    }

    @SafeVarargs
    private static <T> Map<String, T> named(T... values) {
        var map = new LinkedHashMap<String, T>();
        for (var value : values) {
            map.put(value.toString(), value);
        }
        return map;
    }
}
