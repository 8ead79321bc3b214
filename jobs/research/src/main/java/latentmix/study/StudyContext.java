package latentmix.study;

import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.RunConfig;
import latentmix.stage.Console;
import latentmix.table.RunFolder;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * The place where a study's experiments run.
 *
 * @param console where it tells a person how it goes
 * @param location the study folder as it was given
 * @param folder the same folder: an experiment that uses the model on its own may keep files below {@code work/<its
 *     name>}
 */
public record StudyContext(
        JavaSparkContext spark, Console console, StudyConfig config, String location, RunFolder folder) {
    /** The run folder of the pipeline's runs over these images: a limit has a pool, and so a folder, of its own. */
    public String runFolder(RunConfig run) {
        return location + "/runs/"
                + (run.input().limit() == null ? "all" : run.input().limit());
    }

    /** The study's model, for experiments that use it on their own. */
    public CheckpointFolder checkpoint() {
        return config.base().model().checkpoint().open(folder.conf());
    }
}
