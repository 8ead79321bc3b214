package latentmix.stage;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.plan.Catalog;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassPool;
import latentmix.plan.ClassVerdicts;
import latentmix.plan.FeatureChunk;
import latentmix.plan.FeatureChunk.Source;
import latentmix.plan.FilterSettings;
import latentmix.plan.JudgedChunk;
import latentmix.plan.JudgingPlan;
import latentmix.plan.Kept;
import latentmix.plan.MixedChunk;
import latentmix.plan.MixingChunk;
import latentmix.plan.MixingEntry;
import latentmix.report.StageLeft;
import latentmix.table.ContentId;
import latentmix.table.JudgedTable;
import latentmix.table.LooksTable;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.table.StageName;
import latentmix.work.ChunkResult;
import latentmix.work.FeatureWork.Network;
import latentmix.work.JudgeWork;
import latentmix.work.LookWork;
import latentmix.work.Nearness;

/**
 * Judges the images made. Executors score the pixels of real images, show images to the networks that judges look by,
 * as an evaluation would, and judge class by class in the order of k. The driver lists what is missing, and brings the
 * means of classes together where classes are compared. Nothing is shuffled.
 */
final class FilterStage {
    private final RunFolder run;
    private final Tasks tasks;
    private final RunContext context;
    private final RunConfig.Filter asked;
    private final List<EvaluateStage> evaluate; // one, or none where no judge looks by a network
    private final Map<String, Network> networks = new TreeMap<>(); // by what configurations call them
    private final FilterSettings settings;
    private final String settingsId;
    private final LookWork.Settings looks;
    private final String looksId;

