package latentmix.study;

import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.RunConfig;
import latentmix.config.StudyConfig;
import latentmix.table.RunFolder;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * Where an experiment runs.
 *
 * @param config the whole study
 * @param folder the study folder: what is published there stands in the report's folder; an experiment may keep files of its own below {@code work/<experiment>}
 * @param runFolder the run folder that experiments made by the pipeline share
 */
public record StudyContext(JavaSparkContext spark, StudyConfig config, RunFolder folder, String runFolder) {
    /** The study's model, for experiments that run it on the driver. */
    public CheckpointFolder checkpoint() {
        RunConfig.Model model = config.base().model();
        return CheckpointFolder.open(java.nio.file.Path.of(BuiltIn.located(model.checkpoint())));
    }

    /** The shared run folder's tables. */
    public RunFolder tables() {
        return new RunFolder(runFolder, folder.conf());
    }
}
