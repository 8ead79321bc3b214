package latentmix.sql;

import java.io.Serializable;
import latentmix.latent.CentroidState;
import latentmix.latent.ClassMean;
import latentmix.latent.Lol;
import latentmix.latent.MeanAdjusted;
import latentmix.latent.Method;
import latentmix.latent.Shape;
import org.apache.spark.sql.Encoder;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.encoders.AgnosticEncoder;
import org.apache.spark.sql.catalyst.encoders.AgnosticEncoders.OptionEncoder;
import org.apache.spark.sql.expressions.Aggregator;
import scala.Option;

/**
 * The aggregate {@code latent_centroid}: a {@link CentroidState} for each group, summed where the rows are and merged
 * after the shuffle.
 *
 * <p>A row is (latent, weight, method, class mean, pool size). Rows without latent or weight count for nothing; the
 * class mean is the first row's.
 */
public final class LatentCentroid extends Aggregator<Row, LatentCentroid.Sums, Option<Row>> {
    /** The sums of a group. There is no state before its first latent. Public because Spark asks for it. */
    public static final class Sums implements Serializable {
        private CentroidState state;
    }

    @Override
    public Sums zero() {
        return new Sums();
    }

    @Override
    public Sums reduce(Sums sums, Row row) {
        if (!row.isNullAt(0) && !row.isNullAt(1)) {
            var latent = LatentStruct.latent(row.getStruct(0));
            if (sums.state == null) {
                sums.state = state(row.getString(2), latent.shape(), row.getStruct(3), row.getAs(4));
            }
            sums.state.add(latent, row.getDouble(1));
        }
        return sums;
    }

    @Override
    public Sums merge(Sums one, Sums other) {
        if (one.state == null) {
            return other;
        }
        if (other.state != null) {
            one.state.merge(other.state);
        }
        return one;
    }

    @Override
    public Option<Row> finish(Sums sums) {
        return Option.apply(sums.state == null ? null : LatentStruct.row(sums.state.finish()));
    }

    @Override
    public Encoder<Sums> bufferEncoder() {
        return Encoders.javaSerialization(Sums.class);
    }

    @Override
    public Encoder<Option<Row>> outputEncoder() {
        return new OptionEncoder<>((AgnosticEncoder<Row>) Encoders.row(LatentStruct.TYPE));
    }

    /** An empty centroid of the method that a row names. */
    static CentroidState state(String name, Shape shape, Row classMean, Integer poolSize) {
        var method = summed(method(name, classMean, poolSize));
        return new CentroidState(method, shape, classMean(method, classMean, poolSize));
    }

    /** The class mean for a method that needs one. */
    static ClassMean classMean(Method method, Row classMean, Integer poolSize) {
        if (!method.needsClassMean()) {
            return ClassMean.NONE;
        }
        var map = LatentStruct.latent(classMean).values();
        return poolSize == null ? new ClassMean(map, 0) : ClassMean.ofPool(map, poolSize);
    }

    /** The method, if its mixtures are sums that can be merged. */
    static MeanAdjusted summed(Method method) {
        if (method instanceof MeanAdjusted sum) {
            return sum;
        }
        throw new IllegalArgumentException(
                "latent_centroid must have a method whose mixtures are sums over any number of"
                        + " latents, norm/split, cannot have: '" + method
                        + "'; use latent_mix(array_agg(latent), array_agg(weight), '" + method + "')");
    }

    /**
     * The method of this name. Its arguments must be there.
     *
     * @param classMean null if there is none
     * @param poolSize null if there is none
     */
    static Method method(String name, Object classMean, Object poolSize) {
        if (name == null) {
            throw new IllegalArgumentException("A method must be norm/split or norm/split@scope, cannot be: NULL");
        }
        var method = Method.parse(name);
        if (method.drawsNoise()) {
            throw new IllegalArgumentException("Method " + method
                    + " draws fresh noise, seeded by a run's own ids; name it in mixing.methods and run latentmix mix");
        }
        if (method.needsClassMean() && classMean == null) {
            throw new IllegalArgumentException("Method " + method
                    + " needs the class mean as the fourth argument, a latent; or use another split, such as chm");
        }
        if (method instanceof MeanAdjusted sum
                && sum.needsClassMean()
                && sum.norm() instanceof Lol
                && poolSize == null) {
            throw new IllegalArgumentException("Method " + method
                    + " needs as the fifth argument the number of latents that the class mean is the mean of");
        }
        return method;
    }
}
