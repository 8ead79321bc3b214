package latentmix.stage;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import latentmix.config.RunConfig;
import latentmix.model.PromptCuts;
import latentmix.model.TextEncoder;
import latentmix.plan.Catalog;
import latentmix.table.CaptionsTable;
import latentmix.table.StageName;
import latentmix.work.Batches;
import latentmix.work.ModelOnDevice;
import latentmix.work.Prompts;

/**
 * Encodes the prompts of all classes, alone and in each context, the negative one and the captions, each distinct text
 * once. A task encodes a group of them. Of a caption its id comes to the driver.
 */
final class PromptsStage {
    private static final int PROMPTS_PER_TASK = 64;

    /** Each task reads all captions of a class. */
    private static final int MOST_PER_TASK = 1024;

    /**
     * What a task encodes.
     *
     * @param classId the class that has the captions; empty for prompts
     * @param ids of captions
     * @param texts prompts
     */
    private record Group(String classId, List<String> ids, List<String> texts) implements Serializable {
        int size() {
            return ids.size() + texts.size();
        }
    }

    /**
     * What is cut of a group's texts.
     *
     * @param first what is said of the first of them
     */
    private record Cuts(int count, String first) implements Serializable {}

    private final RunContext context;
    private final String fingerprint;

    PromptsStage(RunContext context) {
        this.context = context;
        this.fingerprint = context.settings().inversion().checkpointFingerprint();
    }

    /** Encodes what is not encoded yet. */
    void run(List<Catalog> catalogs) throws IOException {
        Set<String> done = new HashSet<>(context.run().prompts());
        Prompts prompts = new Prompts(context.run(), fingerprint);
        List<String> contexts = context.settings().contexts();
        List<String> missing = Stream.of(
                        catalogs.stream().map(catalog -> catalog.label().prompt()),
                        Stream.of(context.config().prompt().negative()),
                        catalogs.stream().flatMap(catalog -> contexts.stream()
                                .map(told -> catalog.label().prompt(told))))
                .flatMap(texts -> texts)
                .distinct()
                .filter(text -> done.add(prompts.id(text)))
                .toList();
        PromptCuts.warnings(context.model().open(context.run().conf()), missing).stream()
                .map(cut -> cut + "; shorten prompt.template"
                        + (contexts.isEmpty() ? " or the class's name" : ", the class's name or mixing.contexts"))
                .forEach(context.tasks().console()::warn);
        List<Group> groups = new ArrayList<>();
        Batches.of(missing, PROMPTS_PER_TASK)
                .forEach(texts -> groups.add(new Group("", List.of(), List.copyOf(texts))));
        if (context.config().prompt().from() == RunConfig.PromptFrom.CAPTION) {
            groups.addAll(captions(catalogs, done));
        }
        ModelSource source = context.model();
        String expected = fingerprint;
        List<Cuts> cuts = context.tasks()
                .run(Job.of(StageName.PROMPTS, "prompts", groups, Group::size), groups, (folder, group, progress) -> {
                    ModelOnDevice model = source.onDevice(folder.conf()).expecting(expected);
                    Prompts table = new Prompts(folder, expected);
                    List<String> captions = new ArrayList<>();
                    if (!group.ids().isEmpty()) {
                        Map<String, String> byId = new TreeMap<>();
                        new CaptionsTable(folder, group.classId())
                                .captions()
                                .values()
                                .forEach(caption -> byId.put(table.id(caption), caption));
                        group.ids().forEach(id -> captions.add(byId.get(id)));
                    }
                    try (TextEncoder encoder = model.textEncoder()) {
                        for (String text : group.texts().isEmpty() ? captions : group.texts()) {
                            table.encode(text, encoder);
                            progress.accept(1);
                        }
                    }
                    List<String> cut =
                            captions.isEmpty() ? List.of() : PromptCuts.warnings(source.open(folder.conf()), captions);
                    return new Cuts(cut.size(), cut.stream().findFirst().orElse(""));
                });
        int cut = cuts.stream().mapToInt(Cuts::count).sum();
        cuts.stream().filter(some -> some.count() > 0).findFirst().ifPresent(some -> context.tasks()
                .console()
                .warn("prompt.from: " + cut + " captions are longer than this checkpoint takes, and are cut."
                        + " The first: " + some.first() + "; shorten them"));
    }

    /** The captions that are not done yet, each in the first class that has it. */
    private List<Group> captions(List<Catalog> catalogs, Set<String> done) {
        String expected = fingerprint;
        List<String> classIds =
                catalogs.stream().map(catalog -> catalog.label().classId()).toList();
        List<List<String>> ids = context.tasks().map("list captions", classIds, (folder, classId, progress) -> {
            Prompts table = new Prompts(folder, expected);
            return new ArrayList<>(new CaptionsTable(folder, classId)
                    .captions().values().stream().map(table::id).distinct().toList());
        });
        int total = ids.stream().mapToInt(List::size).sum();
        int size = Math.max(
                PROMPTS_PER_TASK,
                Math.min(MOST_PER_TASK, total / context.tasks().partitions()));
        List<Group> groups = new ArrayList<>();
        for (int i = 0; i < classIds.size(); i++) {
            String classId = classIds.get(i);
            List<String> missing = ids.get(i).stream().filter(done::add).toList();
            Batches.of(missing, size).forEach(some -> groups.add(new Group(classId, List.copyOf(some), List.of())));
        }
        return groups;
    }
}
