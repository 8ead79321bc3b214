package latentmix.schedule;

import java.util.ArrayList;
import java.util.List;

/**
 * Midpoint steps along a rectified flow, of second order at two evaluations a step, in either direction:
 *
 * <pre>
 * x_mid = x_σ + h/2 · v(x_σ, σ)             h = σ' − σ
 * x_{σ'} = x_σ + h · v(x_mid, σ + h/2)
 * </pre>
 *
 * <p>This is RF-Solver: its second-order Taylor step h·v + h²/2·v' with v' taken as (v_mid − v)/(h/2) is h·v_mid.
 *
 * @see <a href="https://arxiv.org/abs/2411.04746">Wang et al., Taming Rectified Flow for Inversion and Editing</a>
 */
public record FlowMatchMidpointScheduler(FlowSchedule flow) implements FlowScheduler {
    @Override
    public Solver solver() {
        return Solver.MIDPOINT;
    }

    @Override
    public String description() {
        return "midpoint (RF-Solver), 2 evaluations a step, " + flow;
    }

    @Override
    public List<Step> table(double[] sigmas) {
        List<Step> table = new ArrayList<>();
        for (int i = 0; i < sigmas.length - 1; i++) {
            double step = sigmas[i + 1] - sigmas[i];
            table.add(Step.of(flow.timestep(sigmas[i]), 1, step / 2));
            table.add(new Step(flow.timestep(sigmas[i] + step / 2), List.of(0.0, 1.0), List.of(step), 0));
        }
        return table;
    }
}