    /**
     * The stage of a configuration with a filter.
     *
     * @param evaluate whose networks judges look by; there is one where any does
     * @throws ConfigException if the classes cannot be judged as is asked
     */
    FilterStage(RunContext context, Preparation preparation, List<EvaluateStage> evaluate) throws IOException {
        this.run = context.run();
        this.tasks = context.tasks();
        this.context = context;
        this.asked = context.config().filter().orElseThrow();
        this.evaluate = evaluate;
        for (RunConfig.Features features : asked.networks()) {
            networks.put(features.toString(), evaluate.get(0).network(features.toString()));
        }
        int size = context.settings().inversion().size();
        this.settings = FilterSettings.of(
                asked,
                size,
                networks.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, network -> network.getValue()
                        .settingsId())));
        this.settingsId = preparation.settings(settings);
        this.looks = new LookWork.Settings(size);
        this.looksId = preparation.settings(looks);
        if (asked.text().isPresent()) {
            preparation.compileTexts(context.config().evaluation().clip(), run.conf());
        }
        if (asked.ofClass().isPresent() && context.classes().classes().size() < 2) {
            throw new ConfigException(List.of("filter.class: expected two classes or more, of which an image is taken"
                    + " for one, got " + context.classes().classes().size() + "; leave the judge out"));
        }
    }

    /** How many times a count may be made. */
    int tries() {
        return asked.tries();
    }

    /** The settings id of verdicts. */
    String settingsId() {
        return settingsId;
    }

    /**
     * What stands of the classes whose images are all inverted, in the order of classes.
     *
     * @param pools what their mixtures are drawn from
     * @param entries the configuration's, with their counts
     */
    List<ClassVerdicts> verdicts(List<Catalog> catalogs, List<ClassPool> pools, List<MixingEntry> entries)
            throws IOException {
        JudgingPlan.Terms terms = new JudgingPlan.Terms(
                settingsId,
                context.settings().generationId(),
                settings.samplesMixtures(),
                tries(),
                run.rejectedChunks(StageName.MIX));
        Map<String, String> real = real(catalogs);
        record Of(ClassPool pool, String real) implements Serializable {}
        return tasks.map(
                "list verdicts",
                pools.stream()
                        .map(pool -> new Of(pool, real.get(pool.classId())))
                        .toList(),
                (folder, of, progress) -> new JudgingPlan(folder, terms, entries).of(of.pool(), of.real()));
    }

    /** The hash of the real images that each class is judged by. */
    private Map<String, String> real(List<Catalog> catalogs) {
        Map<String, String> own = new TreeMap<>();
        for (Catalog catalog : catalogs) {
            own.put(
                    catalog.label().classId(),
                    ContentId.of(catalog.chunks().stream()
                            .map(Catalog.Chunk::content)
                            .sorted()
                            .toList()));
        }
        if (settings.comparesClasses()) {
            List<String> all = new ArrayList<>();
            own.forEach((classId, images) -> all.add(classId + "/" + images));
            String hash = ContentId.of(all);
            own.replaceAll((classId, images) -> ContentId.of(images, hash));
        }
        return own;
    }

    /** Which mixtures are kept. */
    Kept kept(List<MixingEntry> entries, List<ClassVerdicts> verdicts) throws IOException {
        return Kept.of(entries, verdicts, run.chunks(Table.JUDGED));
    }

    /** Chunks of the mixed table with how many of their images are kept for the dataset. */
    static List<MixedChunk> judged(List<MixedChunk> mixed, List<ClassVerdicts> verdicts) {
        Map<String, JudgedChunk> byMixed = byMixed(verdicts, chunk -> true);
        return mixed.stream()
                .filter(chunk -> byMixed.containsKey(chunk.id()))
                .map(chunk -> chunk.judged(byMixed.get(chunk.id())))
                .toList();
    }

    /** The same for a plan: chunks that are not judged yet are as if everything in them were kept. */
    List<MixedChunk> foreseen(List<MixedChunk> mixed, List<ClassVerdicts> verdicts) throws IOException {
        Set<String> done = run.chunks(Table.JUDGED);
        Map<String, JudgedChunk> byMixed = byMixed(verdicts, chunk -> done.contains(chunk.id()));
        return mixed.stream()
                .map(chunk -> byMixed.containsKey(chunk.id()) ? chunk.judged(byMixed.get(chunk.id())) : chunk)
                .toList();
    }

    private static Map<String, JudgedChunk> byMixed(List<ClassVerdicts> verdicts, Predicate<JudgedChunk> which) {
        return verdicts.stream()
                .flatMap(of -> of.chunks().stream())
                .filter(which)
                .collect(Collectors.toMap(JudgedChunk::mixed, chunk -> chunk, (first, last) -> last));
    }

    /** How many images stand that are not judged yet. */
    long unjudged(List<ClassVerdicts> verdicts) throws IOException {
        Set<String> done = run.chunks(Table.JUDGED);
        Set<String> generated = run.chunks(Table.GENERATED);
        return verdicts.stream()
                .flatMap(of -> of.chunks().stream())
                .filter(chunk -> generated.contains(chunk.generated()) && !done.contains(chunk.id()))
                .mapToLong(JudgedChunk::rows)
                .sum();
    }

    /**
     * The verdicts that are left to do.
     *
     * @param unmixed chunks of the mixed table that are still to be made
     */
    StageLeft left(List<ClassVerdicts> verdicts, List<MixingChunk> unmixed) throws IOException {
        Set<String> done = run.chunks(Table.JUDGED);
        List<Integer> rows = new ArrayList<>();
        verdicts.stream()
                .flatMap(of -> of.chunks().stream())
                .filter(chunk -> !done.contains(chunk.id()))
                .forEach(chunk -> rows.add(chunk.rows()));
        unmixed.forEach(chunk -> rows.add(chunk.ks().size()));
        return StageLeft.of(StageName.FILTER, rows, Integer::intValue, 0);
    }

    /** Judges the images that stand and are not judged yet. */
    StageResult run(List<Catalog> catalogs, List<ClassVerdicts> verdicts, List<MixingEntry> entries)
            throws IOException {
        Set<String> done = run.chunks(Table.JUDGED);
        Set<String> generated = run.chunks(Table.GENERATED);
        long chunks = verdicts.stream().mapToLong(of -> of.chunks().size()).sum();
        Map<String, Map<String, List<JudgedChunk>>> byClass = new LinkedHashMap<>(); // and mixing settings
        for (ClassVerdicts of : verdicts) {
            Map<String, List<JudgedChunk>> bySettings = new TreeMap<>();
            Set<String> broken = new TreeSet<>(); // settings whose next images are not there yet
            for (JudgedChunk chunk : of.chunks()) {
                if (!generated.contains(chunk.generated())) {
                    broken.add(chunk.mixingId());
                } else if (!broken.contains(chunk.mixingId())) {
                    bySettings
                            .computeIfAbsent(chunk.mixingId(), id -> new ArrayList<>())
                            .add(chunk);
                }
            }
            if (settings.samplesMixtures()) {
                bySettings.keySet().removeIf(broken::contains);
            }
            bySettings.values().removeIf(all -> all.stream().allMatch(chunk -> done.contains(chunk.id())));
            if (!bySettings.isEmpty()) {
                byClass.put(of.pool().classId(), bySettings);
            }
        }
        List<ChunkResult> results = new ArrayList<>();
        if (!byClass.isEmpty()) {
            judge(catalogs, byClass, entries, done, results);
        }
        return new StageResult(chunks - results.size(), results);
    }

    private void judge(
            List<Catalog> catalogs,
            Map<String, Map<String, List<JudgedChunk>>> byClass,
            List<MixingEntry> entries,
            Set<String> done,
            List<ChunkResult> results)
            throws IOException {
        List<Catalog> compared = settings.comparesClasses()
                ? catalogs
                : catalogs.stream()
                        .filter(catalog -> byClass.containsKey(catalog.label().classId()))
                        .toList();
        Map<String, JudgeWork.Real> real = look(compared);
        Map<String, JudgeWork.Chunk> seen = see(byClass, done);
        if (tasks.isStopped()) {
            return;
        }
        FilterSettings by = settings;
        String id = settingsId;
        JudgeWork.Classes classes = new JudgeWork.Classes();
        if (settings.comparesClasses()) {
            tasks.map(
                            "find the means of classes",
                            List.copyOf(real.values()),
                            (folder, of, progress) -> JudgeWork.Classes.of(folder, by, of))
                    .forEach(classes::add);
        }
        List<JudgeWork.Item> items = new ArrayList<>();
        byClass.forEach((classId, bySettings) -> bySettings.forEach((mixingId, chunks) -> items.add(new JudgeWork.Item(
                real.get(classId),
                chunks.stream().map(chunk -> seen.get(chunk.id())).toList(),
                quota(entries, classId, mixingId)))));
        long rows = items.stream().mapToLong(JudgeWork.Item::rows).sum();
        Map<String, float[]> prompts = settings.readsPrompts() ? prompts(byClass.keySet()) : Map.of();
        tasks.run(
                        new Job(StageName.FILTER.text(), "images", rows, Needs.PROCESSOR),
                        items,
                        (folder, item, progress) ->
                                new JudgeWork(folder, by, id, classes, prompts, progress).judge(item))
                .forEach(results::addAll);
    }

    /** The unit embeddings of classes' prompts. One task loads the text model. */
    private Map<String, float[]> prompts(Set<String> classIds) {
        Map<String, String> told = new TreeMap<>();
        for (ClassLabel label : context.classes().classes()) {
            if (classIds.contains(label.classId())) {
                told.put(label.classId(), label.prompt());
            }
        }
        String clip = context.config().evaluation().clip();
        return tasks.onGpus()
                .map(
                        "embed prompts",
                        List.of(told),
                        (folder, prompts, progress) ->
                                JudgeWork.prompts(prompts, clip, TaskDevice.current(), folder.conf()))
                .get(0);
    }

    private static long quota(List<MixingEntry> entries, String classId, String mixingId) {
        return entries.stream()
                .filter(entry -> entry.settingsId().equals(mixingId))
                .mapToLong(entry -> entry.quota(classId))
                .max()
                .orElse(0);
    }

    /** Looks at the real images of these classes, where that is not done. */
    private Map<String, JudgeWork.Real> look(List<Catalog> catalogs) throws IOException {
        Set<String> done = run.chunks(Table.LOOKS);
        Set<String> seen = run.chunks(Table.FEATURES);
        Map<String, JudgeWork.Real> real = new LinkedHashMap<>();
        List<FeatureChunk> missing = new ArrayList<>();
        Map<Network, List<FeatureChunk>> unseen = new LinkedHashMap<>();
        for (Catalog catalog : catalogs) {
            List<FeatureChunk> chunks = real(catalog, looksId, done);
            chunks.stream().filter(chunk -> !done.contains(chunk.id())).forEach(missing::add);
            Map<String, List<FeatureChunk>> features = new TreeMap<>();
            networks.forEach((name, network) -> {
                List<FeatureChunk> shown = real(catalog, network.settingsId(), seen);
                features.put(name, shown);
                unseen.computeIfAbsent(network, of -> new ArrayList<>())
                        .addAll(shown.stream()
                                .filter(chunk -> !seen.contains(chunk.id()))
                                .toList());
            });
            ClassLabel label = catalog.label();
            real.put(label.classId(), new JudgeWork.Real(label, chunks, features));
        }
        var source = context.source();
        long maxPixels = context.config().input().maxPixels();
        LookWork.Settings as = looks;
        String id = looksId;
        tasks.run(
                new Job(
                        StageName.FILTER.text(),
                        "real images",
                        missing.stream().mapToLong(FeatureChunk::rows).sum(),
                        Needs.PROCESSOR),
                missing,
                (folder, chunk, progress) -> new LookWork(folder, source, maxPixels, as, id).look(chunk, progress));
        unseen.forEach((network, chunks) -> evaluate.get(0).show(StageName.FILTER, network, chunks));
        return real;
    }

    /** How near the images that are kept for the dataset come to real ones of their class. */
    Nearness nearness(List<Catalog> catalogs, List<ClassVerdicts> verdicts) throws IOException {
        Set<String> looked = run.chunks(Table.LOOKS);
        Set<String> done = run.chunks(Table.JUDGED);
        record Of(ClassPool pool, List<FeatureChunk> looks, List<JudgedChunk> chunks) implements Serializable {}
        Map<String, List<FeatureChunk>> looks = new HashMap<>();
        catalogs.forEach(catalog -> looks.put(
                catalog.label().classId(),
                real(catalog, looksId, looked).stream()
                        .filter(chunk -> looked.contains(chunk.id()))
                        .toList()));
        return tasks
                .map(
                        "compare with real images",
                        verdicts.stream()
                                .map(of -> new Of(
                                        of.pool(),
                                        looks.get(of.pool().classId()),
                                        of.chunks().stream()
                                                .filter(chunk -> chunk.kept() > 0 && done.contains(chunk.id()))
                                                .toList()))
                                .toList(),
                        (folder, of, progress) -> Nearness.of(folder, of.pool().classId(), of.looks(), of.chunks()))
                .stream()
                .reduce(Nearness.NONE, Nearness::plus);
    }

    private static List<FeatureChunk> real(Catalog catalog, String settingsId, Set<String> done) {
        return catalog.chunks().stream()
                .map(chunk -> FeatureChunk.of(
                        settingsId,
                        catalog.label().classId(),
                        Source.INPUT,
                        chunk.file(),
                        chunk.id(),
                        chunk.rows(),
                        chunk.leftOut(),
                        done))
                .toList();
    }

    /** Shows the images made to the networks, where that is not done; returns the chunks to judge by their ids. */
    private Map<String, JudgeWork.Chunk> see(Map<String, Map<String, List<JudgedChunk>>> byClass, Set<String> done)
            throws IOException {
        Set<String> seen = run.chunks(Table.FEATURES);
        Map<String, JudgeWork.Chunk> chunks = new HashMap<>();
        Map<Network, List<FeatureChunk>> unseen = new LinkedHashMap<>();
        byClass.values().stream()
                .flatMap(bySettings -> bySettings.values().stream())
                .flatMap(List::stream)
                .forEach(chunk -> {
                    Map<String, FeatureChunk> features = new TreeMap<>();
                    networks.forEach((name, network) -> {
                        FeatureChunk shown = FeatureChunk.of(
                                network.settingsId(),
                                chunk.classId(),
                                Source.GENERATED,
                                chunk.generated(),
                                chunk.generated(),
                                chunk.rows());
                        features.put(name, shown);
                        if (!seen.contains(shown.id())) {
                            unseen.computeIfAbsent(network, of -> new ArrayList<>())
                                    .add(shown);
                        }
                    });
                    chunks.put(chunk.id(), new JudgeWork.Chunk(chunk, done.contains(chunk.id()), features));
                });
        unseen.forEach((network, shown) -> evaluate.get(0).show(StageName.FILTER, network, shown));
        return chunks;
    }

    /**
     * Takes verdicts away that will be made again: those of these chunks and of the ones after them. Returns the ids of
     * the chunks of the generated table that they are on.
     *
     * @param generated the ids of chunks of the generated table
     * @param classes whose real images are looked at again, all of whose verdicts go
     */
    Set<String> forget(List<ClassVerdicts> verdicts, Set<String> generated, Set<String> classes) {
        List<JudgedChunk> forgotten = new ArrayList<>();
        Set<String> begun = new TreeSet<>(); // class and settings
        for (ClassVerdicts of : verdicts) {
            for (JudgedChunk chunk : of.chunks()) {
                String chain = chunk.classId() + "/" + chunk.mixingId();
                if (generated.contains(chunk.generated()) || classes.contains(chunk.classId())) {
                    begun.add(chain);
                }
                if (begun.contains(chain)) {
                    forgotten.add(chunk);
                }
            }
        }
        tasks.map("forget verdicts", forgotten, (folder, chunk, progress) -> {
            new JudgedTable(folder, chunk.classId()).forget(chunk.id());
            return chunk.id();
        });
        return forgotten.stream().map(JudgedChunk::generated).collect(Collectors.toSet());
    }

    /**
     * Takes away what was seen of real images in chunks that refused some; returns the classes whose verdicts depend on
     * it.
     */
    Set<String> forgetLooks(List<Catalog> catalogs) throws IOException {
        Set<String> refusing = run.rejectedChunks(StageName.FILTER);
        Set<String> done = run.chunks(Table.LOOKS);
        List<FeatureChunk> forgotten = catalogs.stream()
                .flatMap(catalog -> real(catalog, looksId, done).stream())
                .filter(chunk -> refusing.contains(chunk.id()))
                .toList();
        tasks.map("forget refused images", forgotten, (folder, chunk, progress) -> {
            new LooksTable(folder, chunk.classId()).forget(chunk.id());
            return chunk.id();
        });
        return forgotten.stream().map(FeatureChunk::classId).collect(Collectors.toSet());
    }
}
