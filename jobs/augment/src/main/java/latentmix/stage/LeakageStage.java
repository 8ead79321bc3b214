package latentmix.stage;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.plan.Catalog;
import latentmix.plan.ClassLabel;
import latentmix.plan.ExportChunk;
import latentmix.plan.FeatureChunk;
import latentmix.plan.FeatureChunk.Source;
import latentmix.report.Leakage;
import latentmix.source.ImageSource;
import latentmix.table.LeakageRow;
import latentmix.table.LeakageTable;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.table.StageName;
import latentmix.work.Conflicts;
import latentmix.work.ImagesWork;
import latentmix.work.LeakageWork;
import latentmix.work.LeakageWork.Others;
import latentmix.work.LeakageWork.Same;
import latentmix.work.Nearness;

/**
 * Says how near the dataset's images and the real ones come to real images, also to those of folders kept for tests.
 * Executors look at real images once and compare class by class. The driver sees 64 bits of each image's digest, and
 * the names of files with the same bytes. Nothing is shuffled.
 */
final class LeakageStage {
    private static final String KEY = "leakage.test";
    private static final int NAMED = 5;

    private final RunContext context;
    private final RunFolder run;
    private final Tasks tasks;
    private final RunConfig.Leakage asked;
    private final LookStage looks;
    private final ImagesWork.Look look;
    private final List<Test> tests = new ArrayList<>();

    /**
     * A folder of tests.
     *
     * @param name what it is called
     * @param classes those of the input that it has
     */
    private record Test(String name, Reference images, List<ClassLabel> classes) {}

