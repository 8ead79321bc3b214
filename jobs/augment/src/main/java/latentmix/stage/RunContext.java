package latentmix.stage;

import latentmix.config.RunConfig;
import latentmix.plan.ClassList;
import latentmix.plan.RunSettings;
import latentmix.source.ImageSource;
import latentmix.table.RunFolder;

/**
 * What every stage of a run knows.
 *
 * @param source where the images lie
 * @param model the checkpoint that generates and measures
 * @param invertingModel the same checkpoint, of another number format perhaps
 */
record RunContext(
        RunFolder run,
        Tasks tasks,
        RunConfig config,
        RunSettings settings,
        ClassList classes,
        ImageSource source,
        ModelSource model,
        ModelSource invertingModel) {
    /** Rows of a chunk. */
    int chunkRows() {
        return config.run().chunk();
    }
}
