package latentmix.stage;

import java.util.List;
import latentmix.plan.Catalog;
import latentmix.source.ImageSource;
import latentmix.work.ImagesWork;

/** The first stage: finds the images of every class and assigns them to chunks. A task looks at a class. */
final class ImagesStage {
    private final RunContext context;

    ImagesStage(RunContext context) {
        this.context = context;
    }

    /** The images of every class, in the order of classes. */
    List<Catalog> catalogs(ImagesWork.Look look) {
        ImageSource source = context.source();
        int chunk = context.chunkRows();
        long limit = context.config().input().limit() == null
                ? Long.MAX_VALUE
                : context.config().input().limit();
        return context.tasks()
                .map("find images", context.classes().classes(), (folder, label, progress) -> new ImagesWork(
                                folder, source, chunk, limit)
                        .look(label, look));
    }
}
