package latentmix.metric;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/** Sets of random features of the tests of metrics. */
final class Sketches {
    private Sketches() {}

    /** An image's id: a hash, as ids are. */
    static String id(String name) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    /** Gaussian vectors about (shift, …, shift), of deviation scale, scale/2, scale/3 … */
    static List<float[]> gaussians(int count, int width, double shift, double scale, long seed) {
        Random random = new Random(seed);
        List<float[]> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            float[] row = new float[width];
            for (int d = 0; d < width; d++) {
                row[d] = (float) (shift + scale / (d + 1) * random.nextGaussian());
            }
            rows.add(row);
        }
        return rows;
    }

    static FeatureSketch of(List<float[]> rows, String name, int capacity) {
        FeatureSketch sketch = new FeatureSketch(rows.get(0).length, capacity);
        for (int i = 0; i < rows.size(); i++) {
            sketch.add(id(name + i), rows.get(i));
        }
        return sketch;
    }

    static FeatureSketch of(List<float[]> rows) {
        return of(rows, "x" + rows.size() + " ", 1_000_000);
    }
}
