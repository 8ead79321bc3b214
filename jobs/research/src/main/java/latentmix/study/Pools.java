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
import latentmix.config.RunConfig;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassList;
import latentmix.source.ImageSource;
import latentmix.table.InvertedTable;
import latentmix.table.RunFolder;
import latentmix.work.InvertedPool;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/** Work on a run's classes, each in a Spark task: labels travel, executors read the tables, results come back. */
record Pools(JavaSparkContext spark, RunConfig config, String runFolder, String inversion) {
    /** Work on one class's inverted latents. */
    @FunctionalInterface
    interface Work<B> extends Serializable {
        B apply(RunFolder run, ClassLabel label, InvertedPool pool) throws IOException;
    }

    /** Work on one class, whether or not it has been inverted. */
    @FunctionalInterface
    interface Task<B> extends Serializable {
        B apply(RunFolder run, ClassLabel label) throws IOException;
    }

    /** The pools of a run. */
    static Pools of(StudyContext context, StudyRuns.Done run) {
        return new Pools(
                context.spark(),
                run.config(),
                context.runFolder(run.config()),
                run.summary().settings().invert());
    }

    /** The classes, sorted by folder. */
    List<ClassLabel> classes() throws IOException {
        Configuration conf = spark.hadoopConfiguration();
        ImageSource source = ImageSource.of(config.input(), ClassList.folders(config.input(), conf), conf);
        return ClassList.read(config.input(), config.prompt(), source, conf).classes();
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
        String settingsId = inversion;
        return tasks(description, (run, label) -> work.apply(run, label, pool(run, label, settingsId)));
    }

    /** Works on every class; results in the classes' order. */
    <B> Map<ClassLabel, B> tasks(String description, Task<B> task) throws IOException {
        List<ClassLabel> labels = classes();
        String folder = runFolder;
        Broadcast<SerializableConfiguration> conf =
                spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()));
        spark.setJobDescription(description);
        List<B> results = spark.parallelize(labels, Math.max(1, labels.size()))
                .map(label -> task.apply(new RunFolder(folder, conf.value().value()), label))
                .collect();
        Map<ClassLabel, B> byClass = new LinkedHashMap<>();
        for (int i = 0; i < labels.size(); i++) {
            byClass.put(labels.get(i), results.get(i));
        }
        return byClass;
    }

    /** The latents of a class that were inverted with its prompt under these settings. */
    static InvertedPool pool(RunFolder run, ClassLabel label, String settingsId) throws IOException {
        List<String> chunks = new ArrayList<>();
        InvertedTable table = new InvertedTable(run, label.classId());
        InvertedTable.Terms asked = new InvertedTable.Terms(label.prompt(), settingsId);
        for (String chunk : table.chunks()) {
            if (table.terms(chunk).filter(asked::equals).isPresent()) {
                chunks.add(chunk);
            }
        }
        return new InvertedPool(run, label.classId(), chunks);
    }
}
