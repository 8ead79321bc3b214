package latentmix.training;

import java.util.Map;
import org.apache.commons.rng.UniformRandomProvider;

/** Labelled rows of numbers that a classifier is trained on and judged by. */
public interface Examples {
    int count();

    /** The number of a row's class. */
    int label(int index);

    /** The classes of a row's label and the share of each, with a sum of 1: its class alone, unless it is soft. */
    Map<Integer, Double> shares(int index);

    /** The row as it is. */
    float[] plain(int index);

    /** The row as a training sees it, which may be another each time. */
    float[] seen(int index, UniformRandomProvider rng);
}
