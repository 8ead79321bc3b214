package latentmix.training;

import org.apache.commons.rng.UniformRandomProvider;

/** Labelled rows of numbers that a classifier is trained on and judged by. */
public interface Examples {
    int count();

    /** The number of a row's class. */
    int label(int index);

    /** The row as it is. */
    float[] plain(int index);

    /** The row as a training sees it, which may be another each time. */
    float[] seen(int index, UniformRandomProvider rng);
}
