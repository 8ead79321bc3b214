package latentmix.study;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.RunConfig;
import latentmix.config.Spelled;
import latentmix.plan.ClassList;
import latentmix.source.ImageSource;
import latentmix.stage.Job;
import latentmix.stage.Needs;
import latentmix.stage.Tasks;
import latentmix.study.ClassifierWork.Augmented;
import latentmix.study.ClassifierWork.Made;
import latentmix.study.ClassifierWork.Training;
import latentmix.study.ClassifierWork.Way;
import latentmix.study.StudyConfig.Arm;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import latentmix.training.LabelledImages;
import org.apache.spark.broadcast.Broadcast;

/**
 * Trains a classifier many times over: for each number of shots and each seed on the same real images, alone,
 * augmented, and with images made of them by ordinary runs.
 *
 * <p>The driver draws and copies the real images and lists the trainings; executors make images and train. What stands
 * in {@code <study>/work} is not done again:
 *
 * <pre>
 * &lt;experiment&gt;/shots-&lt;k&gt;-seed-&lt;s&gt;/images/&lt;class&gt;/      the real images
 * &lt;experiment&gt;/shots-&lt;k&gt;-seed-&lt;s&gt;/run/                 the run folder of the images made of them
 * accuracy/&lt;training id&gt;.parquet                       a row a training, of all experiments
 * </pre>
 */
final class Downstream {
    private static final List<Way> REAL = List.of(new Way("", 0, 0, Augmented.NONE));
    private static final List<Way> AUGMENTED = List.of(new Way("", 0, 0, Augmented.STANDARD));

    private final StudyConfig.Downstream config;
    private final StudyContext context;
    private final RunFolder folder;
    private final String location;
    private final Tasks tasks;
    private final ClassList classes;

    private Downstream(StudyContext context, StudyConfig.Downstream config) throws IOException {
        this.context = context;
        this.config = config;
        this.location = context.location() + "/work";
        this.folder = new RunFolder(location, context.folder().conf());
        this.tasks = new Tasks(context.spark(), location, context.console());
        this.classes = ClassList.read(
                config.run().input(),
                config.run().prompt(),
                ImageSource.folders("run.input.root", root(), folder.conf()),
                folder.conf());
    }

    /** Makes and trains what is missing; returns a row for each training that the experiment has. */
    static List<AccuracyRow> run(StudyContext context, StudyConfig.Downstream config) throws IOException {
        return new Downstream(context, config).run();
    }

    private String root() {
        return BuiltIn.located(config.run().input().root());
    }

    /** The ways to train on one method's images, still without ids. */
    private List<Way> ways() {
        List<Way> ways = new ArrayList<>();
        for (int multiple : config.multiples()) {
            for (double share : config.shares()) {
                ways.add(new Way("", share, multiple, Augmented.STANDARD));
            }
        }
        return ways;
    }

    /** Says what the experiment costs, as if nothing of it stood. */
    private void announce() {
        long methods =
                config.arms().stream().mapToInt(arm -> arm.methods().size()).sum();
        long sets = config.arms().stream().mapToInt(arm -> arm.sets().size()).sum();
        long real = config.shots().stream()
                .mapToLong(shots -> (long) shots * classes.classes().size() * config.seeds())
                .sum(); // with a long tail, the most
        context.console()
                .say(String.format(
                        Locale.ROOT,
                        "%s: %,d real images to invert, %,d images to make of them, %,d classifiers to train;"
                                + " what stands already is not done again",
                        config.heading().name(),
                        real,
                        real * config.mostMade() * methods,
                        (2 + sets * ways().size())
                                * config.seeds()
                                * config.shots().size()));
    }

    private List<AccuracyRow> run() throws IOException {
        announce();
        int size = config.classifier().size();
        FewShots few = FewShots.read(tasks, folder, root(), classes.classes(), config, size);
        LabelledImages test = test(size);
        String network = config.classifier().features() == null
                ? ""
                : CheckpointFolder.fingerprint(
                        Path.of(BuiltIn.located(config.classifier().features())));
        List<Training> trainings = new ArrayList<>();
        for (int shots : config.shots()) {
            for (int seed = 0; seed < config.seeds(); seed++) {
                trainings.addAll(new Drawing(few, shots, seed, test, network).trainings());
            }
        }
        train(trainings, few.images(), test);
        AccuracyTable table = new AccuracyTable(folder);
        List<AccuracyRow> rows = new ArrayList<>();
        for (Training training : trainings) {
            for (Way way : training.ways()) {
                rows.add(table.row(way.id()));
            }
        }
        return rows;
    }

    /** The images of the test folder; none where each seed has its own. */
    private LabelledImages test(int size) throws IOException {
        if (config.test() == null) {
            return new LabelledImages.Builder(size).build();
        }
        String root = BuiltIn.located(config.test());
        ImageSource.folders("experiments." + config.heading().name() + ".test", root, folder.conf());
        return LabelledImages.concat(tasks.map(
                "read test images",
                classes.classes(),
                (run, label, progress) -> ClassifierWork.images(root, List.of(label), size, run.conf())));
    }

    /** The images of one seed, and what is trained on them. */
    private final class Drawing {
        private final FewShots few;
        private final int shots;
        private final int seed;
        private final List<Integer> validation;
        private final List<Integer> test;
        private final List<String> judges;
        private final String network;
        private final String own;

