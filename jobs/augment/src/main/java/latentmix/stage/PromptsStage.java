package latentmix.stage;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import latentmix.model.PromptCuts;
import latentmix.model.TextEncoder;
import latentmix.plan.ClassLabel;
import latentmix.table.StageName;
import latentmix.work.ModelOnDevice;
import latentmix.work.Prompts;

/** Encodes the prompts of all classes and the negative one. A task encodes a group of them. */
final class PromptsStage {
    private static final int PROMPTS_PER_TASK = 64;

    private final RunContext context;
    private final String fingerprint;

    PromptsStage(RunContext context) {
        this.context = context;
        this.fingerprint = context.settings().inversion().checkpointFingerprint();
    }

    /** The prompts that are not encoded yet. */
    List<String> missing() throws IOException {
        Prompts prompts = new Prompts(context.run(), fingerprint);
        Set<String> done = context.run().prompts();
        return Stream.concat(
                        context.classes().classes().stream().map(ClassLabel::prompt),
                        Stream.of(context.config().prompt().negative()))
                .distinct()
                .filter(text -> !done.contains(prompts.id(text)))
                .toList();
    }

    void run() throws IOException {
        List<String> missing = missing();
        PromptCuts.warnings(context.model().open(context.run().conf()), missing)
                .forEach(context.tasks().console()::warn);
        List<List<String>> groups = new ArrayList<>();
        for (int from = 0; from < missing.size(); from += PROMPTS_PER_TASK) {
            groups.add(List.copyOf(missing.subList(from, Math.min(from + PROMPTS_PER_TASK, missing.size()))));
        }
        ModelSource source = context.model();
        String expected = fingerprint;
        context.tasks()
                .run(Job.of(StageName.PROMPTS, "prompts", groups, List::size), groups, (folder, texts, progress) -> {
                    ModelOnDevice model = source.onDevice(folder.conf()).expecting(expected);
                    Prompts table = new Prompts(folder, expected);
                    try (TextEncoder encoder = model.textEncoder()) {
                        for (String text : texts) {
                            table.encode(text, encoder);
                            progress.accept(1);
                        }
                    }
                    return texts.size();
                });
    }
}
