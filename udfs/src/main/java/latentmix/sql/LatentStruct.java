package latentmix.sql;

import static org.apache.spark.sql.types.DataTypes.BinaryType;
import static org.apache.spark.sql.types.DataTypes.DoubleType;
import static org.apache.spark.sql.types.DataTypes.IntegerType;

import latentmix.latent.Degeneracy;
import latentmix.latent.Latent;
import latentmix.latent.Mixture;
import latentmix.latent.Mixture.Mixed;
import latentmix.latent.Shape;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.StructType;

/**
 * A latent as a column: {@code struct<channels int, height int, width int, data binary>}, data float32 little-endian.
 */
final class LatentStruct {
    static final StructType TYPE = new StructType()
            .add("channels", IntegerType)
            .add("height", IntegerType)
            .add("width", IntegerType)
            .add("data", BinaryType);

    /** The type of the column {@code degeneracy} of the table {@code mixed}. */
    static final StructType DEGENERACY = new StructType()
            .add("norm", DoubleType)
            .add("channel_mean", DoubleType)
            .add("low_band", DoubleType)
            .add("middle_band", DoubleType)
            .add("high_band", DoubleType)
            .add("horizontal", DoubleType)
            .add("vertical", DoubleType);

    private LatentStruct() {}

    static Row degeneracy(Degeneracy scores) {
        return RowFactory.create(
                scores.norm(),
                scores.channelMean(),
                scores.lowBand(),
                scores.middleBand(),
                scores.highBand(),
                scores.horizontal(),
                scores.vertical());
    }

    static Latent latent(Row row) {
        return Latent.ofFloat32(new Shape(row.getInt(0), row.getInt(1), row.getInt(2)), row.getAs(3));
    }

    /** The mixture's latent, null if it is undefined. */
    static Row row(Mixture mixture) {
        if (!(mixture instanceof Mixed mixed)) {
            return null;
        }
        var shape = mixed.latent().shape();
        return RowFactory.create(
                shape.channels(), shape.height(), shape.width(), mixed.latent().toFloat32());
    }
}
