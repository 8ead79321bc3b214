package latentmix.work;

import java.io.IOException;
import java.util.Comparator;
import java.util.stream.IntStream;
import latentmix.latent.Shape;

/**
 * Which images of a pool are nearest to one of them: by the Euclidean distance of their encoded latents, each channel
 * averaged over a grid of 8 × 8 cells.
 *
 * <p>It is one pass over the pool's encoded latents, of which C · 64 numbers an image are kept, and C · 64 · M products
 * for each image that is asked for.
 */
final class EncodedNeighbours {
    private static final int CELLS = 8;

    private final float[][] features; // (M) of (C · cells)

    /** Reads the pool's encoded latents. */
    EncodedNeighbours(InvertedPool pool) throws IOException {
        features = new float[pool.size()][];
        Shape shape = pool.shape();
        pool.forEachEncoded((index, values) -> features[index] = averaged(shape, values));
    }

    private static float[] averaged(Shape shape, double[] values) {
        int rows = Math.min(CELLS, shape.height());
        int columns = Math.min(CELLS, shape.width());
        double[] sums = new double[shape.channels() * rows * columns];
        int[] counts = new int[sums.length];
        for (int i = 0; i < values.length; i++) {
            int row = i % shape.plane() / shape.width() * rows / shape.height();
            int column = i % shape.width() * columns / shape.width();
            int cell = (i / shape.plane() * rows + row) * columns + column;
            sums[cell] += values[i];
            counts[cell]++;
        }
        float[] averaged = new float[sums.length];
        for (int cell = 0; cell < sums.length; cell++) {
            averaged[cell] = (float) (sums[cell] / counts[cell]);
        }
        return averaged;
    }

    /** The indices of the k nearest images to one, or of all others where they are fewer; of equal ones the first. */
    int[] nearest(int index, int k) {
        double[] distances = new double[features.length];
        for (int i = 0; i < distances.length; i++) {
            for (int d = 0; d < features[i].length; d++) {
                double difference = features[i][d] - features[index][d];
                distances[i] += difference * difference;
            }
        }
        return IntStream.range(0, distances.length)
                .filter(i -> i != index)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> distances[i]))
                .limit(k)
                .mapToInt(Integer::intValue)
                .toArray();
    }
}
