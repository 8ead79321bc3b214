package latentmix.schedule;

/**
 * The part of x = √ᾱ·x0 + √(1−ᾱ)·ε that a network predicts, named as diffusers' {@code prediction_type}. Each says how
 * the original x0 and the noise ε follow from the sample x and the output m: linearly, with coefficients of the level
 * ᾱ.
 *
 * @see <a href="https://arxiv.org/abs/2202.00512">Salimans and Ho, Progressive Distillation, Section 4</a>
 */
public enum PredictionType {
    /** The network predicts the noise: m = ε. */
    EPSILON {
        @Override
        Target target(double alpha) {
            return new Target(0, 1);
        }

        @Override
        double unweighted(double snr) {
            return snr;
        }

        @Override
        Linear original(double alpha) {
            return new Linear(1 / Math.sqrt(alpha), -Math.sqrt((1 - alpha) / alpha));
        }

        @Override
        Linear noise(double alpha) {
            return new Linear(0, 1);
        }
    },

    /** The network predicts the velocity: m = v = √ᾱ·ε − √(1−ᾱ)·x0. */
    V_PREDICTION {
        @Override
        Target target(double alpha) {
            return new Target(-Math.sqrt(1 - alpha), Math.sqrt(alpha));
        }

        @Override
        double unweighted(double snr) {
            return snr + 1;
        }

        @Override
        Linear original(double alpha) {
            return new Linear(Math.sqrt(alpha), -Math.sqrt(1 - alpha));
        }

        @Override
        Linear noise(double alpha) {
            return new Linear(Math.sqrt(1 - alpha), Math.sqrt(alpha));
        }
    },

    /** The network predicts the original: m = x0. */
    SAMPLE {
        @Override
        Target target(double alpha) {
            return new Target(1, 0);
        }

        @Override
        double unweighted(double snr) {
            return 1;
        }

        @Override
        Linear original(double alpha) {
            return new Linear(0, 1);
        }

        @Override
        Linear noise(double alpha) {
            return new Linear(1 / Math.sqrt(1 - alpha), -Math.sqrt(alpha / (1 - alpha)));
        }
    };

    /** What the output is: original · x0 + noise · ε. */
    record Target(double original, double noise) {}

    /** What a network is trained to predict at the level ᾱ. */
    abstract Target target(double alpha);

    /** The weight that the squared error of the original x0 has where that of the output has 1, over snr = ᾱ/(1−ᾱ). */
    abstract double unweighted(double snr);

    /** The value sample · x + output · m. */
    record Linear(double sample, double output) {}

    /** The original x0 at the level ᾱ. */
    abstract Linear original(double alpha);

    /** The noise ε at the level ᾱ. */
    abstract Linear noise(double alpha);
}
