package latentmix.work;

import java.util.stream.IntStream;
import latentmix.codec.LittleEndian;
import latentmix.table.FeatureRow;
import latentmix.table.FeaturesTable;

/** A row of features, read: what a network says of one image. */
record FeatureVector(String id, float[] features, float[] logits) {
    static FeatureVector of(FeaturesTable.Answer row) {
        return new FeatureVector(row.id(), LittleEndian.floats(row.features()), LittleEndian.floats(row.logits()));
    }

    double[] doubles() {
        return IntStream.range(0, features.length).mapToDouble(d -> features[d]).toArray();
    }

    /** softmax(logits). */
    double[] probabilities() {
        double most = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            most = Math.max(most, logit);
        }
        double[] probabilities = new double[logits.length];
        double sum = 0;
        for (int k = 0; k < logits.length; k++) {
            probabilities[k] = Math.exp(logits[k] - most);
            sum += probabilities[k];
        }
        for (int k = 0; k < logits.length; k++) {
            probabilities[k] /= sum;
        }
        return probabilities;
    }

    FeatureRow row(String classId, int halvings, String settingsId) {
        return new FeatureRow(
                id, classId, LittleEndian.bytes(features), LittleEndian.bytes(logits), halvings, settingsId);
    }

    boolean finite() {
        for (float[] values : new float[][] {features, logits}) {
            for (float value : values) {
                if (!Float.isFinite(value)) {
                    return false;
                }
            }
        }
        return true;
    }
}
