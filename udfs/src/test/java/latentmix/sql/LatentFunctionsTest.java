package latentmix.sql;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.latent.Degeneracy;
import latentmix.latent.Latent;
import latentmix.latent.LatentPool;
import latentmix.latent.Latents;
import latentmix.latent.MeanAdjusted;
import latentmix.latent.Method;
import latentmix.latent.Mixer;
import latentmix.latent.Mixture;
import latentmix.latent.Mixture.Mixed;
import latentmix.latent.Recipe;
import latentmix.latent.Shape;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The SQL functions in a local Spark with two slots, against the mixer. */
class LatentFunctionsTest {
    private static final Shape SHAPE = new Shape(4, 8, 8);
    private static final int POOL = 40;
    private static final List<Latent> LATENTS = rounded(Latents.normal(SHAPE, POOL, 0.1, "sql"));
    private static SparkSession spark;

    @BeforeAll
    static void start() {
        spark = SparkSession.builder()
                .master("local[2]")
                .config("spark.ui.enabled", "false")
                .config("spark.sql.shuffle.partitions", "3")
                .config("spark.sql.warehouse.dir", "target/warehouse")
                .getOrCreate();
        LatentFunctions.register(spark);
        table("inverted", LATENTS, 3);
    }

    @AfterAll
    static void stop() {
        spark.stop();
    }

    @Test
    void degeneracyIsTheLatentsOwnUnderTheNamesOfTheMixedTable() {
        for (var row : spark.sql(
                        "SELECT id, latent_degeneracy(latent) AS d, latent_degeneracy(NULL) AS none FROM inverted")
                .select("id", "d.norm", "d.channel_mean", "d.high_band", "d.vertical", "none")
                .collectAsList()) {
            var expected = Degeneracy.of(LATENTS.get(row.getInt(0)));
            assertThat(row.getDouble(1)).isEqualTo(expected.norm());
            assertThat(row.getDouble(2)).isEqualTo(expected.channelMean());
            assertThat(row.getDouble(3)).isEqualTo(expected.highBand());
            assertThat(row.getDouble(4)).isEqualTo(expected.vertical());
            assertThat(row.isNullAt(5)).isTrue();
        }
    }

    @Test
    void normMeansAndEntriesAreTheLatentsOwn() {
        for (var row : spark.sql("SELECT id, latent_norm(latent), latent_channel_mean(latent),"
                        + " latent_to_array(latent) FROM inverted")
                .collectAsList()) {
            var latent = LATENTS.get(row.getInt(0));
            assertThat(row.getDouble(1)).isEqualTo(latent.norm());
            assertThat(row.getList(2).toArray())
                    .isEqualTo(IntStream.range(0, 4)
                            .mapToObj(c -> latent.channelMeans()[c])
                            .toArray());
            assertThat(row.getList(3)).hasSize(SHAPE.size()).startsWith((float) latent.values()[0], (float)
                    latent.values()[1]);
        }
    }

    @Test
    void ofNullIsNull() {
        var row = spark.sql(
                        """
                        SELECT latent_norm(NULL), latent_channel_mean(NULL), latent_to_array(NULL),
                            latent_mix(NULL, NULL, 'nin/chm'),
                            latent_centroid(latent, CAST(NULL AS DOUBLE), 'nin/chm') FROM inverted""")
                .head();
        assertThat(IntStream.range(0, 5).allMatch(row::isNullAt)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "5, 3", "40, 1", "40, 3", "40, 17"})
    void aCentroidOfAnyRowsInAnyPartitionsIsTheMixersOwn(int rows, int partitions) {
        table("some", LATENTS.subList(0, rows), partitions);
        assertAllSame(
                Stream.of("lin/0", "fix/0", "nin/m", "nin/chm", "lol/0", "ess/lp", "nin/chm@channel", "ess/0@band"),
                "latent_centroid(latent, weight, '%s')",
                "some",
                rows);
    }