        Drawing(FewShots few, int shots, int seed, LabelledImages test, String network) {
            this.few = few;
            this.shots = shots;
            this.seed = seed;
            this.network = network;
            this.validation = few.validation(seed);
            this.test = config.test() == null ? few.test(seed) : List.of();
            this.judges = List.of(
                    few.images().only(validation).fingerprint(),
                    config.test() == null ? few.images().only(this.test).fingerprint() : test.fingerprint());
            this.own = config.heading().name() + "/shots-" + shots + "-seed-" + seed;
        }

        /** The trainings, when the images that they need are made. */
        List<Training> trainings() throws IOException {
            few.copy(shots, seed, own + "/images");
            List<Training> trainings = new ArrayList<>();
            trainings.add(training("", Made.NONE, REAL));
            trainings.add(training("", Made.NONE, AUGMENTED));
            Map<RunConfig, List<Arm>> runs = new LinkedHashMap<>();
            config.arms().forEach(arm -> runs.computeIfAbsent(arm.run(), run -> new ArrayList<>())
                    .add(arm));
            for (Map.Entry<RunConfig, List<Arm>> run : runs.entrySet()) {
                trainings.addAll(made(run.getKey(), run.getValue()));
            }
            return trainings;
        }

        private List<Training> made(RunConfig settings, List<Arm> arms) throws IOException {
            Map<MixingKey, RunConfig.Mixing> entries = new LinkedHashMap<>(); // arms may share a method's images
            for (Arm arm : arms) {
                for (String method : arm.methods()) {
                    RunConfig.Mixing entry = entry(arm, method);
                    entries.putIfAbsent(MixingKey.of(arm, entry), entry);
                }
            }
            RunConfig.Input input = settings.input();
            RunConfig run = settings.withInput(new RunConfig.Input(
                            location + "/" + own + "/images",
                            input.classes(),
                            input.maxPixels(),
                            input.folders(),
                            null,
                            input.conflicts()))
                    .withMixing(List.copyOf(entries.values()));
            String runFolder = location + "/" + own + "/run";
            Set<StageName> stages = EnumSet.of(StageName.INVERT, StageName.MIX, StageName.GENERATE);
            run.adapt().ifPresent(adapt -> stages.add(StageName.ADAPT));
            run.filter().ifPresent(filter -> stages.add(StageName.FILTER));
            StudyRuns.Done done = StudyRuns.Done.of(context, run, runFolder, stages);
            List<MixingKey> keys = List.copyOf(entries.keySet());
            List<Training> trainings = new ArrayList<>();
            for (Arm arm : arms) {
                for (List<String> set : arm.sets()) {
                    List<String> mixingIds = set.stream()
                            .map(method -> done.summary()
                                    .settings()
                                    .mix()
                                    .get(keys.indexOf(MixingKey.of(arm, entry(arm, method)))))
                            .toList();
                    Made made = new Made(
                            runFolder,
                            Arm.set(set),
                            mixingIds,
                            done.generation(),
                            done.summary().settings().filter(),
                            done.kept(),
                            done.pools());
                    trainings.add(training(arm.name(), made, ways()));
                }
            }
            return trainings;
        }

        private RunConfig.Mixing entry(Arm arm, String method) {
            return arm.entry(config.heading().name(), method, config.least(shots), config.made(shots));
        }

        private Training training(String arm, Made made, List<Way> ways) {
            int logits = classes.names().size();
            List<String> realIds = few.ids(shots, seed);
            return new Training(
                    arm,
                    ways.stream()
                            .map(way -> new Way(
                                    ClassifierWork.id(realIds, judges, network, logits, shots, made, way, seed, config),
                                    way.share(),
                                    way.multiple(),
                                    way.augmented()))
                            .toList(),
                    location + "/" + own + "/images",
                    classes.classes(),
                    logits,
                    shots,
                    made,
                    validation,
                    test,
                    few.tail(shots, seed),
                    config.corruptions(),
                    config.severity(),
                    seed,
                    config.classifier());
        }
    }

    /** What an entry of a run makes, whatever it is called. */
    private record MixingKey(List<String> methods, List<String> inputs, Arm.Drawing drawn) {
        static MixingKey of(Arm arm, RunConfig.Mixing entry) {
            return new MixingKey(
                    entry.methods().stream().map(Spelled::text).toList(),
                    entry.inputs().stream().map(Spelled::text).toList(),
                    arm.drawn());
        }
    }

    private void train(List<Training> trainings, LabelledImages pool, LabelledImages test) throws IOException {
        Set<String> done = new AccuracyTable(folder).trainings();
        List<Training> missing = trainings.stream()
                .map(training -> training.only(training.ways().stream()
                        .filter(way -> !done.contains(way.id()))
                        .toList()))
                .filter(training -> !training.ways().isEmpty())
                .toList();
        int threads = config.run().model().threads();
        Broadcast<LabelledImages> drawn = context.spark().broadcast(pool);
        Broadcast<LabelledImages> judging = context.spark().broadcast(test);
        tasks.run(
                new Job(
                        "train",
                        "classifiers",
                        missing.stream()
                                .mapToInt(training -> training.ways().size())
                                .sum(),
                        Needs.PROCESSOR),
                missing,
                (run, training, progress) ->
                        new ClassifierWork(run, drawn.value(), judging.value()).train(training, threads, progress));
        drawn.destroy();
        judging.destroy();
    }
}
