package latentmix.latent;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Finds a local minimum of a smooth function by L-BFGS: the gradient, times what the last steps tell of the inverse
 * Hessian, with a step halved until the function falls enough.
 *
 * @see <a href="https://doi.org/10.1007/BF01589116">Liu and Nocedal, On the limited memory BFGS method, algorithm
 *     2.1</a>
 */
final class Minimum {
    private static final int MEMORY = 12;
    private static final int MOST_STEPS = 3000;

    /** The share of the decrease foretold by the slope that a step must reach. */
    private static final double SUFFICIENT = 1e-4;

    private static final int MOST_HALVINGS = 40;

    private Minimum() {}

    /** A function with its gradient. */
    @FunctionalInterface
    interface Objective {
        /** The value at x; writes the gradient there into {@code gradient}. */
        double at(double[] x, double[] gradient);
    }

    private record Step(double[] x, double[] gradient, double curvature) {}

    /**
     * The point near a start where the function is least.
     *
     * @param precision the steps end where one lowers the value by no more than this share of it, or finds nothing
     *     lower
     */
    static double[] near(double[] start, Objective objective, double precision) {
        var x = start.clone();
        var gradient = new double[x.length];
        double value = objective.at(x, gradient);
        Deque<Step> last = new ArrayDeque<>(); // newest first
        for (int step = 0; step < MOST_STEPS; step++) {
            var direction = direction(gradient, last);
            double slope = dot(gradient, direction);
            if (!(slope < 0)) {
                return x;
            }
            var next = new double[x.length];
            var nextGradient = new double[x.length];
            double length = last.isEmpty() ? 1e-3 / Math.sqrt(dot(gradient, gradient)) : 1;
            double lower = Double.POSITIVE_INFINITY;
            for (int halving = 0;
                    halving < MOST_HALVINGS && !(lower <= value + SUFFICIENT * length * slope);
                    halving++) {
                length = halving == 0 ? length : length / 2;
                System.arraycopy(x, 0, next, 0, x.length);
                Vectors.addScaled(length, direction, next);
                lower = objective.at(next, nextGradient);
            }
            if (!(lower < value)) {
                return x;
            }
            var moved = Vectors.difference(next, x);
            var change = Vectors.difference(nextGradient, gradient);
            double curvature = dot(moved, change);
            if (curvature > 0) {
                last.addFirst(new Step(moved, change, curvature));
                if (last.size() > MEMORY) {
                    last.removeLast();
                }
            }
            boolean done = value - lower <= precision * Math.abs(value) && step > MEMORY;
            x = next;
            gradient = nextGradient;
            value = lower;
            if (done) {
                return x;
            }
        }
        return x;
    }

    /** -H · gradient by the two loops over the last steps. */
    private static double[] direction(double[] gradient, Deque<Step> last) {
        var direction = Vectors.quotient(gradient, -1);
        var shares = new double[last.size()];
        int i = 0;
        for (var step : last) {
            shares[i] = dot(step.x(), direction) / step.curvature();
            Vectors.addScaled(-shares[i++], step.gradient(), direction);
        }
        if (!last.isEmpty()) {
            var newest = last.getFirst();
            direction = Vectors.quotient(direction, dot(newest.gradient(), newest.gradient()) / newest.curvature());
        }
        var oldestFirst = last.descendingIterator();
        while (oldestFirst.hasNext()) {
            var step = oldestFirst.next();
            double share = shares[--i] - dot(step.gradient(), direction) / step.curvature();
            Vectors.addScaled(share, step.x(), direction);
        }
        return direction;
    }

    private static double dot(double[] x, double[] y) {
        return Vectors.dot(x, 0, y, 0, x.length);
    }
}
