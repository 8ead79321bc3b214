package latentmix.inversion;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.schedule.DdimScheduler;
import latentmix.schedule.Scheduler;
import latentmix.schedule.Solver;

/**
 * An inversion as a configuration spells it: {@code ddim}, {@code fixed-point(5)}, {@code fixed-point(5, averaged)},
 * {@code fixed-point(20, residual=1e-4)}, {@code negative-prompt}, {@code null-text(10)}, {@code renoise(4)} or
 * {@code bdia}; for a flow {@code euler}, {@code euler-at-target}, {@code midpoint} or {@code fireflow}.
 *
 * <p>The text of one is its canonical spelling, which {@link #parse} reads.
 */
public sealed interface InversionMethod {
    /**
     * A method whose steps know nothing of those before them, so that it may go on from any level of noise: the first
     * steps may be the forward process.
     */
    sealed interface Stepwise extends InversionMethod permits Ddim, FixedPoint, NegativePrompt, Flow {
        /**
         * What is left of the procedure once its first steps are taken.
         *
         * @throws IllegalArgumentException as of {@link #inversion(Scheduler, int, Guidance)}, or if none is left
         */
        Inversion after(Scheduler scheduler, int steps, int first, Guidance guidance);

        @Override
        default Inversion inversion(Scheduler scheduler, int steps, Guidance guidance) {
            return after(scheduler, steps, 0, guidance);
        }
    }

    /** The method of {@link DdimInversion}. */
    record Ddim() implements Stepwise {
        @Override
        public Inversion after(Scheduler scheduler, int steps, int first, Guidance guidance) {
            return new DdimInversion(scheduler.inversion(steps, first), guidance);
        }

        @Override
        public String toString() {
            return "ddim";
        }
    }

    /** The method of {@link FixedPointInversion}. */
    record FixedPoint(int iterations, FixedPointInversion.Averaging averaging, double residual) implements Stepwise {
        @Override
        public Inversion after(Scheduler scheduler, int steps, int first, Guidance guidance) {
            return new FixedPointInversion(ddim(scheduler), steps, first, guidance, iterations, averaging, residual);
        }

        @Override
        public String toString() {
            return "fixed-point(" + iterations
                    + (averaging == FixedPointInversion.Averaging.TWO_POINT ? ", averaged" : "")
                    + (residual > 0 ? ", residual=" + residual : "") + ")";
        }
    }

    /** The method of {@link NegativePromptInversion}. */
    record NegativePrompt() implements Stepwise {
        @Override
        public Inversion after(Scheduler scheduler, int steps, int first, Guidance guidance) {
            return new DdimInversion(ddim(scheduler).inversion(steps, first), unguided(guidance));
        }

        @Override
        public Sampler sampling(DenoisingLoop loop, Scheduler scheduler) {
            return NegativePromptInversion.sampling(loop);
        }

        @Override
        public String toString() {
            return "negative-prompt";
        }
    }

    /**
     * The method of {@link NullTextInversion}.
     *
     * @param guidance the guidance that samples later
     */
    record NullText(int iterations, double guidance) implements InversionMethod {
        @Override
        public Inversion inversion(Scheduler scheduler, int steps, Guidance inversionGuidance) {
            unguided(inversionGuidance);
            return new NullTextInversion(ddim(scheduler), steps, new Guidance(guidance), iterations);
        }

        @Override
        public Sampler sampling(DenoisingLoop loop, Scheduler scheduler) {
            return new NullTextInversion.Sampling(loop);
        }

        @Override
        public boolean hasCompanion() {
            return true;
        }

        @Override
        public boolean needsGradients() {
            return true;
        }

        @Override
        public String toString() {
            return "null-text(" + iterations + ", guidance=" + guidance + ")";
        }
    }

    /** The method of {@link ReNoiseInversion}. */
    record ReNoise(int repetitions) implements InversionMethod {
        @Override
        public Inversion inversion(Scheduler scheduler, int steps, Guidance guidance) {
            return new ReNoiseInversion(ddim(scheduler), steps, guidance, repetitions);
        }

        @Override
        public String toString() {
            return "renoise(" + repetitions + ")";
        }
    }

    /** The method of {@link BdiaInversion}. */
    record Bdia() implements InversionMethod {
        @Override
        public Inversion inversion(Scheduler scheduler, int steps, Guidance guidance) {
            return new BdiaInversion(ddim(scheduler), steps, guidance);
        }

        @Override
        public Sampler sampling(DenoisingLoop loop, Scheduler scheduler) {
            BdiaInversion bdia = new BdiaInversion(ddim(scheduler), loop.table().size(), loop.guidance());
            return new BdiaInversion.Sampling(bdia, loop.denoiser());
        }

        @Override
        public boolean hasCompanion() {
            return true;
        }

        @Override
        public String toString() {
            return "bdia";
        }
    }

    /** The method of a flow: {@link DdimInversion}'s loop on the table of the flow's solver. */
    record Flow(Solver solver) implements Stepwise {
        @Override
        public Inversion after(Scheduler scheduler, int steps, int first, Guidance guidance) {
            return new DdimInversion(scheduler.inversion(steps, first), guidance);
        }

        @Override
        public String toString() {
            return solver.toString();
        }
    }

    /** The spellings, for messages. */
    List<String> SPELLINGS = List.of(
            "ddim",
            "fixed-point(5)",
            "fixed-point(5, averaged)",
            "fixed-point(20, residual=1e-4)",
            "negative-prompt",
            "null-text(10)",
            "renoise(4)",
            "bdia",
            "euler",
            "euler-at-target",
            "midpoint",
            "fireflow");

    /** The most iterations of a step. */
    int MOST = 1000;

