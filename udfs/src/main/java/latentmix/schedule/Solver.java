package latentmix.schedule;

import java.util.Arrays;
import java.util.stream.Collectors;

/** A solver of the ODE of a model's process, spelled as in configurations. */
public enum Solver {
    /** {@link DdimScheduler}, for diffusion. */
    DDIM("ddim"),
    /** {@link DpmSolverMultistepScheduler} of second order, for diffusion. */
    DPM_SOLVER_2M("dpm-solver++(2m)"),
    /** {@link DpmSolverMultistepScheduler} of third order, for diffusion. */
    DPM_SOLVER_3M("dpm-solver++(3m)"),
    /** {@link FlowMatchEulerScheduler}, for flows; inverting evaluates where a step starts. */
    EULER("euler"),
    /** {@link FlowMatchEulerScheduler}, for flows; inverting evaluates where a step leads. */
    EULER_AT_TARGET("euler-at-target"),
    /** {@link FlowMatchMidpointScheduler}, for flows. */
    MIDPOINT("midpoint"),
    /** {@link FireFlowScheduler}, for flows. */
    FIREFLOW("fireflow");

    private final String text;

    Solver(String text) {
        this.text = text;
    }

    /**
     * The solver of this spelling.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static Solver parse(String text) {
        return Arrays.stream(values())
                .filter(solver -> solver.text.equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("A solver must be one of "
                        + Arrays.stream(values()).map(Solver::toString).collect(Collectors.joining(", "))
                        + ", cannot be: " + text));
    }

    @Override
    public String toString() {
        return text;
    }
}
