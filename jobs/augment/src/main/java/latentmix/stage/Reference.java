package latentmix.stage;

import java.io.IOException;
import java.util.List;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.plan.Catalog;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassList;
import latentmix.source.ImageSource;
import latentmix.table.ContentId;
import latentmix.table.RunFolder;
import latentmix.work.ImagesWork;

/**
 * Real images to compare with that are not the input's. They may lie otherwise than those, and tables of their own list
 * them.
 *
 * @param location where they lie
 * @param tables the folder of the tables that list them, in the run folder
 */
record Reference(String location, ImageSource source, RunFolder tables) {
    private static final String FOLDER = "reference/";

    /**
     * The images at a location.
     *
     * @param key the configuration's that names it, for messages
     * @throws ConfigException if there are none that can be used
     */
    static Reference of(RunContext context, Preparation preparation, String key, String location) throws IOException {
        RunFolder run = context.run();
        RunConfig.Input input = context.config().input();
        String root = BuiltIn.located(location);
        RunFolder tables = new RunFolder(run.path(FOLDER + ContentId.of(root)).toString(), run.conf());
        RunConfig.Input other = new RunConfig.Input(
                root,
                input.classes(),
                input.maxPixels(),
                List.of(),
                null,
                input.conflicts(),
                RunConfig.Format.AUTO,
                input.columns());
        try {
            ImageSource source = ImageSource.of(other, ClassList.folders(input, run.conf()), run.conf());
            return new Reference(root, IndexStage.known(source, tables, context.tasks(), preparation), tables);
        } catch (ConfigException e) {
            throw renamed(e, key);
        }
    }

    /** The same problems of another key than the input's. */
    static ConfigException renamed(ConfigException problems, String key) {
        return new ConfigException(problems.problems().stream()
                .map(problem -> problem.replace("input.root: ", key + ": "))
                .toList());
    }

    /** The images of these classes, in their order. */
    List<Catalog> catalogs(RunContext context, List<ClassLabel> classes, ImagesWork.Look look) {
        String lists = tables.root();
        int chunk = context.chunkRows();
        return ImagesStage.ofClasses(
                context.tasks(), "find reference images", source, classes, (folder, listed, label) -> new ImagesWork(
                                new RunFolder(lists, folder.conf()), listed, chunk)
                        .look(label, look));
    }
}