    @Test
    void everyMethodsCentroidIsTheMixersOwn() {
        assertAllSame(
                MeanAdjusted.all().stream().map(Method::toString),
                "latent_centroid(latent, weight, '%s', mean, 40)",
                "inverted, (SELECT latent_centroid(latent, 1, 'lin/0') AS mean FROM inverted) WHERE id < 7",
                7);
    }

    @Test
    void everyMethodsMixOfAnArrayIsTheMixersOwn() {
        assertAllSame(
                MeanAdjusted.all().stream().map(Method::toString),
                "latent_mix(latents, weights, '%s', mean, 40)",
                """
                (SELECT array_agg(latent) AS latents, array_agg(weight) AS weights FROM inverted WHERE id < 7),
                (SELECT latent_centroid(latent, 1, 'lin/0') AS mean FROM inverted)""",
                7);
    }

    @Test
    void aBlendOfAnArrayIsTheMixersOwn() {
        assertAllSame(
                Stream.of("slerp", "spherical-mean", "adain"),
                "latent_mix(latents, weights, '%s')",
                "(SELECT array_agg(latent) AS latents, array_agg(weight) AS weights FROM inverted WHERE id < 2)",
                2);
        assertAllSame(
                Stream.of("spherical-mean", "adain", "cog", "cog(chm)"),
                "latent_mix(latents, weights, '%s', mean)",
                """
                (SELECT array_agg(latent) AS latents, array_agg(weight) AS weights FROM inverted WHERE id < 7),
                (SELECT latent_centroid(latent, 1, 'lin/0') AS mean FROM inverted)""",
                7);
    }

    @Test
    void eachGroupHasItsOwnCentroid() {
        var rows = spark.sql("SELECT id % 4, latent_centroid(latent, weight, 'nin/chm') FROM inverted GROUP BY id % 4")
                .collectAsList();
        assertThat(rows).hasSize(4).allSatisfy(row -> {
            int group = row.getInt(0);
            var inputs = IntStream.range(0, POOL).filter(i -> i % 4 == group).toArray();
            assertSame(LatentStruct.latent(row.getStruct(1)), mixed("nin/chm", inputs));
        });
    }

    @Test
    void aCentroidIsSummedBeforeTheShuffle() {
        var plan = spark.sql("SELECT id % 4, latent_centroid(latent, weight, 'nin/chm') FROM inverted GROUP BY id % 4")
                .queryExecution()
                .executedPlan()
                .toString();
        assertThat(plan).contains("partial_latent_centroid", "Exchange");
        assertThat(plan.indexOf("partial_latent_centroid")).isGreaterThan(plan.indexOf("Exchange")); // below it
    }

