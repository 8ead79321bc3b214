package latentmix.stage;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import latentmix.adaptation.Adaptation;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.model.Models;
import latentmix.model.PromptCuts;
import latentmix.model.TokenLearner;
import latentmix.model.Tokenizer;
import latentmix.plan.AdaptChunk;
import latentmix.plan.AdaptSettings;
import latentmix.plan.Catalog;
import latentmix.plan.ClassLabel;
import latentmix.report.Adapted;
import latentmix.report.StageLeft;
import latentmix.schedule.TrainingProcess;
import latentmix.source.ImageSource;
import latentmix.table.AdaptersTable;
import latentmix.table.StageName;
import latentmix.work.AdaptWork;
import latentmix.work.ChunkResult;
import latentmix.work.Prompts;
import org.apache.hadoop.fs.Path;

/**
 * Learns a token of each class, a LoRA or both from its images. A task learns one class on the device that it is given,
 * or all classes where they share a LoRA. The class's prompt tells what was learnt from then on: so whatever is made
 * with it has ids of its own.
 */
final class AdaptStage {
    private final RunContext context;
    private final RunConfig.Adapt asked;
    private final ModelSource model;
    private final AdaptSettings settings;
    private final String settingsId;
    private final Map<String, Integer> vectors = new HashMap<>(); // by class id

    /**
     * The stage of a configuration that asks for it.
     *
     * @throws ConfigException if the checkpoint or a class cannot be adapted as is asked
     */
    AdaptStage(RunContext context, CheckpointFolder checkpoint, Preparation preparation) throws IOException {
        RunConfig config = context.config();
        this.context = context;
        this.asked = config.adapt().orElseThrow();
        this.model = new ModelSource(
                context.model().checkpoint(),
                config.adaptDtype(),
                context.model().threads());
        this.settings = new AdaptSettings(
                context.settings().inversion().checkpointFingerprint(),
                context.settings().inversion().device(),
                model.dtype().toString(),
                model.threads(),
                config.model().batch(),
                context.settings().inversion().size(),
                asked.method().toString(),
                asked.vectors().orElse(0),
                asked.steps(),
                asked.method().learnsToken() ? asked.learningRate() : 0,
                asked.batch(),
                asked.minSnr(),
                asked.flip(),
                config.run().seed(),
                asked.scope() == RunConfig.AdaptScope.CLASS ? null : "dataset",
                asked.lora()
                        .map(lora -> new AdaptSettings.Lora(
                                lora.rank(), lora.alpha(), lora.learningRate(), lora.promptDropout()))
                        .orElse(null));
        try {
            TrainingProcess.of(checkpoint.schedulerConfig()).level(0, asked.minSnr());
        } catch (IllegalArgumentException e) {
            throw new ConfigException(List.of("adapt.min_snr: " + e.getMessage() + "; leave it out"));
        }
        if (asked.method().learnsToken()) {
            checkPrompts(checkpoint);
            preparation.compileTokenLearners(checkpoint, model.dtype());
        }
        preparation.compile(checkpoint, model.dtype());
        if (asked.method().learnsLora()) {
            Stream.of(model.dtype(), config.model().dtype(), config.inversionDtype())
                    .distinct()
                    .forEach(dtype -> preparation.compileAdaptable(checkpoint, dtype));
        }
        this.settingsId = preparation.settings(settings);
    }

