package latentmix.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Solvers of a rectified flow, on a flow whose paths are known in closed form and on one that is not linear. */
class FlowSolversTest {
    private static final double Z = 1.3;
    private static final FlowSchedule FLOW = new FlowSchedule(3, 1000);

    /** v = E[ε − x0 | x]. */
    private static double velocity(double x, double timestep) {
        double sigma = timestep / 1000;
        return Toy.NARROW.noise(1 - sigma, sigma, x) - Toy.NARROW.original(1 - sigma, sigma, x);
    }

    private static double curved(double x, double timestep) {
        return Math.sin(3 * x) + timestep / 500;
    }

    private static Scheduler scheduler(Solver solver) {
        try {
            return Scheduler.of(
                    new ObjectMapper().readTree("{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"shift\": 3}"),
                    solver);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** An ODE that is not linear: v = cos(3σ)·(1 + x²), so that x = tan(c + sin(3σ)/3). */
    private static double tangent(double x, double timestep) {
        return Math.cos(3 * timestep / 1000) * (1 + x * x);
    }

    private static double onTangent(double sigma) {
        return Math.tan(0.2 + Math.sin(3 * sigma) / 3);
    }

    @ParameterizedTest
    @CsvSource({"EULER, 2, 0.1", "MIDPOINT, 4, 0.3", "FIREFLOW, 4, 0.3"})
    void whenStepsDoubleTheErrorFallsByTheOrdersPowerBothWays(Solver solver, double factor, double bound) {
        assertThat(samplingError(solver, 80) / samplingError(solver, 160)).isCloseTo(factor, within(bound));
        assertThat(inversionError(solver, 80) / inversionError(solver, 160)).isCloseTo(factor, within(bound));
    }

    private static double samplingError(Solver solver, int steps) {
        double sample = Toy.run(scheduler(solver).sampling(steps), onTangent(1), FlowSolversTest::tangent);
        return Math.abs(sample - onTangent(0));
    }

    private static double inversionError(Solver solver, int steps) {
        double noise = Toy.run(scheduler(solver).inversion(steps), onTangent(0), FlowSolversTest::tangent);
        return Math.abs(noise - onTangent(1));
    }

    /** At 16 network evaluations both ways, FireFlow's one more aside. */
    @ParameterizedTest
    @CsvSource({"MIDPOINT, 8", "FIREFLOW, 16"})
    void invertedAndSampledBackTheSecondOrderIsNearerThanEuler(Solver solver, int steps) {
        double second = roundTripError(solver, solver, steps);

        assertThat(second).isLessThan(roundTripError(Solver.EULER, Solver.EULER, 16) / 3);
        assertThat(second).isLessThan(roundTripError(Solver.EULER_AT_TARGET, Solver.EULER, 16) / 3);
    }

    private static double roundTripError(Solver inversion, Solver sampling, int steps) {
        double start = Toy.NARROW.exact(1, 0, Z);
        double noise = Toy.run(scheduler(inversion).inversion(steps), start, FlowSolversTest::velocity);
        return Math.abs(Toy.run(scheduler(sampling).sampling(steps), noise, FlowSolversTest::velocity) - start);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 28})
    void midpointIsTheMethodWrittenOut(int steps) {
        for (double[] sigmas : List.of(FLOW.descending(steps), FLOW.ascending(steps))) {
            double x = 0.9;
            for (int i = 0; i < steps; i++) {
                double h = sigmas[i + 1] - sigmas[i];
                double middle = x + h / 2 * curved(x, 1000 * sigmas[i]);
                x += h * curved(middle, 1000 * (sigmas[i] + h / 2));
            }
            assertThat(Toy.run(table(Solver.MIDPOINT, sigmas, steps), 0.9, FlowSolversTest::curved))
                    .isCloseTo(x, within(1e-12));
        }
        assertThat(scheduler(Solver.MIDPOINT).sampling(steps)).hasSize(2 * steps);
    }

    /** RF-Solver's step: Taylor to second order, the derivative a difference over half a step. */
    @Test
    void midpointIsTheTaylorStepOfRfSolver() {
        double[] sigmas = FLOW.descending(12);
        double x = 0.9;
        for (int i = 0; i < 12; i++) {
            double h = sigmas[i + 1] - sigmas[i];
            double v = curved(x, 1000 * sigmas[i]);
            double ahead = curved(x + h / 2 * v, 1000 * (sigmas[i] + h / 2));
            double derivative = (ahead - v) / (h / 2);
            x += h * v + h * h / 2 * derivative;
        }
        assertThat(Toy.run(scheduler(Solver.MIDPOINT).sampling(12), 0.9, FlowSolversTest::curved))
                .isCloseTo(x, within(1e-12));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 28})
    void fireFlowIsTheAlgorithmWrittenOut(int steps) {
        for (double[] sigmas : List.of(FLOW.descending(steps), FLOW.ascending(steps))) {
            double x = 0.9;
            double velocity = curved(x, 1000 * sigmas[0]);
            for (int i = 0; i < steps; i++) {
                double h = sigmas[i + 1] - sigmas[i];
                velocity = curved(x + h / 2 * velocity, 1000 * (sigmas[i] + h / 2));
                x += h * velocity;
            }
            assertThat(Toy.run(table(Solver.FIREFLOW, sigmas, steps), 0.9, FlowSolversTest::curved))
                    .isCloseTo(x, within(1e-12));
        }
        assertThat(scheduler(Solver.FIREFLOW).sampling(steps)).hasSize(steps + 1);
    }

