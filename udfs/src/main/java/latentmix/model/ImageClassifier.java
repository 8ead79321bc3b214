package latentmix.model;

import java.util.List;
import latentmix.image.Pixels;

/** A network that tells the class of an image, and the features it goes by. */
public interface ImageClassifier extends ImageEncoder {
    /** The answer for one image: one logit a class, and the features that the logits are linear in. */
    record Classification(float[] features, float[] logits) {
        /** The class with the largest logit, first of equals. */
        public int label() {
            int best = 0;
            for (int i = 1; i < logits.length; i++) {
                if (logits[i] > logits[best]) {
                    best = i;
                }
            }
            return best;
        }
    }

    /** Classifies all images at once. */
    List<Classification> classify(List<Pixels> images);

    @Override
    default List<float[]> encode(List<Pixels> images) {
        return classify(images).stream().map(Classification::features).toList();
    }
}
