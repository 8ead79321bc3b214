package latentmix.stage;

import latentmix.config.RunConfig;
import latentmix.plan.ClassList;
import latentmix.plan.RunSettings;
import latentmix.table.RunFolder;

/**
 * What every stage of a run knows.
 *
 * @param input the root of the images
 * @param model the checkpoint that generates and measures
 * @param invertingModel the same checkpoint, of another number format perhaps
 */
record RunContext(
        RunFolder run,
        Tasks tasks,
        RunConfig config,
        RunSettings settings,
        ClassList classes,
        String input,
        ModelSource model,
        ModelSource invertingModel) {
    /** Rows of a chunk. */
    int chunkRows() {
        return config.run().chunk();
    }
}
