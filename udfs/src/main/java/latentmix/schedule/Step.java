package latentmix.schedule;

import java.util.List;
import java.util.stream.DoubleStream;

/**
 * One row of a scheduler's table: the next latents as a linear combination of samples and model outputs seen so far,
 *
 * <pre>next = Σ_j samples[j] · x_{i−j} + Σ_j outputs[j] · m_{i−j} + noise · z,    m_i = network(x_i, timestep)</pre>
 *
 * where j = 0 is the current step, j = 1 the one before, and z is standard normal (noise 0: deterministic).
 */
public record Step(double timestep, List<Double> samples, List<Double> outputs, double noise) {
    public Step {
        samples = List.copyOf(samples);
        outputs = List.copyOf(outputs);
        if (samples.isEmpty() || outputs.isEmpty()) {
            throw new IllegalArgumentException("A step must have a coefficient for the current sample and output");
        }
        DoubleStream coefficients = DoubleStream.concat(
                DoubleStream.of(timestep, noise), DoubleStream.concat(unboxed(samples), unboxed(outputs)));
        if (!coefficients.allMatch(Double::isFinite)) {
            throw new IllegalArgumentException("A step's numbers must be finite, cannot be: timestep " + timestep
                    + ", samples " + samples + ", outputs " + outputs + ", noise " + noise);
        }
    }

    /** A deterministic one-step method's row: next = sample · x + output · m. */
    public static Step of(double timestep, double sample, double output) {
        return new Step(timestep, List.of(sample), List.of(output), 0);
    }

    /**
     * A deterministic one-step row solved for the sample it started from: x = next / sample − output / sample · m, with
     * m predicted at x.
     *
     * @throws IllegalArgumentException if the row looks back, draws noise, or forgets its sample
     */
    public Step solved() {
        if (samples.size() > 1 || outputs.size() > 1 || noise != 0 || samples.get(0) == 0) {
            throw new IllegalArgumentException(
                    "Only a deterministic one-step row that keeps its sample can be solved for it, cannot be: " + this);
        }
        return of(timestep, 1 / samples.get(0), -outputs.get(0) / samples.get(0));
    }

    private static DoubleStream unboxed(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue);
    }
}