    /**
     * Reads a spelling.
     *
     * @param guidance the guidance that samples later, where the spelling does not say it
     */
    static InversionMethod parse(String spelling, double guidance) {
        Matcher matcher = Pattern.compile("([a-z-]+)(?:\\(\\s*(\\d{1,4})\\s*((?:,[^,()]+)*)\\))?")
                .matcher(spelling.strip());
        if (!matcher.matches()) {
            throw unknown(spelling);
        }
        String name = matcher.group(1);
        boolean counted = matcher.group(2) != null;
        int count = counted ? Integer.parseInt(matcher.group(2)) : 0;
        List<String> options = counted && !matcher.group(3).isBlank()
                ? Pattern.compile(",")
                        .splitAsStream(matcher.group(3).substring(1))
                        .map(String::strip)
                        .toList()
                : List.of();
        boolean takesCount = List.of("fixed-point", "null-text", "renoise").contains(name);
        if (takesCount != counted || (takesCount && (count < 1 || count > MOST))) {
            throw unknown(spelling);
        }
        return switch (name) {
            case "ddim" -> new Ddim();
            case "fixed-point" -> fixedPoint(spelling, count, options);
            case "negative-prompt" -> new NegativePrompt();
            case "null-text" ->
                new NullText(count, options.isEmpty() ? guidance : option(spelling, options, "guidance"));
            case "renoise" -> new ReNoise(none(spelling, count, options));
            case "bdia" -> new Bdia();
            case "euler", "euler-at-target", "midpoint", "fireflow" -> new Flow(Solver.parse(name));
            default -> throw unknown(spelling);
        };
    }

    private static FixedPoint fixedPoint(String spelling, int iterations, List<String> options) {
        boolean averaged = options.contains("averaged");
        List<String> others =
                options.stream().filter(option -> !option.equals("averaged")).toList();
        return new FixedPoint(
                iterations,
                averaged ? FixedPointInversion.Averaging.TWO_POINT : FixedPointInversion.Averaging.NONE,
                others.isEmpty() ? 0 : option(spelling, others, "residual"));
    }

    private static int none(String spelling, int count, List<String> options) {
        if (!options.isEmpty()) {
            throw unknown(spelling);
        }
        return count;
    }

    /** The number of the only option, {@code name=number}, above 0. */
    private static double option(String spelling, List<String> options, String name) {
        String[] parts = options.get(0).split("\\s*=\\s*", 2);
        if (options.size() > 1 || parts.length < 2 || !parts[0].equals(name)) {
            throw unknown(spelling);
        }
        try {
            double value = Double.parseDouble(parts[1]);
            if (value > 0 && value < Double.POSITIVE_INFINITY) {
                return value;
            }
        } catch (NumberFormatException e) {
            throw unknown(spelling);
        }
        throw unknown(spelling);
    }

    private static IllegalArgumentException unknown(String spelling) {
        return new IllegalArgumentException("An inversion must be spelled like one of " + String.join("; ", SPELLINGS)
                + " (1 to " + MOST + " iterations), cannot be: " + spelling);
    }

    /** The inversion that belongs to the process: ddim, or euler for a flow. */
    static InversionMethod of(Scheduler own) {
        return own instanceof DdimScheduler ? new Ddim() : new Flow(own.solver());
    }

    /** The solver whose tables the inversion runs on. */
    default Solver solver() {
        return Solver.DDIM;
    }

    /**
     * The procedure on a scheduler's tables.
     *
     * @param guidance of the inversion itself
     * @throws IllegalArgumentException if the scheduler, its steps or the guidance cannot serve it
     */
    Inversion inversion(Scheduler scheduler, int steps, Guidance guidance);

    /**
     * The procedure whose first steps are the forward process.
     *
     * @param forwardFirst how many; for 0 it is the procedure itself
     * @throws IllegalArgumentException as of {@link #inversion(Scheduler, int, Guidance)}, and if the method cannot
     *     begin at a level of noise or no step is left
     */
    default Inversion inversion(Scheduler scheduler, int steps, Guidance guidance, int forwardFirst) {
        if (forwardFirst == 0) {
            return inversion(scheduler, steps, guidance);
        }
        if (this instanceof Stepwise stepwise) {
            Inversion rest = stepwise.after(scheduler, steps, forwardFirst, guidance);
            return new ForwardFirstInversion(scheduler, scheduler.reached(steps, forwardFirst), rest);
        }
        throw new IllegalArgumentException("inversion.forward_first must be 0 with " + this
                + ", which follows the image's own latent from the first step on, cannot be: " + forwardFirst);
    }

    /**
     * The sampler that leads back from the noise.
     *
     * @param loop what samples where the inversion asks for nothing else
     * @param scheduler what the loop's table is of
     */
    default Sampler sampling(DenoisingLoop loop, Scheduler scheduler) {
        return new Sampler.Plain(loop);
    }

    /** Whether each image has something to keep beside its noise. */
    default boolean hasCompanion() {
        return false;
    }

    /** Whether the network is differentiated. */
    default boolean needsGradients() {
        return false;
    }

    private static DdimScheduler ddim(Scheduler scheduler) {
        if (scheduler instanceof DdimScheduler ddim) {
            return ddim;
        }
        throw new IllegalArgumentException("inversion.method must be ddim for a checkpoint that samples by "
                + scheduler.description() + ": the others are of the diffusion process alone");
    }

    private static Guidance unguided(Guidance guidance) {
        if (guidance.scale() > 1) {
            throw new IllegalArgumentException("inversion.guidance must be 1 where the unconditional branch is found or"
                    + " replaced afterwards, cannot be: "
                    + guidance.scale());
        }
        return guidance;
    }
}
