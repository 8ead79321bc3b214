package latentmix.stage;

import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkContext;
import org.apache.spark.metrics.source.LongAccumulatorSource$;
import org.apache.spark.util.LongAccumulator;
import scala.jdk.javaapi.CollectionConverters;

/**
 * How many rows each stage has finished in this application, as Spark's metrics system shows it: a counter that only
 * grows, such as {@code invert_images}, of the driver's {@code AccumulatorSource}. A task that is run again counts
 * again: for dashboards, not for accounts.
 */
final class RowCounters {
    private static final Map<SparkContext, Map<String, LongAccumulator>> BY_APPLICATION =
            Collections.synchronizedMap(new WeakHashMap<>());

    private RowCounters() {}

    /** The counter of a stage, the same one whenever that stage runs in this application. */
    static LongAccumulator of(SparkContext spark, Job job) {
        return BY_APPLICATION
                .computeIfAbsent(spark, application -> new ConcurrentHashMap<>())
                .computeIfAbsent(job.stage() + "_" + job.unit(), name -> {
                    LongAccumulator counter = spark.longAccumulator(name);
                    LongAccumulatorSource$.MODULE$.register(
                            spark,
                            scala.collection.immutable.Map.from(CollectionConverters.asScala(Map.of(name, counter))));
                    return counter;
                });
    }
}
