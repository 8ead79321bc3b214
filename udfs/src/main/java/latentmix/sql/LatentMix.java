package latentmix.sql;

import java.util.ArrayList;
import latentmix.latent.Blend;
import latentmix.latent.Latent;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF5;
import scala.collection.Seq;

/** The function {@code latent_mix}: the mixture of an array of latents by an array of weights. */
final class LatentMix implements UDF5<Seq<Row>, Seq<Double>, String, Row, Integer, Row> {
    @Override
    public Row call(Seq<Row> latents, Seq<Double> weights, String method, Row classMean, Integer poolSize) {
        if (latents == null || weights == null || latents.isEmpty()) {
            return null;
        }
        if (latents.size() != weights.size() || latents.contains(null) || weights.contains(null)) {
            throw new IllegalArgumentException(
                    "latent_mix must have one weight for each latent and no NULL among them, cannot have: "
                            + latents.size() + " latents and " + weights.size() + " weights");
        }
        var inputs = new ArrayList<Latent>();
        for (int i = 0; i < latents.size(); i++) {
            inputs.add(LatentStruct.latent(latents.apply(i)));
        }
        var shape = inputs.get(0).shape();
        if (LatentCentroid.method(method, classMean, poolSize) instanceof Blend blend) {
            var mean = LatentCentroid.classMean(blend, classMean, poolSize);
            return LatentStruct.row(blend.mix(Blend.Inputs.of(inputs, unboxed(weights), mean)));
        }
        var state = LatentCentroid.state(method, shape, classMean, poolSize);
        for (int i = 0; i < inputs.size(); i++) {
            state.add(inputs.get(i), weights.apply(i));
        }
        return LatentStruct.row(state.finish());
    }

    private static double[] unboxed(Seq<Double> weights) {
        var unboxed = new double[weights.size()];
        for (int i = 0; i < unboxed.length; i++) {
            unboxed[i] = weights.apply(i);
        }
        return unboxed;
    }
}
