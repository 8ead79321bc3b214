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
import java.util.stream.Stream;
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
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.table.StageName;
import latentmix.work.ChunkResult;
import latentmix.work.FeatureWork.Network;
import latentmix.work.JudgeWork;

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
    private final LookStage looks;

    /**
     * The stage of a configuration with a filter.
     *
     * @param evaluate whose networks judges look by; there is one where any does
     * @throws ConfigException if the classes cannot be judged as is asked
     */
    FilterStage(RunContext context, Preparation preparation, List<EvaluateStage> evaluate, LookStage looks)
            throws IOException {
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
        this.looks = looks;
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
        List<FeatureChunk> all = new ArrayList<>();
        Map<Network, List<FeatureChunk>> unseen = new LinkedHashMap<>();
        for (Catalog catalog : catalogs) {
            List<FeatureChunk> chunks = looks.chunks(Source.INPUT, catalog, done);
            all.addAll(chunks);
            Map<String, List<FeatureChunk>> features = new TreeMap<>();
            networks.forEach((name, network) -> {
                List<FeatureChunk> shown = FeatureChunk.of(network.settingsId(), Source.INPUT, catalog, seen);
                features.put(name, shown);
                unseen.computeIfAbsent(network, of -> new ArrayList<>())
                        .addAll(shown.stream()
                                .filter(chunk -> !seen.contains(chunk.id()))
                                .toList());
            });
            ClassLabel label = catalog.label();
            real.put(label.classId(), new JudgeWork.Real(label, chunks, features));
        }
        looks.look(StageName.FILTER, all, context.source(), run);
        unseen.forEach((network, chunks) -> evaluate.get(0).show(StageName.FILTER, network, chunks));
        return real;
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
     * Takes verdicts away that will be made again: all of a class of which one may change, under any settings. They
     * cost no network. Returns the ids of the chunks of the generated table that those that may change are on.
     *
     * @param generated the ids of chunks of the generated table that will be made again
     * @param looks chunks of real images that will be looked at again
     * @param features chunks of images that will be shown to a network again
     */
    Set<String> forget(
            List<ClassVerdicts> verdicts,
            Set<String> generated,
            List<FeatureChunk> looks,
            List<FeatureChunk> features) {
        Set<String> images = new TreeSet<>(generated);
        features.stream()
                .filter(chunk -> chunk.source() == Source.GENERATED)
                .forEach(chunk -> images.add(chunk.chunk()));
        List<FeatureChunk> real = features.stream()
                .filter(chunk -> chunk.source() == Source.INPUT)
                .toList();
        boolean isOfAll = settings.comparesClasses() && !real.isEmpty();
        Set<String> classes = Stream.concat(looks.stream(), real.stream())
                .map(FeatureChunk::classId)
                .collect(Collectors.toSet());
        List<JudgedChunk> changed = new ArrayList<>();
        Set<String> begun = new TreeSet<>(); // class and settings
        for (ClassVerdicts of : verdicts) {
            for (JudgedChunk chunk : of.chunks()) {
                String chain = chunk.classId() + "/" + chunk.mixingId();
                if (isOfAll || images.contains(chunk.generated()) || classes.contains(chunk.classId())) {
                    begun.add(chain);
                }
                if (begun.contains(chain)) {
                    changed.add(chunk);
                }
            }
        }
        tasks.map(
                "forget verdicts",
                changed.stream().map(JudgedChunk::classId).distinct().toList(),
                (folder, classId, progress) -> {
                    JudgedTable table = new JudgedTable(folder, classId);
                    for (String chunk : table.chunks()) {
                        table.forget(chunk);
                    }
                    return classId;
                });
        return changed.stream().map(JudgedChunk::generated).collect(Collectors.toSet());
    }
}
