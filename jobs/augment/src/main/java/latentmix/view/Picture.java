package latentmix.view;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * An image of a class as a grid shows it.
 *
 * @param id a mix id, or an image id
 * @param chunk of the mixed table; empty where the image is real
 * @param k the mixture's number in its entry; 0 where the image is real
 * @param path of a real image, relative to the input root; empty where the image was made
 * @param entry the mixing entry's name
 * @param scores by {@link Score}
 */
record Picture(String id, String chunk, int k, String path, String entry, String method, int inputs, float[] scores) {
    /** What a filter said of a picture. */
    record Verdict(boolean kept, List<String> reasons, float[] scores) {}

    @JsonProperty("real")
    boolean isReal() {
        return chunk.isEmpty();
    }
}