    @Test
    void anUndefinedMixtureIsNull() {
        var mean = "(SELECT latent_centroid(latent, 1, 'lin/0') FROM inverted)";
        assertThat(spark.sql("SELECT latent_centroid(latent, 1, 'nin/cmm', " + mean + ") FROM inverted")
                        .head()
                        .isNullAt(0))
                .isTrue();
        assertThat(spark.sql("SELECT latent_centroid(latent, 0, 'nin/chm') FROM inverted")
                        .head()
                        .isNullAt(0))
                .isTrue();
        assertThat(spark.sql("SELECT latent_centroid(latent, 1, 'nin/chm') FROM inverted WHERE id < 0")
                        .head()
                        .isNullAt(0))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "latent_centroid(latent, 1, 'nin/cmm')",
                "latent_centroid(latent, 1, 'fix/cmm@band', NULL)",
                "latent_centroid(latent, 1, concat('nin/', 'cmm', substr('x', 2)))",
                "latent_mix(array(latent), array(1), 'nin/cmm')",
                "latent_mix(array(latent), array(1), concat('nin/', 'cmm', substr('x', 2 + id)))"
            })
    void aClassMeanMethodWithoutClassMeanIsAnError(String call) {
        assertThatThrownBy(() -> spark.sql("SELECT " + call + " FROM inverted").collectAsList())
                .hasStackTraceContaining("needs the class mean");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "latent_centroid(latent, 1, 'nin/x') | must be one of 0 m chm lp cmm",
                "latent_centroid(latent, 1, 'lol/cmm', latent) | needs as the fifth argument",
                "latent_centroid(latent, 1, 'slerp') | use latent_mix(array_agg(latent), array_agg(weight), 'slerp')",
                "latent_centroid(latent, 1, concat('na', 'o', substr('x', 2))) | use latent_mix(array_agg(latent)",
                "latent_mix(array(latent), array(1), 'slerp') | takes exactly 2 inputs, cannot take: 1",
                "latent_mix(array(latent), array(1), 'tint(0.3)') | run latentmix mix",
                "latent_mix(array(latent), array(1), 'cog') | needs the class mean",
                "latent_mix(array(latent, latent), array(1, -1), 'slerp') | must not be negative",
                "latent_centroid(latent, 1) | must have 3 to 5 arguments, cannot have: 2",
                "latent_norm(latent, 1) | must have 1 arguments, cannot have: 2",
                "latent_norm(id) | DATATYPE_MISMATCH",
                "latent_centroid(latent, -1, 'nin/chm') | at least 0, cannot be: -1",
                "latent_mix(array(latent), array(1, 1), 'nin/chm') | one weight for each latent",
                "latent_norm(named_struct('channels', 4, 'height', 8, 'width', 9, 'data',"
                        + " latent.data)) | must have 1152 bytes of float32, cannot have: 1024"
            })
    void mistakesAreNamed(String call, String message) {
        assertThatThrownBy(() -> spark.sql("SELECT " + call + " FROM inverted").collectAsList())
                .hasStackTraceContaining(message);
    }

    /** The view (id, latent, weight), weight = id % 5 + 1. */
    private static void table(String name, List<Latent> latents, int partitions) {
        var rows = new ArrayList<Row>();
        for (int i = 0; i < latents.size(); i++) {
            rows.add(RowFactory.create(i, LatentStruct.row(new Mixed(latents.get(i), 1, 1)), weight(i)));
        }
        spark.createDataFrame(
                        rows,
                        new StructType()
                                .add("id", DataTypes.IntegerType)
                                .add("latent", LatentStruct.TYPE)
                                .add("weight", DataTypes.DoubleType))
                .repartition(partitions)
                .createOrReplaceTempView(name);
    }

    private static double weight(int id) {
        return id % 5 + 1;
    }

    /** Asserts that a call gives for each method what the mixer makes of the first rows, all in one query. */
    private static void assertAllSame(Stream<String> methods, String call, String from, int rows) {
        var names = methods.toList();
        var row = spark.sql(names.stream().map(call::formatted).collect(joining(", ", "SELECT ", " FROM " + from)))
                .head();
        var inputs = IntStream.range(0, rows).toArray();
        for (int i = 0; i < names.size(); i++) {
            assertSame(LatentStruct.latent(row.getStruct(i)), mixed(names.get(i), inputs));
        }
    }

    private static Mixture mixed(String method, int[] inputs) {
        double sum =
                IntStream.of(inputs).mapToDouble(LatentFunctionsTest::weight).sum();
        var weights = IntStream.of(inputs).mapToDouble(i -> weight(i) / sum).toArray();
        var recipe = new Recipe(Method.parse(method), inputs, weights, Recipe.Pool.ALL);
        return Mixer.mix(LatentPool.of(LATENTS), List.of(recipe)).get(0);
    }

    private static void assertSame(Latent actual, Mixture expected) {
        assertThat(Latents.difference(
                        actual.values(), ((Mixed) expected).latent().values()))
                .isLessThan(1e-6);
    }

    private static List<Latent> rounded(List<Latent> latents) {
        return latents.stream()
                .map(latent -> Latent.ofFloat32(SHAPE, latent.toFloat32()))
                .toList();
    }
}
