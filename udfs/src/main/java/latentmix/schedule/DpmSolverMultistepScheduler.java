package latentmix.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * DPM-Solver++ as a multistep method: the exact solution of the diffusion ODE in λ = log(α/σ) for a predicted x0 that
 * is a polynomial in λ through the last predictions. From level s to t, with h = λ_t − λ_s, r = (λ_s − λ_{s−1})/h and
 * divided by h the differences Δ = (x0_s − x0_{s−1})/r, Δ' the one before,
 *
 * <pre>
 * 1    x_t = σ_t/σ_s · x_s + α_t (1 − e^{−h}) · x0_s                                              which is DDIM
 * 2M   … + α_t (1 − e^{−h})/2 · Δ
 * 3M   … + α_t φ₂ · (Δ + r/(r + r') · (Δ − Δ')) + α_t φ₃ · 2/(r + r') · (Δ − Δ')
 *                                     φ₂ = 1 − (1 − e^{−h})/h,    φ₃ = 1/2 − φ₂/h
 * </pre>
 *
 * <p>The first steps have fewer predictions and a lower order; so have the last ones of fewer than 15 steps, the last
 * to a noiseless sample (λ infinite), and those that look back on pure noise (1/r = 0). The parabola of 3M is
 * integrated exactly; diffusers and the authors' code halve the term with φ₃.
 *
 * <p>Timesteps are spaced as in diffusers, whose "leading" ones of this solver start lower than DDIM's; or evenly down
 * from the level where an inversion ended, which is nearer the ODE's solution than a start at another level.
 *
 * @param firstOrder the process, and the last level; "leading" and "linspace" timesteps are spaced for a noiseless end
 * @param order 1 to 3
 * @param noisiest where to start; where the spacing does if empty
 * @see <a href="https://arxiv.org/abs/2211.01095">Lu et al., DPM-Solver++, Algorithm 2</a>
 * @see <a
 *     href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/schedulers/scheduling_dpmsolver_multistep.py">diffusers'
 *     DPMSolverMultistepScheduler with algorithm_type dpmsolver++ and solver_type midpoint</a>
 */
