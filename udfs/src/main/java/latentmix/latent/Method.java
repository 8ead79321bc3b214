package latentmix.latent;

import java.io.Serializable;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A way to make a mixture of inputs: {@link MeanAdjusted}, the grid of norms and splits, which sees sums over its
 * inputs, or a {@link Blend}, which sees the inputs themselves.
 */
public sealed interface Method extends Serializable permits MeanAdjusted, Blend {
    /** One input or more. */
    InputCount ANY = new InputCount(1, Integer.MAX_VALUE);

    /** A name, perhaps with an argument. */
    Pattern SPELLING = Pattern.compile("([a-z-]+)(?:\\(([^()]*)\\))?");

    /**
     * Reads a method's name, such as {@code nin/chm}, {@code slerp} or {@code tint(0.3)}.
     *
     * @throws IllegalArgumentException saying what was expected, what came and what to write instead
     */
    static Method parse(String name) {
        if (name.contains("/")) {
            return MeanAdjusted.parse(name);
        }
        var parts = SPELLING.matcher(name);
        String argument = parts.matches() && parts.group(2) != null ? parts.group(2) : "";
        return switch (parts.matches() ? parts.group(1) : "") {
            case "tint" -> new Tint(number(argument, name));
            case "sdedit" -> new Sdedit(number(argument, name));
            case "diff-mix" -> diffMix(argument, name);
            case "fill" -> Fill.parse(parts.group(2) == null ? "chm" : argument);
            case "cog" -> parts.group(2) == null ? new Cog(Cog.Mean.MAP) : new Cog(Cog.Mean.parse(argument));
            default ->
                Blend.all().stream()
                        .filter(blend -> blend.toString().equals(name))
                        .findFirst()
                        .orElseThrow(() -> unknown(name));
        };
    }

    /** How many inputs a mixture may have. */
    InputCount inputs();

    /** Advice for a count of inputs that this method does not take. */
    default String instead() {
        return inputs().least() == inputs().most() ? "set inputs: " + inputs() : "use prompt for images without inputs";
    }

    /** The reason why this method does not take this count of inputs, if it does not. */
    default Optional<String> inputError(InputCount count) {
        if (inputs().holds(count)) {
            return Optional.empty();
        }
        String most = inputs().most() == Integer.MAX_VALUE ? " or more" : " to " + inputs().most();
        String takes = inputs().least() == inputs().most() ? "exactly " + inputs() : inputs().least() + most;
        return Optional.of("Method " + this + " takes " + takes + " inputs, cannot take: " + count + "; " + instead());
    }

    /** Whether the method uses the mean of the class's latents, so that a pool is needed. */
    default boolean needsClassMean() {
        return false;
    }

    /** Whether the method draws fresh noise, which a recipe must seed. */
    default boolean drawsNoise() {
        return false;
    }

    /** Whether the mixture depends on the noise that its inputs were inverted to. */
    default boolean readsInverted() {
        return true;
    }

    /** Whether generation begins with the encoded image of the only input, noised with the mixture. */
    default boolean noisesImage() {
        return false;
    }

    /** The share of the sampling table that generates images: 1 for all of its steps, 0.5 for the last half. */
    default double strength() {
        return 1;
    }

    /**
     * The factor by which a small bias that all inputs' channel means share shows in the mixture's.
     *
     * @param ess effective count of inputs, 1 / Σ w²
     */
    double predictedGain(double ess);

    /**
     * The reason why a pool is too small for this method, if it is: a class mean of the inputs themselves would leave
     * no residual.
     *
     * @param pool M, latents in the class
     * @param inputs N, inputs of one mixture
     */
    default Optional<String> poolError(int pool, int inputs) {
        return needsClassMean() && pool < 2L * inputs
                ? Optional.of("Method " + this + " with " + inputs + " inputs needs a class of at least " + 2L * inputs
                        + " images, cannot have: " + pool + "; use fewer inputs or another split")
                : Optional.empty();
    }

    /**
     * The reason why a pool is small for this method, if it is: Var(r̄) = σ² (Σ w² - 1/M) falls short of σ² Σ w².
     *
     * @param pool M, latents in the class
     * @param ess effective count of inputs, 1 / Σ w²
     */
    default Optional<String> poolWarning(int pool, double ess) {
        return needsClassMean() && pool < 4 * ess
                ? Optional.of(String.format(
                        Locale.ROOT,
                        "Method %s with an effective count of %.3g inputs wants a class of at least"
                                + " %.0f images, has %d:"
                                + " the class mean holds much of every mixture's noise; consider pool:"
                                + " leave-inputs-out",
                        this,
                        ess,
                        Math.ceil(4 * ess),
                        pool))
                : Optional.empty();
    }

    private static DiffMix diffMix(String argument, String name) {
        String[] numbers = argument.split(",", 2);
        return new DiffMix(
                number(numbers[0], name), numbers.length == 1 ? DiffMix.GAMMA : number(numbers[1].strip(), name));
    }

    private static double number(String argument, String name) {
        try {
            return Double.parseDouble(argument);
        } catch (NumberFormatException e) {
            throw unknown(name);
        }
    }

    private static IllegalArgumentException unknown(String name) {
        return new IllegalArgumentException(
                "A method must be norm/split or norm/split@scope, such as nin/chm or fix/0@band, or one of "
                        + Blend.all().stream().map(Blend::toString).collect(Collectors.joining(" ")) + "; cannot be: '"
                        + name
                        + "'");
    }
}
