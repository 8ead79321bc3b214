package latentmix.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against the paper's algorithm written out in λ, and a diffusion whose ODE is known in closed form. */
class DpmSolverMultistepSchedulerTest {
    private static final double Z = 1.3;
    private static final NoiseSchedule STABLE_DIFFUSION = NoiseSchedule.scaledLinear(0.00085, 0.012, 1000);
    private static final DdimScheduler FROM_PURE_NOISE = new DdimScheduler(
            STABLE_DIFFUSION.zeroTerminalSnr(),
            PredictionType.V_PREDICTION,
            TimestepSpacing.TRAILING,
            0,
            1,
            "DDIMScheduler");
    private static final double[] ALPHAS = alphasCumprod();

    /** Stable Diffusion's ᾱ from its betas' formula. */
    private static double[] alphasCumprod() {
        double[] alphas = new double[1000];
        double product = 1;
        for (int t = 0; t < 1000; t++) {
            double root = Math.sqrt(0.00085) + (Math.sqrt(0.012) - Math.sqrt(0.00085)) * t / 999;
            product *= 1 - root * root;
            alphas[t] = product;
        }
        return alphas;
    }

    private static DdimScheduler ddim(PredictionType prediction, TimestepSpacing spacing) {
        return new DdimScheduler(STABLE_DIFFUSION, prediction, spacing, 1, 1, "DDIMScheduler");
    }

    private static double alpha(int timestep) {
        return timestep < 0 ? 1 : Math.sqrt(ALPHAS[timestep]);
    }

    private static double sigma(int timestep) {
        return timestep < 0 ? 0 : Math.sqrt(1 - ALPHAS[timestep]);
    }

    private static double lambda(int timestep) {
        return Math.log(alpha(timestep) / sigma(timestep));
    }

    /** The output of a network of this prediction type for a predicted original. */
    private static DoubleBinaryOperator network(PredictionType prediction, DoubleBinaryOperator original) {
        return (x, timestep) -> {
            double alpha = alpha((int) timestep);
            double sigma = sigma((int) timestep);
            double x0 = original.applyAsDouble(x, timestep);
            double noise = (x - alpha * x0) / sigma;
            return switch (prediction) {
                case EPSILON -> noise;
                case V_PREDICTION -> alpha * noise - sigma * x0;
                case SAMPLE -> x0;
            };
        };
    }