    /** They look back on nothing before them. */
    @ParameterizedTest
    @CsvSource({"EULER, 2, 0.1", "MIDPOINT, 4, 0.3", "FIREFLOW, 4, 0.3"})
    void theLastStepsStartFromTheirOwnLevelWithTheSameOrder(Solver solver, double factor, double bound) {
        assertThat(tailError(solver, 100, 60) / tailError(solver, 200, 120)).isCloseTo(factor, within(bound));
        assertThat(scheduler(solver).tail(100, 60).get(0).timestep())
                .isCloseTo(1000 * FLOW.descending(100)[40], within(1e-9));
        assertThat(scheduler(solver).tail(100, 100)).isEqualTo(scheduler(solver).sampling(100));
        assertThatThrownBy(() -> scheduler(solver).tail(100, 101))
                .hasMessage("The last steps must be 1 to all 100 of them, cannot be: 101");
    }

    private static double tailError(Solver solver, int steps, int last) {
        double start = onTangent(FLOW.descending(steps)[steps - last]);
        return Math.abs(Toy.run(scheduler(solver).tail(steps, last), start, FlowSolversTest::tangent) - onTangent(0));
    }

    /** On the way to noise from a level that noise of the flow has led to. */
    @ParameterizedTest
    @CsvSource({"EULER, 2, 0.1", "EULER_AT_TARGET, 2, 0.1", "MIDPOINT, 4, 0.3", "FIREFLOW, 4, 0.3"})
    void anInversionGoesOnFromTheLevelThatItsFirstStepsLeadTo(Solver solver, double factor, double bound) {
        assertThat(restError(solver, 100, 30) / restError(solver, 200, 60)).isCloseTo(factor, within(bound));
        assertThat(scheduler(solver).reached(100, 30)).isCloseTo(1000 * FLOW.ascending(100)[30], within(1e-9));
        assertThat(scheduler(solver).inversion(100, 0))
                .isEqualTo(scheduler(solver).inversion(100));
        assertThatThrownBy(() -> scheduler(solver).inversion(100, 100))
                .hasMessage("The first steps must be fewer than all 100 of them, cannot be: 100");
    }

    private static double restError(Solver solver, int steps, int first) {
        double start = onTangent(scheduler(solver).reached(steps, first) / 1000);
        return Math.abs(
                Toy.run(scheduler(solver).inversion(steps, first), start, FlowSolversTest::tangent) - onTangent(1));
    }

    private static List<Step> table(Solver solver, double[] sigmas, int steps) {
        return sigmas[0] == 1
                ? scheduler(solver).sampling(steps)
                : scheduler(solver).inversion(steps);
    }

    @ParameterizedTest
    @EnumSource(names = {"EULER", "EULER_AT_TARGET", "MIDPOINT", "FIREFLOW"})
    void everySolverIsNamedAsItIsAskedFor(Solver solver) {
        assertThat(scheduler(solver).solver()).isEqualTo(solver);
        assertThat(Solver.parse(solver.toString())).isEqualTo(solver);
        assertThat(scheduler(solver).trainTimesteps()).isEqualTo(1000);
        assertThat(scheduler(solver).description()).contains("rectified flow, shift 3.0, 1000 trained timesteps");
    }
}
