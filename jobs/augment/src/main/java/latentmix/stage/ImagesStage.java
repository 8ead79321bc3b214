package latentmix.stage;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.RunConfig;
import latentmix.plan.Catalog;
import latentmix.plan.ClassLabel;
import latentmix.plan.MixingEntry;
import latentmix.source.ImageFile;
import latentmix.source.ImageSource;
import latentmix.source.Listing;
import latentmix.table.FileNames;
import latentmix.table.RunFolder;
import latentmix.work.Batches;
import latentmix.work.Census;
import latentmix.work.Conflicts;
import latentmix.work.ImagesWork;
import org.apache.hadoop.fs.Path;

/**
 * The first stage: finds the images of every class and assigns them to chunks. A task looks at a class, or at several
 * where they lie in the same files.
 */
final class ImagesStage {
    private final RunContext context;

    ImagesStage(RunContext context) {
        this.context = context;
    }

    /** What lies in a person's input beside images and is not read, by kind. */
    Map<String, Long> ignored(List<Catalog> catalogs) throws IOException {
        RunConfig.Input input = context.config().input();
        if (BuiltIn.isBuiltIn(input.root())) {
            return Map.of();
        }
        Map<String, Long> ignored = new TreeMap<>();
        Listing beside = context.source().beside(context.run().conf());
        Stream.concat(catalogs.stream().map(Catalog::ignored), Stream.of(beside.ignored()))
                .forEach(counts -> counts.forEach((kind, count) -> ignored.merge(kind, count, Long::sum)));
        long strays = (long) beside.images().size() + beside.refused().size();
        if (strays > 0) {
            ignored.put("images beside the class folders", strays);
        }
        if (input.classes() != null && !BuiltIn.isBuiltIn(input.classes())) {
            Path list = new Path(input.classes());
            if (new Path(input.root()).equals(list.getParent())) { // it is read
                ignored.computeIfPresent(Listing.kind(list.getName()), (kind, count) -> count == 1 ? null : count - 1);
            }
        }
        return ignored;
    }

    /** What stands of classes that were once found and are none of this run's: nothing of it counts. */
    List<Census> others(List<MixingEntry> entries) throws IOException {
        Set<String> others = context.run().classes(RunFolder.Table.IMAGES);
        context.classes().classes().forEach(label -> others.remove(label.classId()));
        if (others.isEmpty()) {
            return List.of();
        }
        Set<String> found = Set.copyOf(context.source().classIds(context.run().conf()));
        return context.tasks()
                .map(
                        "count rows of other classes",
                        List.copyOf(others),
                        (folder, classId, progress) -> Census.ofOther(
                                folder,
                                classId,
                                found.contains(classId) ? "images of classes not asked for" : ImagesWork.WITHDRAWN,
                                entries));
    }

    /** What a person should know of images that count. */
    static List<String> warnings(List<Catalog> catalogs) {
        long uncaptioned = catalogs.stream().mapToLong(Catalog::uncaptioned).sum();
        return uncaptioned == 0
                ? List.of()
                : List.of("prompt.from: " + uncaptioned + " of "
                        + catalogs.stream().mapToLong(Catalog::images).sum()
                        + " images have no caption, and are inverted with their class's prompt");
    }

    /** The images of every class, in the order of classes. */
    List<Catalog> catalogs(ImagesWork.Look look) {
        int chunk = context.chunkRows();
        long limit = context.config().input().limit() == null
                ? Long.MAX_VALUE
                : context.config().input().limit();
        Conflicts conflicts =
                context.config().input().conflicts() == RunConfig.Conflicts.REFUSE ? conflicts(look) : Conflicts.NONE;
        boolean captioned = context.config().prompt().from() == RunConfig.PromptFrom.CAPTION;
        return ofClasses(
                "find images", (folder, source, label) -> new ImagesWork(folder, source, chunk, limit, captioned)
                        .look(label, look, conflicts));
    }

    /** Names of images that are not of ASCII alone, one a class where there is one. */
    List<String> unusualNames() {
        return ofClasses(
                        "look at names",
                        (folder, source, label) -> source.list(label.classId(), folder.conf()).images().stream()
                                .map(ImageFile::path)
                                .filter(path -> !FileNames.isPlain(path))
                                .findFirst()
                                .orElse(""))
                .stream()
                .filter(name -> !name.isEmpty())
                .toList();
    }

    /** Work on a class of a source. */
    @FunctionalInterface
    interface Work<B> extends Serializable {
        B of(RunFolder run, ImageSource source, ClassLabel label) throws IOException;
    }

    private <B> List<B> ofClasses(String description, Work<B> work) {
        return ofClasses(
                context.tasks(),
                description,
                context.source(),
                context.classes().classes(),
                work);
    }

    /** Works on every class; results in their order. */
    static <B> List<B> ofClasses(
            Tasks tasks, String description, ImageSource source, List<ClassLabel> classes, Work<B> work) {
        int together = source.together(classes.size(), tasks.partitions());
        List<List<ClassLabel>> groups =
                Batches.of(classes, together).stream().map(List::copyOf).toList();
        return tasks.flatMap(description, groups, (folder, labels, progress) -> {
            ImageSource listed =
                    source.listing(labels.stream().map(ClassLabel::classId).toList(), folder.conf());
            List<B> results = new ArrayList<>();
            for (ClassLabel label : labels) {
                results.add(work.of(folder, listed, label));
            }
            return results;
        });
    }

    /** The images that lie in several classes. Of each image 64 bits come to the driver, of those in question a row. */
    private Conflicts conflicts(ImagesWork.Look look) {
        int chunk = context.chunkRows();
        Set<Long> suspects = Conflicts.suspects(ofClasses(
                "read images", (folder, source, label) -> new ImagesWork(folder, source, chunk).prefixes(label, look)));
        return suspects.isEmpty()
                ? Conflicts.NONE
                : Conflicts.among(
                        ofClasses("compare images", (folder, source, label) -> new ImagesWork(folder, source, chunk)
                                        .files(label, suspects))
                                .stream()
                                .flatMap(List::stream)
                                .toList());
    }
}