    /**
     * The stage of a configuration that asks for it.
     *
     * @throws ConfigException if a folder of tests cannot be compared with
     */
    LeakageStage(RunContext context, Preparation preparation, LookStage looks) throws IOException {
        this.context = context;
        this.run = context.run();
        this.tasks = context.tasks();
        this.asked = context.config().leakage().orElseThrow();
        this.looks = looks;
        this.look = preparation.look();
        List<String> problems = new ArrayList<>();
        List<String> names = names(asked.test());
        for (int i = 0; i < names.size(); i++) {
            String location = asked.test().get(i);
            try {
                Reference images = Reference.of(context, preparation, KEY, location);
                tests.add(new Test(names.get(i), images, classes(images, location)));
            } catch (ConfigException e) {
                problems.addAll(e.problems());
            }
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }

    /** The input's classes that a folder has; warns of those that it lacks. */
    private List<ClassLabel> classes(Reference images, String location) throws IOException {
        Set<String> known;
        try {
            known = Set.copyOf(images.source().classIds(run.conf()));
        } catch (ConfigException e) {
            throw Reference.renamed(e, KEY);
        }
        Map<Boolean, List<ClassLabel>> found =
                classes().stream().collect(Collectors.partitioningBy(label -> known.contains(label.classId())));
        List<ClassLabel> missing = found.get(false);
        String named = missing.stream().limit(NAMED).map(ClassLabel::classId).collect(Collectors.joining(", "))
                + (missing.size() > NAMED ? ", …" : "");
        if (found.get(true).isEmpty()) {
            throw new ConfigException(List.of(KEY + ": expected images of the input's classes in " + location
                    + ", but there is none of " + named + "; name a folder with the same classes, or leave it out"));
        }
        if (!missing.isEmpty()) {
            tasks.console()
                    .warn(KEY + ": " + location + " has no image of " + missing.size() + " of "
                            + classes().size() + " classes: " + named);
        }
        return found.get(true);
    }

    /** The ends of paths that tell them apart, each as short as it can be. */
    static List<String> names(List<String> locations) {
        List<String> paths = locations.stream()
                .map(location -> ("./" + location).replaceAll("/+", "/").replaceAll("/$", ""))
                .toList();
        return paths.stream().map(path -> name(path, paths)).toList();
    }

    private static String name(String path, List<String> paths) {
        int start = path.lastIndexOf('/');
        while (start > 0) {
            String end = path.substring(start);
            boolean isOwn = paths.stream().filter(other -> other.endsWith(end)).count() == 1;
            if (isOwn && !end.equals("/" + LeakageRow.INPUT)) {
                return end.substring(1);
            }
            start = path.lastIndexOf('/', start - 1);
        }
        return path;
    }

    /**
     * Compares what is not compared yet; says nothing where the run is stopped.
     *
     * @param dataset the chunks of images made that are in it
     */
    List<Leakage> run(List<Catalog> catalogs, List<ExportChunk.Made> dataset) throws IOException {
        Map<Test, List<Catalog>> tested = new LinkedHashMap<>();
        tests.forEach(test -> tested.put(test, test.images().catalogs(context, test.classes(), look)));
        look(Source.INPUT, catalogs, context.source(), run);
        for (Map.Entry<Test, List<Catalog>> test : tested.entrySet()) {
            Reference images = test.getKey().images();
            look(Source.REFERENCE, test.getValue(), images.source(), images.tables());
        }
        if (tasks.isStopped()) {
            return List.of();
        }
        List<LeakageWork.Item> items = items(catalogs, dataset, tested);
        Map<String, Nearness> sums = new LinkedHashMap<>();
        tasks.flatMap("compare with real images", items, (folder, item, progress) -> new LeakageWork(folder)
                        .compare(item))
                .forEach(of -> sums.merge(of.split() + " " + of.among(), of, Nearness::plus));
        Set<String> gone = run.classes(Table.LEAKAGE);
        catalogs.forEach(catalog -> gone.remove(catalog.label().classId()));
        for (String classId : gone) {
            new LeakageTable(run, classId).keep("");
        }
        return sums.values().stream()
                .filter(of -> of.images() > 0)
                .map(of -> Leakage.of(of, asked.hash()))
                .toList();
    }

    private void look(Source from, List<Catalog> catalogs, ImageSource source, RunFolder tables) throws IOException {
        looks.look(StageName.EXPORT, looks.chunks(from, catalogs), source, tables);
    }

    private List<LeakageWork.Item> items(
            List<Catalog> catalogs, List<ExportChunk.Made> dataset, Map<Test, List<Catalog>> tested)
            throws IOException {
        Map<String, List<ExportChunk.Made>> made =
                dataset.stream().collect(Collectors.groupingBy(ExportChunk.Made::classId));
        Set<String> done = run.chunks(Table.LOOKS);
        Map<String, List<Others>> others = new HashMap<>();
        long[] digests = tested.isEmpty() ? new long[0] : prefixes(context.source(), run, classes());
        for (Map.Entry<Test, List<Catalog>> of : tested.entrySet()) {
            Test test = of.getKey();
            Map<String, Map<String, Same>> same = same(test, digests);
            Map<String, List<FeatureChunk>> seen = new HashMap<>();
            of.getValue()
                    .forEach(catalog ->
                            seen.put(catalog.label().classId(), looks.chunks(Source.REFERENCE, catalog, done)));
            for (ClassLabel label : classes()) {
                others.computeIfAbsent(label.classId(), id -> new ArrayList<>())
                        .add(new Others(
                                test.name(),
                                test.images().tables().root(),
                                seen.getOrDefault(label.classId(), List.of()),
                                same.getOrDefault(label.classId(), Map.of())));
            }
        }
        return catalogs.stream()
                .map(catalog -> new LeakageWork.Item(
                        catalog.label(),
                        made.getOrDefault(catalog.label().classId(), List.of()),
                        new Others(LeakageRow.INPUT, run.root(), looks.chunks(Source.INPUT, catalog, done), Map.of()),
                        others.getOrDefault(catalog.label().classId(), List.of())))
                .toList();
    }

    /**
     * By class and image id of the input, a folder's files with the same bytes, of whatever class.
     *
     * @param digests the beginnings of the input's
     */
    private Map<String, Map<String, Same>> same(Test test, long[] digests) {
        RunFolder tables = test.images().tables();
        ImageSource source = test.images().source();
        Set<Long> suspects = Conflicts.suspects(List.of(digests, prefixes(source, tables, test.classes())));
        if (suspects.isEmpty()) {
            return Map.of();
        }
        Map<String, Conflicts.File> tested = files(source, tables, test.classes(), suspects).stream()
                .collect(Collectors.toMap(Conflicts.File::digest, file -> file, (first, next) -> first));
        Map<String, Map<String, Same>> same = new HashMap<>();
        for (Conflicts.File file : files(context.source(), run, classes(), suspects)) {
            Conflicts.File other = tested.get(file.digest());
            if (other != null) {
                same.computeIfAbsent(file.classId(), id -> new TreeMap<>())
                        .put(file.imageId(), new Same(other.imageId(), other.path()));
            }
        }
        return same;
    }

    private List<ClassLabel> classes() {
        return context.classes().classes();
    }

    /** 64 bits of the digest of each of these classes' images, each once. */
    private long[] prefixes(ImageSource source, RunFolder tables, List<ClassLabel> classes) {
        String lists = tables.root();
        int chunk = context.chunkRows();
        return ImagesStage.ofClasses(tasks, "read digests", source, classes, (folder, listed, label) -> new ImagesWork(
                                new RunFolder(lists, folder.conf()), listed, chunk)
                        .prefixes(label, ImagesWork.Look.STANDING))
                .stream()
                .flatMapToLong(LongStream::of)
                .distinct()
                .toArray();
    }

    private List<Conflicts.File> files(
            ImageSource source, RunFolder tables, List<ClassLabel> classes, Set<Long> prefixes) {
        String lists = tables.root();
        int chunk = context.chunkRows();
        return ImagesStage.ofClasses(
                        tasks, "compare digests", source, classes, (folder, listed, label) -> new ImagesWork(
                                        new RunFolder(lists, folder.conf()), listed, chunk)
                                .files(label, prefixes))
                .stream()
                .flatMap(List::stream)
                .toList();
    }

    /**
     * Takes away what was compared, which costs no network, and where the dataset is made, what was seen of the
     * folders' images in chunks that refused some.
     */
    void forget(Set<StageName> stages) throws IOException {
        for (String classId : run.classes(Table.LEAKAGE)) {
            new LeakageTable(run, classId).keep("");
        }
        for (Test test : stages.contains(StageName.EXPORT) ? tests : List.<Test>of()) {
            List<Catalog> found = test.images().catalogs(context, test.classes(), ImagesWork.Look.STANDING);
            looks.forget(looks.refusing(looks.chunks(Source.REFERENCE, found)));
        }
    }
}
