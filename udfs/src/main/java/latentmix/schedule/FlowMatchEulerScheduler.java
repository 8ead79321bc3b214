package latentmix.schedule;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Euler steps along a rectified flow, in either direction:
 *
 * <pre>x_{σ'} = x_σ + (σ' − σ) · v</pre>
 *
 * <p>Sampling evaluates v at the σ that a step starts from. Inversion may do so too, or evaluate at the σ' that it goes
 * to, as DDIM inversion does: then it undoes sampling exactly where both see the same v.
 *
 * @param inversionAt the end of an inversion's step at which the network is evaluated
 * @see <a href="https://arxiv.org/abs/2209.03003">Liu et al., Flow Straight and Fast</a>
 * @see <a
 *     href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/schedulers/scheduling_flow_match_euler_discrete.py">diffusers'
 *     FlowMatchEulerDiscreteScheduler</a>
 */
public record FlowMatchEulerScheduler(FlowSchedule flow, End inversionAt) implements FlowScheduler {
    /** An end of a step. */
    public enum End {
        /** The end where the step starts. The first step starts at the noiseless σ = 0. */
        SOURCE,
        /** The end where the step leads. */
        TARGET
    }

    @Override
    public List<Step> table(double[] sigmas) {
        return table(sigmas, End.SOURCE);
    }

    @Override
    public List<Step> inversionTable(double[] sigmas) {
        return table(sigmas, inversionAt);
    }

    @Override
    public Solver solver() {
        return inversionAt == End.SOURCE ? Solver.EULER : Solver.EULER_AT_TARGET;
    }

    @Override
    public String description() {
        return "Euler, inverted at the " + inversionAt.name().toLowerCase(Locale.ROOT) + ", " + flow;
    }

    private List<Step> table(double[] sigmas, End evaluatedAt) {
        return IntStream.range(0, sigmas.length - 1)
                .mapToObj(i -> Step.of(
                        flow.timestep(sigmas[evaluatedAt == End.SOURCE ? i : i + 1]), 1, sigmas[i + 1] - sigmas[i]))
                .toList();
    }
}