    /** Finds how many vectors each class's token has, and refuses prompts that have no room for them. */
    private void checkPrompts(CheckpointFolder checkpoint) {
        List<String> problems = new ArrayList<>();
        List<Tokenizer> tokenizers = Models.tokenizers(checkpoint);
        try {
            Tokenizer clip = tokenizers.get(0);
            for (ClassLabel label : context.classes().classes()) {
                String name = AdaptChunk.name(label, template());
                int words = TokenLearner.words(clip, name);
                int own = asked.vectors().orElse(words);
                vectors.put(label.classId(), own);
                int length = Stream.concat(
                                        Stream.of(label.prompt()),
                                        context.settings().contexts().stream().map(label::prompt))
                                .mapToInt(clip::length)
                                .max()
                                .getAsInt()
                        - words
                        + own;
                if (words < 1) {
                    problems.add("adapt: expected a name of class " + label.classId()
                            + " that the checkpoint's tokenizer reads, which its token begins as, got \"" + name
                            + "\"; name the class otherwise in input.classes");
                } else if (length > clip.maxLength()) {
                    problems.add("adapt.vectors: expected room for them in the prompt of class " + label.classId()
                            + ", whose most is " + clip.maxLength() + " tokens, got " + length
                            + " with start and end; set fewer vectors, or shorten prompt.template"
                            + (context.settings().contexts().isEmpty() ? "" : " or mixing.contexts"));
                }
            }
        } finally {
            tokenizers.forEach(Tokenizer::close);
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }

    private String template() {
        return context.config().prompt().template();
    }

    /** What is refused to configurations without it. */
    static ConfigException nothingAsked() {
        return new ConfigException(List.of("adapt: expected what is to be learnt of the classes, got no such section;"
                + " write adapt: {method: textual-inversion}, or leave the stage out"));
    }

    /** The number format that is learnt in. */
    ModelSource model() {
        return model;
    }

    /** Refuses classes of too few images. */
    void checkImages(List<Catalog> catalogs) {
        List<String> problems = catalogs.stream()
                .filter(catalog ->
                        catalog.images() > 0 && catalog.images() < AdaptWork.leastImages(settings.isShared()))
                .map(catalog -> "adapt: expected two images of a class or more, to learn what they share, got one of "
                        + catalog.label().classId() + "; add images, leave the class out by input.folders,"
                        + " or set adapt.scope: dataset")
                .toList();
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }

    /** The classes' adapters, done or not. */
    List<AdaptChunk> chunks(List<Catalog> catalogs) {
        Map<String, ClassLabel> labels = new HashMap<>();
        context.classes().classes().forEach(label -> labels.put(label.classId(), label));
        return AdaptChunk.of(
                settingsId,
                asked.scope(),
                asked.method(),
                template(),
                catalogs.stream()
                        .map(catalog -> {
                            String classId = catalog.label().classId();
                            return new AdaptChunk.Lesson(
                                    labels.get(classId), vectors.getOrDefault(classId, 0), catalog.chunks());
                        })
                        .toList());
    }

    /** The same images of classes that are told their tokens. */
    List<Catalog> told(List<Catalog> catalogs) {
        List<AdaptChunk> chunks = chunks(catalogs);
        List<Catalog> told = new ArrayList<>();
        for (int i = 0; i < chunks.size(); i++) {
            told.add(catalogs.get(i).told(chunks.get(i).told()));
        }
        return told;
    }

    /** Those that do not stand yet, or whose prompts do not, by what is learnt at once. */
    List<List<AdaptChunk>> missing(List<Catalog> catalogs) throws IOException {
        Set<String> done = AdaptWork.done(context.run(), settings);
        Set<String> encoded = context.run().prompts();
        Prompts prompts = new Prompts(context.run(), settings.checkpointFingerprint());
        List<String> contexts = context.settings().contexts();
        return asked.scope().parts(chunks(catalogs)).stream()
                .filter(part -> part.stream()
                        .anyMatch(chunk -> !done.contains(chunk.id())
                                || !chunk.prompts(contexts).stream()
                                        .map(prompts::id)
                                        .allMatch(encoded::contains)))
                .toList();
    }

    /** What is left to learn. */
    StageLeft left(List<Catalog> catalogs) throws IOException {
        List<List<AdaptChunk>> missing = missing(catalogs);
        Adaptation.Settings learning = AdaptWork.learning(settings);
        return StageLeft.of(StageName.ADAPT, missing, List::size, missing.size() * learning.evaluations());
    }

    /** Learns what is missing. */
    StageResult run(List<Catalog> catalogs) throws IOException {
        List<List<AdaptChunk>> missing = missing(catalogs);
        warnOfCuts(missing.stream().flatMap(List::stream).toList());
        ModelSource source = model;
        ImageSource images = context.source();
        long maxPixels = context.config().input().maxPixels();
        AdaptSettings how = settings;
        String id = settingsId;
        List<String> contexts = context.settings().contexts();
        List<ChunkResult> results = context.tasks()
                .run(
                        Job.of(StageName.ADAPT, "steps", missing, part -> how.steps()),
                        missing,
                        (folder, part, progress) -> new AdaptWork(
                                        folder, source.onDevice(folder.conf()), images, maxPixels, how, id, progress)
                                .adapt(part, contexts));
        return new StageResult(asked.scope().parts(catalogs).size() - missing.size(), results);
    }

    /** Says which prompts are cut; those with a token are refused before. */
    private void warnOfCuts(List<AdaptChunk> missing) throws IOException {
        List<String> words = missing.stream()
                .filter(chunk -> chunk.token().isEmpty())
                .map(chunk -> chunk.label().prompt())
                .distinct()
                .toList();
        PromptCuts.warnings(model.open(context.run().conf()), words).stream()
                .map(cut -> cut + "; shorten prompt.template or the class's name")
                .forEach(context.tasks().console()::warn);
    }

    /** What was learnt, of the classes that it was learnt of. */
    List<Adapted> results(List<Catalog> catalogs) throws IOException {
        AdaptSettings how = settings;
        Set<String> done = AdaptWork.done(context.run(), how);
        int rank = asked.lora().map(RunConfig.AdaptLora::rank).orElse(0);
        return context.tasks()
                .map(
                        "read what was learnt",
                        chunks(catalogs).stream()
                                .filter(chunk -> done.contains(chunk.id()))
                                .toList(),
                        (folder, chunk, progress) -> Adapted.of(
                                chunk.label(),
                                rank,
                                new AdaptersTable(folder, chunk.classId()).result(chunk.id()),
                                AdaptWork.files(folder, how, chunk).stream()
                                        .map(Path::toString)
                                        .toList()));
    }
}
