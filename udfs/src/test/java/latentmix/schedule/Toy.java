package latentmix.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleBinaryOperator;

/**
 * A diffusion or flow of one number whose ODE is known in closed form: x0 normal with this mean and deviation, so that
 * a sample x = α·x0 + σ·ε is α·mean + √(α²·deviation² + σ²)·z with the same z at every level.
 */
record Toy(double mean, double deviation) {
    static final Toy NARROW = new Toy(0.7, 0.4);

    /** The end of the ODE's path from z standard deviations off the mean. */
    double exact(double alpha, double sigma, double z) {
        return alpha * mean + spread(alpha, sigma) * z;
    }

    /** The expectation of x0 given a sample: what a perfect network predicts. */
    double original(double alpha, double sigma, double x) {
        double gain = alpha * deviation * deviation / Math.pow(spread(alpha, sigma), 2);
        return mean + gain * (x - alpha * mean);
    }

    /** The expectation of ε given a sample. */
    double noise(double alpha, double sigma, double x) {
        return sigma / Math.pow(spread(alpha, sigma), 2) * (x - alpha * mean);
    }

    private double spread(double alpha, double sigma) {
        return Math.hypot(alpha * deviation, sigma);
    }

    /** A table's rows on one number in double, whatever they look back on. */
    static double run(List<Step> table, double start, DoubleBinaryOperator network) {
        List<Double> samples = new ArrayList<>(List.of(start)); // newest first
        List<Double> outputs = new ArrayList<>();
        for (Step step : table) {
            outputs.add(0, network.applyAsDouble(samples.get(0), step.timestep()));
            double next = 0;
            for (int j = 0; j < step.samples().size(); j++) {
                next += step.samples().get(j) * samples.get(j);
            }
            for (int j = 0; j < step.outputs().size(); j++) {
                next += step.outputs().get(j) * outputs.get(j);
            }
            samples.add(0, next);
        }
        return samples.get(0);
    }
}
