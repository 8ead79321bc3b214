package latentmix.schedule;

import java.util.ArrayList;
import java.util.List;

/**
 * FireFlow: midpoint steps along a rectified flow that take the midpoint before for the velocity at their start, of
 * second order at one evaluation a step and one more, in either direction:
 *
 * <pre>
 * y_i = x_i + h_i/2 · u_{i−1}              h_i = σ_{i+1} − σ_i,    u_{−1} = v(x_0, σ_0)
 * x_{i+1} = x_i + h_i · u_i                u_i = v(y_i, σ_i + h_i/2)
 * </pre>
 *
 * <p>The table's samples are the y: with x_i = y_i − h_i/2 · u_{i−1} a row is linear in the sample and the last two
 * outputs,
 *
 * <pre>y_{i+1} = y_i − h_i/2 · u_{i−1} + (h_i + h_{i+1}/2) · u_i,    the last without h_{i+1}.</pre>
 *
 * @see <a href="https://arxiv.org/abs/2412.07517">Deng et al., FireFlow: Fast Inversion of Rectified Flow, Algorithm
 *     1</a>
 */
public record FireFlowScheduler(FlowSchedule flow) implements FlowScheduler {
    @Override
    public Solver solver() {
        return Solver.FIREFLOW;
    }

    @Override
    public String description() {
        return "FireFlow, 1 evaluation a step and 1 more, " + flow;
    }

    @Override
    public List<Step> table(double[] sigmas) {
        int steps = sigmas.length - 1;
        List<Step> table = new ArrayList<>();
        table.add(Step.of(flow.timestep(sigmas[0]), 1, (sigmas[1] - sigmas[0]) / 2));
        for (int i = 0; i < steps; i++) {
            double step = sigmas[i + 1] - sigmas[i];
            double next = i + 1 < steps ? sigmas[i + 2] - sigmas[i + 1] : 0;
            double timestep = flow.timestep(sigmas[i] + step / 2);
            table.add(new Step(timestep, List.of(1.0), List.of(step + next / 2, -step / 2), 0));
        }
        return table;
    }
}