    private static double curved(double x, double timestep) {
        return Math.sin(2 * x) + Math.cos(timestep / 150);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 10, 50, 500})
    void theFirstOrderIsDdim(int steps) {
        for (PredictionType prediction : PredictionType.values()) {
            assertSameTable(ddim(prediction, TimestepSpacing.TRAILING), steps);
        }
    }

    @Test
    void theFirstOrderIsDdimFromPureNoiseToo() {
        assertSameTable(FROM_PURE_NOISE, 20);
    }

    private static void assertSameTable(DdimScheduler own, int steps) {
        List<Step> table = new DpmSolverMultistepScheduler(own, 1).sampling(steps);
        assertThat(table).hasSize(steps);
        for (int i = 0; i < steps; i++) {
            Step expected = own.sampling(steps).get(i);
            assertThat(table.get(i).timestep()).isEqualTo(expected.timestep());
            assertThat(table.get(i).samples()).hasSize(1);
            assertThat(table.get(i).samples().get(0))
                    .isCloseTo(expected.samples().get(0), within(1e-12));
            assertThat(table.get(i).outputs().get(0))
                    .isCloseTo(expected.outputs().get(0), within(1e-12));
        }
    }

    @ParameterizedTest
    @EnumSource(PredictionType.class)
    void theSecondOrderIsAlgorithm2OfThePaperWrittenOut(PredictionType prediction) {
        for (int steps : new int[] {1, 2, 3, 10, 14, 15, 25, 50}) {
            int stride = 1000 / (steps + 1);
            double x = 0.9;
            double before = 0;
            for (int i = 0; i < steps; i++) {
                int t = (steps - i) * stride + 1;
                int next = i == steps - 1 ? -1 : t - stride;
                double original = curved(x, t);
                double h = lambda(next) - lambda(t);
                double d = original;
                if (i > 0 && i < steps - 1) {
                    double r = (lambda(t) - lambda(t + stride)) / h;
                    d = (1 + 1 / (2 * r)) * original - 1 / (2 * r) * before;
                }
                x = sigma(next) / sigma(t) * x - alpha(next) * Math.expm1(-h) * d;
                before = original;
            }
            List<Step> table =
                    new DpmSolverMultistepScheduler(ddim(prediction, TimestepSpacing.LEADING), 2).sampling(steps);
            assertThat(Toy.run(table, 0.9, network(prediction, DpmSolverMultistepSchedulerTest::curved)))
                    .as("%d steps", steps)
                    .isCloseTo(x, within(1e-11));
        }
    }

    /** The integral of x0(λ) as a parabola through the last three predictions, by Simpson's rule. */
    @ParameterizedTest
    @ValueSource(ints = {10, 20, 50})
    void theThirdOrderIntegratesTheParabolaThroughThreePredictions(int steps) {
        int stride = 1000 / (steps + 1);
        double x = 0.9;
        double[] originals = new double[steps];
        for (int i = 0; i < steps; i++) {
            int t = (steps - i) * stride + 1;
            originals[i] = curved(x, t);
            int next = i == steps - 1 ? -1 : t - stride;
            double h = lambda(next) - lambda(t);
            int left = steps - i;
            int order = Math.min(Math.min(3, i + 1), steps < 15 || left == 1 ? left : 3);
            double now = originals[i];
            double carried = sigma(next) / sigma(t) * x;
            if (order == 1) {
                x = carried - alpha(next) * Math.expm1(-h) * now;
            } else if (order == 2) {
                double r = (lambda(t) - lambda(t + stride)) / h;
                x = carried - alpha(next) * Math.expm1(-h) * (now + (now - originals[i - 1]) / (2 * r));
            } else {
                int past = t;
                double newer = originals[i - 1];
                double older = originals[i - 2];
                x = carried
                        + sigma(next)
                                * simpson(
                                        l -> Math.exp(l)
                                                * (now * lagrange(l, past, past + stride, past + 2 * stride)
                                                        + newer * lagrange(l, past + stride, past, past + 2 * stride)
                                                        + older * lagrange(l, past + 2 * stride, past, past + stride)),
                                        lambda(t),
                                        lambda(next));
            }
        }
        List<Step> table = new DpmSolverMultistepScheduler(ddim(PredictionType.EPSILON, TimestepSpacing.LEADING), 3)
                .sampling(steps);
        assertThat(Toy.run(table, 0.9, network(PredictionType.EPSILON, DpmSolverMultistepSchedulerTest::curved)))
                .isCloseTo(x, within(1e-10));
    }

    private static double lagrange(double l, int at, int one, int other) {
        return (l - lambda(one)) / (lambda(at) - lambda(one)) * (l - lambda(other)) / (lambda(at) - lambda(other));
    }

    private static double simpson(DoubleUnaryOperator f, double from, double to) {
        int intervals = 2000;
        double width = (to - from) / intervals;
        return width
                / 3
                * IntStream.rangeClosed(0, intervals)
                        .mapToDouble(i ->
                                f.applyAsDouble(from + i * width) * (i == 0 || i == intervals ? 1 : i % 2 == 1 ? 4 : 2))
                        .sum();
    }

    /** Down to timestep 199, which all of these visit: near the sample λ's steps do not shrink with their number. */
    @ParameterizedTest
    @CsvSource({"1, 2, 0.1", "2, 4, 0.3"})
    void whenStepsDoubleTheErrorFallsByTheOrdersPower(int order, double factor, double bound) {
        assertThat(error(order, 50) / error(order, 100)).isCloseTo(factor, within(bound));
    }

    /** Its first step, of first order, is what is left of its error in the end. */
    @Test
    void theThirdOrderIsNearerThanTheSecond() {
        assertThat(error(3, 25)).isLessThan(error(2, 25) / 10);
        assertThat(error(3, 50)).isLessThan(error(2, 50) / 10);
    }

    private static double error(int order, int steps) {
        DdimScheduler ddim = new DdimScheduler(
                STABLE_DIFFUSION, PredictionType.EPSILON, TimestepSpacing.TRAILING, 0, 1, "DDIMScheduler");
        List<Step> whole = new DpmSolverMultistepScheduler(ddim, order).sampling(steps);
        List<Step> table = whole.subList(0, steps - steps / 5);
        assertThat(whole.get(table.size()).timestep()).isEqualTo(199);
        double x = Toy.run(
                table,
                Toy.NARROW.exact(alpha(999), sigma(999), Z),
                (sample, t) -> Toy.NARROW.noise(alpha((int) t), sigma((int) t), sample));
        return Math.abs(x - Toy.NARROW.exact(alpha(199), sigma(199), Z));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void aStepThatLooksBackOnPureNoiseIsOfFirstOrder(int order) {
        List<Step> fromNoise = new DpmSolverMultistepScheduler(FROM_PURE_NOISE, order).sampling(20);
        List<Double> first = new DpmSolverMultistepScheduler(FROM_PURE_NOISE, 1)
                .sampling(20)
                .get(1)
                .outputs();
        assertThat(fromNoise.get(1).outputs()).containsExactly(first.get(0), 0.0);
        assertThat(fromNoise.get(2).outputs().get(1)).isNotZero();
    }

    @Test
    void timestepsAreSpacedForANoiselessEndAsInDiffusers() {
        assertThat(timesteps(TimestepSpacing.LEADING)).containsExactly(801.0, 601.0, 401.0, 201.0);
        assertThat(timesteps(TimestepSpacing.LINSPACE)).containsExactly(999.0, 749.0, 500.0, 250.0);
        assertThat(timesteps(TimestepSpacing.TRAILING)).containsExactly(999.0, 749.0, 499.0, 249.0);
    }

    private static List<Double> timesteps(TimestepSpacing spacing) {
        return new DpmSolverMultistepScheduler(ddim(PredictionType.EPSILON, spacing), 2)
                .sampling(4).stream().map(Step::timestep).toList();
    }

    @Test
    void fromTheEndOfAnInversionTimestepsAreEven() {
        DdimScheduler ddim = ddim(PredictionType.EPSILON, TimestepSpacing.LEADING);
        double end = ddim.inversion(50).get(49).timestep();
        Scheduler solver = new DpmSolverMultistepScheduler(ddim, 2).startingAt(end);

        assertThat(solver.sampling(20))
                .hasSize(20)
                .first()
                .extracting(Step::timestep)
                .isEqualTo(981.0);
        assertThat(solver.sampling(20)).last().extracting(Step::timestep).isEqualTo(49.0);
        assertThat(solver.sampling(981)).extracting(Step::timestep).doesNotHaveDuplicates();
        assertThatThrownBy(() -> solver.sampling(982)).hasMessage("steps must be in 1..981, cannot be: 982");
        assertThat(ddim.startingAt(end)).isEqualTo(ddim);
        assertThatThrownBy(() -> solver.startingAt(1000)).hasMessageEndingWith("1..999, cannot start from: 1000");
        assertThatThrownBy(() -> new DpmSolverMultistepScheduler(ddim, 2).sampling(999))
                .hasMessageContaining("cannot be: 999, which with steps_offset 1 reaches timestep 1000");
    }

    @Test
    void theLastStepsStartFromTheirOwnLevelAndLookBackOnNothingBeforeThem() {
        DpmSolverMultistepScheduler solver =
                new DpmSolverMultistepScheduler(ddim(PredictionType.EPSILON, TimestepSpacing.TRAILING), 3);
        List<Step> whole = solver.sampling(50);
        List<Step> tail = solver.tail(50, 20);

        assertThat(tail)
                .extracting(step -> step.outputs().size())
                .startsWith(1, 2, 3, 3)
                .endsWith(3, 1);
        assertThat(tail.subList(2, 20)).isEqualTo(whole.subList(32, 50));
        assertThat(solver.tail(50, 50)).isEqualTo(whole);
        assertThatThrownBy(() -> solver.tail(50, 0)).hasMessageContaining("1 to all 50 of them, cannot be: 0");
        assertThat(solver.addNoise(new float[] {2}, new float[] {3}, 199))
                .containsExactly(new float[] {(float) (2 * alpha(199) + 3 * sigma(199))}, within(1e-6f));
    }

    @Test
    void anInversionIsRefusedWithWhatToDo() {
        DpmSolverMultistepScheduler solver =
                new DpmSolverMultistepScheduler(ddim(PredictionType.EPSILON, TimestepSpacing.LEADING), 2);
        assertThatThrownBy(() -> solver.inversion(10))
                .hasMessageContaining("cannot be by: dpm-solver++(2m); set inversion.method to ddim");
        assertThatThrownBy(
                        () -> new DpmSolverMultistepScheduler(ddim(PredictionType.EPSILON, TimestepSpacing.LEADING), 4))
                .hasMessage("solver_order must be 1, 2 or 3, cannot be: 4");
    }
}
