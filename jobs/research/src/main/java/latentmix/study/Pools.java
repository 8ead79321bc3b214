package latentmix.study;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import latentmix.config.ConfigException;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassPool;
import latentmix.table.RunFolder;
import latentmix.work.InvertedPool;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/** Work on a run's classes, each in a Spark task: pools travel, executors read the tables, results come back. */
record Pools(JavaSparkContext spark, String runFolder, List<ClassPool> pools) {
    /** Work on one class's inverted latents. */
    @FunctionalInterface
    interface Work<B> extends Serializable {
        B apply(RunFolder run, ClassLabel label, InvertedPool pool) throws IOException;
    }

    /** Work on one class, whether or not it has been inverted. */
    @FunctionalInterface
    interface Task<B> extends Serializable {
        B apply(RunFolder run, ClassPool pool) throws IOException;
    }

    /** The pools of a run. */
    static Pools of(StudyContext context, StudyRuns.Done run) {
        return new Pools(context.spark(), run.run().root(), run.pools());
    }

    /** The classes, in their order. */
    List<ClassLabel> classes() {
        return pools.stream().map(ClassPool::label).toList();
    }

    /**
     * Refuses a configuration whose pools are too small.
     *
     * @param error the message for a pool of too few latents, empty for one of enough
     */
    void check(IntFunction<Optional<String>> error) throws IOException {
        List<String> problems = new ArrayList<>();
        map("count latents", (run, label, pool) -> pool.size()).forEach((label, size) -> error.apply(size)
                .ifPresent(problem -> problems.add("experiments: class " + label.classId() + ": " + problem)));
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }

    /** Works on every class's latents; results in the classes' order. */
    <B> Map<ClassLabel, B> map(String description, Work<B> work) throws IOException {
        return tasks(description, (run, pool) -> work.apply(run, pool.label(), new InvertedPool(run, pool)));
    }

    /** Works on every class; results in the classes' order. */
    <B> Map<ClassLabel, B> tasks(String description, Task<B> task) throws IOException {
        String folder = runFolder;
        Broadcast<SerializableConfiguration> conf =
                spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()));
        spark.setJobDescription(description);
        List<B> results = spark.parallelize(pools, Math.max(1, pools.size()))
                .map(pool -> task.apply(new RunFolder(folder, conf.value().value()), pool))
                .collect();
        Map<ClassLabel, B> byClass = new LinkedHashMap<>();
        for (int i = 0; i < pools.size(); i++) {
            byClass.put(pools.get(i).label(), results.get(i));
        }
        return byClass;
    }
}
