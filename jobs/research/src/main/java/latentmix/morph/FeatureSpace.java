package latentmix.morph;

import java.util.List;
import java.util.stream.IntStream;
import latentmix.codec.Level;
import latentmix.image.Pixels;
import latentmix.image.Resize;
import latentmix.model.ImageEncoder;
import latentmix.work.Batches;

/**
 * A space in which pictures have distances: a point stands for each picture, and the farther apart two points are, the
 * more the pictures differ.
 */
@FunctionalInterface
public interface FeatureSpace {
    /** The number of pictures that a network sees at a time. */
    int BATCH = 16;

    /** A point for each picture, all of one length. */
    List<double[]> features(List<Pixels> pictures);

    /** The colours of the picture at a quarter of its size: differences that an eye at some distance sees. */
    static FeatureSpace blurred() {
        return pictures -> pictures.stream().map(FeatureSpace::blurred).toList();
    }

    /** A network's features, such as CLIP's. */
    static FeatureSpace of(ImageEncoder encoder) {
        return pictures -> Batches.of(pictures, BATCH).stream()
                .flatMap(batch -> encoder.encode(batch).stream())
                .map(features -> IntStream.range(0, features.length)
                        .mapToDouble(i -> features[i])
                        .toArray())
                .toList();
    }

    private static double[] blurred(Pixels picture) {
        byte[] rgb = Resize.to(picture, Math.max(1, picture.width() / 4), Math.max(1, picture.height() / 4))
                .rgb();
        double[] colours = new double[rgb.length];
        for (int i = 0; i < colours.length; i++) {
            colours[i] = Level.share(rgb[i]);
        }
        return colours;
    }

    /** The distances between neighbours in a row of pictures, one fewer than pictures. */
    default double[] steps(List<Pixels> pictures) {
        List<double[]> points = features(pictures);
        double[] steps = new double[points.size() - 1];
        for (int i = 0; i < steps.length; i++) {
            double square = 0;
            for (int p = 0; p < points.get(i).length; p++) {
                square += Math.pow(points.get(i + 1)[p] - points.get(i)[p], 2);
            }
            steps[i] = Math.sqrt(square);
        }
        return steps;
    }
}
