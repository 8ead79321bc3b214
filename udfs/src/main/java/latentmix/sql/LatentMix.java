package latentmix.sql;

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
        var first = LatentStruct.latent(latents.apply(0));
        var state = LatentCentroid.state(method, first.shape(), classMean, poolSize);
        for (int i = 0; i < latents.size(); i++) {
            state.add(LatentStruct.latent(latents.apply(i)), weights.apply(i));
        }
        return LatentStruct.row(state.finish());
    }
}
