package latentmix.work;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.IntStream;
import latentmix.table.FeatureRow;

/** A row of features, read: what a network says of one image. */
record FeatureVector(String id, float[] features, float[] logits) {
    /** The columns of the features table that metrics read. */
    record Stored(String id, byte[] features, byte[] logits) {}

    static FeatureVector of(Stored row) {
        return new FeatureVector(row.id(), floats(row.features()), floats(row.logits()));
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
        return new FeatureRow(id, classId, bytes(features), bytes(logits), halvings, settingsId);
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

    private static float[] floats(byte[] bytes) {
        float[] values = new float[bytes.length / Float.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        return values;
    }

    private static byte[] bytes(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }
}
