package latentmix.sql;

import static org.apache.spark.sql.types.DataTypes.DoubleType;
import static org.apache.spark.sql.types.DataTypes.FloatType;
import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.StringType;
import static org.apache.spark.sql.types.DataTypes.createArrayType;

import java.util.List;
import latentmix.latent.Degeneracy;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;

/**
 * The SQL functions over latents, {@code struct<channels int, height int, width int, data binary>} with float32
 * little-endian data.
 *
 * <pre>
 * latent_norm(latent)                                                  double
 * latent_channel_mean(latent)                                          array of C doubles
 * latent_to_array(latent)                                              array of C·H·W floats, row-major
 * latent_degeneracy(latent)                                            a struct of doubles: the {@link Degeneracy}
 * latent_mix(latents, weights, method[, class_mean[, pool_size]])      latent
 * latent_centroid(latent, weight, method[, class_mean[, pool_size]])   latent, an aggregate
 * </pre>
 *
 * Weights are divided by their sum. A method is named as in {@link latentmix.latent.Method}: the aggregate takes those
 * of the grid, whose mixtures are sums, latent_mix also those beside it that draw no noise. One of cmm or cog needs
 * class_mean, a latent, and lol/cmm also pool_size, the number of latents that this is the mean of. A mixture that is
 * undefined is NULL.
 */
public final class LatentFunctions {
    static final List<LatentFunction> ALL = List.of(
            new LatentFunction(
                    "latent_norm",
                    "latent_norm(latent) - Returns the L2 norm of a latent.",
                    new StructType().add("latent", LatentStruct.TYPE),
                    1,
                    functions.udf(
                            (UDF1<Row, Double>) row -> row == null
                                    ? null
                                    : LatentStruct.latent(row).norm(),
                            DoubleType)),
            new LatentFunction(
                    "latent_channel_mean",
                    "latent_channel_mean(latent) - Returns each channel's mean, an array.",
                    new StructType().add("latent", LatentStruct.TYPE),
                    1,
                    functions.udf(
                            (UDF1<Row, double[]>) row -> row == null
                                    ? null
                                    : LatentStruct.latent(row).channelMeans(),
                            createArrayType(DoubleType, false))),
            new LatentFunction(
                    "latent_to_array",
                    "latent_to_array(latent) - Returns the entries, row-major, an array of floats.",
                    new StructType().add("latent", LatentStruct.TYPE),
                    1,
                    functions.udf(
                            (UDF1<Row, float[]>) row -> row == null
                                    ? null
                                    : LatentStruct.latent(row).toFloats(),
                            createArrayType(FloatType, false))),
            new LatentFunction(
                    "latent_degeneracy",
                    "latent_degeneracy(latent) - Returns how far a latent is from N(0, I), a struct"
                            + " of norm, channel_mean, low_band, middle_band,"
                            + " high_band (1 in noise), horizontal and vertical (0 in noise).",
                    new StructType().add("latent", LatentStruct.TYPE),
                    1,
                    functions.udf(
                            (UDF1<Row, Row>) row -> row == null
                                    ? null
                                    : LatentStruct.degeneracy(Degeneracy.of(LatentStruct.latent(row))),
                            LatentStruct.DEGENERACY)),
            new LatentFunction(
                    "latent_mix",
                    "latent_mix(latents, weights, method[, class_mean[, pool_size]]) - Returns the"
                            + " mixture of an array of latents"
                            + " by as many weights; method is norm/split or norm/split@scope, such as"
                            + " 'nin/chm', or slerp, spherical-mean,"
                            + " nao, adain or cog.",
                    mixing("latents", createArrayType(LatentStruct.TYPE), "weights", createArrayType(DoubleType)),
                    3,
                    functions.udf(new LatentMix(), LatentStruct.TYPE)),
            new LatentFunction(
                    "latent_centroid",
                    "latent_centroid(latent, weight, method[, class_mean[, pool_size]]) - Returns"
                            + " the mixture of a group's latents"
                            + " by their weights; method is norm/split or norm/split@scope, such as 'nin/chm'.",
                    mixing("latent", LatentStruct.TYPE, "weight", DoubleType),
                    3,
                    functions.udaf(
                            new LatentCentroid(),
                            Encoders.row(mixing("latent", LatentStruct.TYPE, "weight", DoubleType)))));

    private LatentFunctions() {}

    /**
     * Makes the functions known to a session; the same as starting it with
     * {@code spark.sql.extensions=latentmix.sql.LatentmixExtensions}.
     */
    public static void register(SparkSession spark) {
        var registry = ((org.apache.spark.sql.classic.SparkSession) spark)
                .sessionState()
                .functionRegistry();
        ALL.forEach(function -> registry.registerFunction(function.identifier(), function.info(), function));
    }

    private static StructType mixing(String latents, DataType latentsType, String weights, DataType weightsType) {
        return new StructType()
                .add(latents, latentsType)
                .add(weights, weightsType)
                .add("method", StringType)
                .add("class_mean", LatentStruct.TYPE)
                .add("pool_size", IntegerType);
    }
}
