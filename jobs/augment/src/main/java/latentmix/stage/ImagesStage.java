package latentmix.stage;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import latentmix.config.RunConfig;
import latentmix.plan.Catalog;
import latentmix.source.ImageSource;
import latentmix.source.Listing;
import latentmix.work.Conflicts;
import latentmix.work.ImagesWork;

/** The first stage: finds the images of every class and assigns them to chunks. A task looks at a class. */
final class ImagesStage {
    private final RunContext context;

    ImagesStage(RunContext context) {
        this.context = context;
    }

    /** What lies in the input beside images, by kind. */
    Map<String, Long> ignored(List<Catalog> catalogs) throws IOException {
        Map<String, Long> ignored = new TreeMap<>();
        Listing beside = context.source().beside(context.run().conf());
        Stream.concat(catalogs.stream().map(Catalog::ignored), Stream.of(beside.ignored()))
                .forEach(counts -> counts.forEach((kind, count) -> ignored.merge(kind, count, Long::sum)));
        long strays = (long) beside.images().size() + beside.refused().size();
        if (strays > 0) {
            ignored.put("images beside the class folders", strays);
        }
        return ignored;
    }

    /** What a person should know of images that stand. */
    static List<String> warnings(List<Catalog> catalogs) {
        return catalogs.stream()
                .filter(catalog -> catalog.standingConflicts() > 0)
                .map(catalog -> "input.conflicts: " + catalog.standingConflicts() + " images of class "
                        + catalog.label().classId() + " now lie in another class, too; those of the other are refused,"
                        + " these stand in this run folder: take one away, and use another run folder")
                .toList();
    }

    /** The images of every class, in the order of classes. */
    List<Catalog> catalogs(ImagesWork.Look look) {
        ImageSource source = context.source();
        int chunk = context.chunkRows();
        long limit = context.config().input().limit() == null
                ? Long.MAX_VALUE
                : context.config().input().limit();
        Conflicts conflicts =
                context.config().input().conflicts() == RunConfig.Conflicts.REFUSE ? conflicts(look) : Conflicts.NONE;
        return context.tasks()
                .map("find images", context.classes().classes(), (folder, label, progress) -> new ImagesWork(
                                folder, source, chunk, limit)
                        .look(label, look, conflicts));
    }

    /** The images that lie in several classes. Of each image 64 bits come to the driver, of those in question a row. */
    private Conflicts conflicts(ImagesWork.Look look) {
        if (look == ImagesWork.Look.STANDING) {
            return Conflicts.NONE;
        }
        ImageSource source = context.source();
        int chunk = context.chunkRows();
        Set<Long> suspects = Conflicts.suspects(context.tasks()
                .map("read images", context.classes().classes(), (folder, label, progress) -> new ImagesWork(
                                folder, source, chunk)
                        .prefixes(label, look)));
        return suspects.isEmpty()
                ? Conflicts.NONE
                : Conflicts.among(context.tasks()
                        .flatMap(
                                "compare images",
                                context.classes().classes(),
                                (folder, label, progress) ->
                                        new ImagesWork(folder, source, chunk).files(label, suspects)));
    }
}