public record DpmSolverMultistepScheduler(DdimScheduler firstOrder, int order, OptionalInt noisiest)
        implements Scheduler {
    private static final int FEW_STEPS = 15;

    /** A noise level that is passed, x = signal · x0 + noise · ε, and how x0 follows from a sample and output there. */
    private record Level(double timestep, double signal, double noise, PredictionType.Linear original) {}

    public DpmSolverMultistepScheduler {
        if (order < 1 || order > 3) {
            throw new IllegalArgumentException("solver_order must be 1, 2 or 3, cannot be: " + order);
        }
        if (noisiest.orElse(1) < 1 || noisiest.orElse(1) >= firstOrder.trainTimesteps()) {
            throw new IllegalArgumentException("sampling must start from a trained timestep, 1.."
                    + (firstOrder.trainTimesteps() - 1) + ", cannot start from: " + noisiest.getAsInt());
        }
    }

    /** A scheduler that starts where the process' timestep spacing does. */
    public DpmSolverMultistepScheduler(DdimScheduler firstOrder, int order) {
        this(firstOrder, order, OptionalInt.empty());
    }

    @Override
    public Scheduler startingAt(double timestep) {
        return new DpmSolverMultistepScheduler(firstOrder, order, OptionalInt.of((int) timestep));
    }

    @Override
    public List<Step> sampling(int steps) {
        return table(levels(steps));
    }

    @Override
    public List<Step> tail(int steps, int last) {
        if (last < 1 || last > steps) {
            throw new IllegalArgumentException(
                    "The last steps must be 1 to all " + steps + " of them, cannot be: " + last);
        }
        return table(levels(steps).subList(steps - last, steps + 1));
    }

    @Override
    public float[] addNoise(float[] original, float[] noise, double timestep) {
        return firstOrder.addNoise(original, noise, timestep);
    }

    /**
     * Always refused: a noiseless sample, λ infinite, has no steps of higher order.
     *
     * @throws IllegalArgumentException always
     */
    @Override
    public List<Step> inversion(int steps) {
        throw new IllegalArgumentException("an inversion must be by a solver that inverts, cannot be by: " + solver()
                + "; set inversion.method to " + firstOrder.solver());
    }

    @Override
    public Solver solver() {
        return switch (order) {
            case 1 -> firstOrder.solver();
            case 2 -> Solver.DPM_SOLVER_2M;
            default -> Solver.DPM_SOLVER_3M;
        };
    }

    @Override
    public int trainTimesteps() {
        return firstOrder.trainTimesteps();
    }

    @Override
    public String description() {
        return "DPM-Solver++ of order " + order + " on the levels of " + firstOrder.description();
    }

    /** The N + 1 levels in falling order of noise. */
    private List<Level> levels(int steps) {
        int[] ascending = timesteps(steps);
        List<Level> levels = new ArrayList<>();
        for (int i = steps - 1; i >= 0; i--) {
            levels.add(level(ascending[i], firstOrder.noise().alphaCumprod(ascending[i])));
        }
        levels.add(level(0, firstOrder.finalAlphaCumprod()));
        return levels;
    }

    /** The timesteps in ascending order. None is 0, for which the last level stands. */
    private int[] timesteps(int steps) {
        int most = noisiest.orElse(trainTimesteps() - 1);
        if (steps < 1 || steps > most) {
            throw new IllegalArgumentException("steps must be in 1.." + most + ", cannot be: " + steps);
        }
        if (noisiest.isPresent()) {
            return IntStream.rangeClosed(1, steps)
                    .map(i -> (int) Math.rint((double) most * i / steps))
                    .toArray();
        }
        int[] spaced = firstOrder.spacing().timestepsAboveNoiseless(steps, trainTimesteps(), firstOrder.stepsOffset());
        if (spaced[steps - 1] > most) {
            throw new IllegalArgumentException("steps must keep to the trained timesteps 0.." + most + ", cannot be: "
                    + steps + ", which with steps_offset " + firstOrder.stepsOffset() + " reaches timestep "
                    + spaced[steps - 1] + "; choose fewer steps");
        }
        return spaced;
    }

    private Level level(int timestep, double alphaCumprod) {
        PredictionType.Linear original = firstOrder.prediction().original(alphaCumprod);
        return new Level(timestep, Math.sqrt(alphaCumprod), Math.sqrt(1 - alphaCumprod), original);
    }

    private List<Step> table(List<Level> levels) {
        return IntStream.range(0, levels.size() - 1)
                .mapToObj(i -> step(levels, i))
                .toList();
    }

    private Step step(List<Level> levels, int i) {
        Level from = levels.get(i);
        double[] weights = originals(levels, i);
        List<Double> samples = new ArrayList<>();
        List<Double> outputs = new ArrayList<>();
        for (int j = 0; j < weights.length; j++) {
            PredictionType.Linear original = levels.get(i - j).original();
            double carried = j == 0 ? levels.get(i + 1).noise() / from.noise() : 0; // σ_t/σ_s
            samples.add(carried + weights[j] * original.sample());
            outputs.add(weights[j] * original.output());
        }
        return new Step(from.timestep(), samples, outputs, 0);
    }

    /** The weights of the predicted originals of level i and those before, newest first. */
    private double[] originals(List<Level> levels, int i) {
        Level from = levels.get(i);
        Level to = levels.get(i + 1);
        double first = to.signal() - to.noise() / from.noise() * from.signal(); // α_t (1 − e^{−h})
        int orders = order(levels, i);
        if (orders == 1) {
            return new double[] {first};
        }
        double h = logRatio(from, to);
        double r = logRatio(levels.get(i - 1), from) / h;
        if (orders == 2) {
            double half = first / 2 / r;
            return new double[] {first + half, -half};
        }
        double before = logRatio(levels.get(i - 2), levels.get(i - 1)) / h;
        double second = to.signal() - first / h; // α_t φ₂
        double third = to.signal() / 2 - second / h; // α_t φ₃
        double curvature = (second * r + 2 * third) / (r + before); // of Δ − Δ'
        double newer = (second + curvature) / r;
        double older = -curvature / before;
        return new double[] {first + newer, older - newer, -older};
    }

    private int order(List<Level> levels, int i) {
        int steps = levels.size() - 1;
        int left = steps - i;
        int highest = Math.min(order, i + 1);
        double noise = levels.get(i + 1).noise();
        if (noise == 0 || noise == levels.get(i).noise()) {
            return 1;
        }
        return steps < FEW_STEPS ? Math.min(highest, left) : highest;
    }

    /** λ_to − λ_from; infinite from pure noise. */
    private static double logRatio(Level from, Level to) {
        return Math.log(to.signal() * from.noise() / (to.noise() * from.signal()));
    }
}
