package latentmix.study;

import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.RunConfig;
import latentmix.plan.ClassList;
import latentmix.report.SettingsIds;
import latentmix.source.ImageSource;
import latentmix.stage.Job;
import latentmix.stage.Needs;
import latentmix.stage.Tasks;
import latentmix.study.ClassifierWork.Augmented;
import latentmix.study.ClassifierWork.Made;
import latentmix.study.ClassifierWork.Training;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import latentmix.training.GreyImages;
import org.apache.spark.broadcast.Broadcast;

/**
 * Trains a classifier many times over: for each number of shots and each seed on the same real images, alone,
 * augmented, and with images made of them by one ordinary run.
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
    /** A way to train. */
    record Arm(Optional<String> method, int multiple, Augmented augmented) {
        /** The name in words. */
        String name() {
            return "real" + method.map(name -> " + " + name).orElse("")
                    + (augmented == Augmented.STANDARD ? " + augmentation" : "");
        }
    }

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

    /** The ways to train with so many real images a class. */
    static List<Arm> arms(StudyConfig.Downstream config, int shots) {
        List<Arm> arms = new ArrayList<>();
        arms.add(new Arm(Optional.empty(), 0, Augmented.NONE));
        arms.add(new Arm(Optional.empty(), 0, Augmented.STANDARD));
        for (String method : config.methods()) {
            arms.add(new Arm(Optional.of(method), config.multiple(), Augmented.NONE));
        }
        if (config.closer().shots() == shots) {
            for (String method : config.methods()) {
                arms.add(new Arm(Optional.of(method), config.multiple(), Augmented.STANDARD));
                for (int multiple : config.closer().multiples()) {
                    arms.add(new Arm(Optional.of(method), multiple, Augmented.NONE));
                }
            }
        }
        return arms.stream().distinct().toList();
    }

    private String root() {
        return BuiltIn.located(config.run().input().root());
    }

    /** Says what the experiment costs, as if nothing of it stood. */
    private void announce() {
        long real = 0;
        long made = 0;
        long trainings = 0;
        for (int shots : config.shots()) {
            long each = (long) shots * classes.classes().size() * config.seeds();
            real += each;
            made += each * config.most(shots) * config.methods().size();
            trainings += (long) arms(config, shots).size() * config.seeds();
        }
        context.console()
                .say(String.format(
                        Locale.ROOT,
                        "%s: %,d real images to invert, %,d images to make of them, %,d classifiers to train;"
                                + " what stands already is not done again",
                        config.heading().name(),
                        real,
                        made,
                        trainings));
    }

    private List<AccuracyRow> run() throws IOException {
        announce();
        GreyImages test = test();
        String testId = test.fingerprint();
        int most = config.shots().stream().reduce(0, Math::max);
        FewShots few = FewShots.draw(tasks, folder, root(), classes.classes(), most, config.seeds());
        List<Training> trainings = new ArrayList<>();
        for (int shots : config.shots()) {
            for (int seed = 0; seed < config.seeds(); seed++) {
                trainings.addAll(trainings(few, shots, seed, testId));
            }
        }
        train(trainings, test);
        AccuracyTable table = new AccuracyTable(folder);
        List<AccuracyRow> rows = new ArrayList<>();
        for (Training training : trainings) {
            rows.add(table.row(training.id()));
        }
        return rows;
    }

    private GreyImages test() throws IOException {
        String root = BuiltIn.located(config.test());
        ImageSource.folders("experiments." + config.heading().name() + ".test", root, folder.conf());
        return GreyImages.concat(tasks.map(
                "read test images",
                classes.classes(),
                (run, label, progress) -> ClassifierWork.images(root, List.of(label), run.conf())));
    }

    /** The trainings of one seed, when the images that they need are made. */
    private List<Training> trainings(FewShots few, int shots, int seed, String testId) throws IOException {
        String own = config.heading().name() + "/shots-" + shots + "-seed-" + seed;
        String images = location + "/" + own + "/images";
        few.copy(shots, seed, own + "/images");
        List<String> realIds = few.ids(shots, seed);
        RunConfig.Input input = config.run().input();
        RunConfig run = config.run()
                .withInput(new RunConfig.Input(
                        images, input.classes(), input.maxPixels(), input.folders(), null, input.conflicts()))
                .withMixing(config.entries(shots));
        String runFolder = location + "/" + own + "/run";
        StudyRuns.Done done = StudyRuns.Done.of(
                context, run, runFolder, EnumSet.of(StageName.INVERT, StageName.MIX, StageName.GENERATE));
        SettingsIds settings = done.summary().settings();
        List<Training> trainings = new ArrayList<>();
        for (Arm arm : arms(config, shots)) {
            Made made = arm.method()
                    .map(method -> new Made(
                            runFolder,
                            method,
                            settings.mix().get(config.methods().indexOf(method)),
                            settings.generate(),
                            done.pools(),
                            arm.multiple()))
                    .orElse(Made.NONE);
            int logits = classes.names().size();
            String id =
                    ClassifierWork.id(realIds, testId, logits, shots, made, arm.augmented(), seed, config.classifier());
            trainings.add(new Training(
                    id, images, classes.classes(), logits, shots, made, arm.augmented(), seed, config.classifier()));
        }
        return trainings;
    }

    private void train(List<Training> trainings, GreyImages test) throws IOException {
        Set<String> done = new AccuracyTable(folder).trainings();
        List<Training> missing = trainings.stream()
                .filter(training -> !done.contains(training.id()))
                .toList();
        int threads = config.run().model().threads();
        Broadcast<GreyImages> judging = context.spark().broadcast(test);
        tasks.run(
                new Job("train", "classifiers", missing.size(), Needs.PROCESSOR),
                missing,
                (run, training, progress) ->
                        new ClassifierWork(run, judging.value()).train(training, threads, progress));
        judging.destroy();
    }
}
