package latentmix.work;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import latentmix.latent.Method;
import latentmix.plan.Catalog;
import latentmix.plan.ClassLabel;
import latentmix.plan.ExportChunk;
import latentmix.plan.FeatureChunk;
import latentmix.plan.FeatureChunk.Source;
import latentmix.plan.GenerationChunk;
import latentmix.plan.InversionChunk;
import latentmix.plan.MixedChunk;
import latentmix.plan.MixingChunk;
import latentmix.plan.MixingEntry;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;

/**
 * What a configuration has still to do in one class: what each stage would find missing once those before it are done.
 * It is exact where every image is inverted and every mixture drawn; before that it counts files, of which some may be
 * refused.
 */
public record Remaining(Todo invert, Todo mix, Todo generate, Todo evaluate, Todo export) implements Serializable {
    /** Chunks, which are tasks and files, their rows, and what they cost of the denoising network. */
    public record Todo(long chunks, long rows, long networkEvaluations) implements Serializable {
        public static final Todo NOTHING = new Todo(0, 0, 0);

        /** The sum of two. */
        public Todo plus(Todo other) {
            return new Todo(chunks + other.chunks, rows + other.rows, networkEvaluations + other.networkEvaluations);
        }
    }

    /**
     * What is asked for.
     *
     * @param limit of images a class
     * @param evaluationsAnImage what an inversion costs
     * @param refusing the chunks that refused mixtures, of any class
     * @param evaluationsAMixture what a mixture costs, by its strength
     * @param exported for each entry whether it enters the dataset
     * @param inDataset the dataset's chunks that stand
     * @param features the dataset's
     */
    public record Asked(
            String input,
            long limit,
            int chunkRows,
            String inversionId,
            long evaluationsAnImage,
            List<MixingEntry> entries,
            Set<String> refusing,
            String generationId,
            Map<Double, Long> evaluationsAMixture,
            List<Boolean> exported,
            Set<String> inDataset,
            String features,
            Measured measured)
            implements Serializable {
        private List<MixingEntry> exportedEntries() {
            List<MixingEntry> some = new ArrayList<>();
            for (int i = 0; i < entries.size(); i++) {
                if (exported.get(i)) {
                    some.add(entries.get(i));
                }
            }
            return some;
        }
    }

    /**
     * What is measured.
     *
     * @param networks the settings ids of their features; none where nothing is measured
     * @param places where real images are; null where nothing is measured
     */
    public record Measured(List<String> networks, FeatureWork.Places places) implements Serializable {}

    /** The sum over two classes. */
    public Remaining plus(Remaining other) {
        return new Remaining(
                invert.plus(other.invert),
                mix.plus(other.mix),
                generate.plus(other.generate),
                evaluate.plus(other.evaluate),
                export.plus(other.export));
    }

    /** Looks at what stands of a class. */
    public static Remaining of(RunFolder run, ClassLabel label, Asked asked) throws IOException {
        ImagesWork.Listing images = new ImagesWork(run, asked.input(), asked.chunkRows(), asked.limit()).list(label);
        Set<String> done = run.chunks(Table.INVERTED, label.classId());
        List<String> pool = new ArrayList<>();
        Todo invert = Todo.NOTHING;
        for (Catalog.Chunk chunk : images.catalog().chunks()) {
            String id = InversionChunk.id(asked.inversionId(), label.prompt(), chunk.id());
            if (done.contains(id)) {
                pool.add(id);
            } else {
                invert = invert.plus(new Todo(1, chunk.rows(), chunk.rows() * asked.evaluationsAnImage()));
            }
        }
        Todo fresh = new Todo(
                chunks(images.fresh(), asked.chunkRows()), images.fresh(), images.fresh() * asked.evaluationsAnImage());
        invert = invert.plus(fresh);

        MixingPlan plan = new MixingPlan(run, asked.chunkRows());
        List<MixingChunk> unmixed = invert.rows() == 0
                ? plan.missing(label, pool, asked.entries(), asked.refusing())
                : plan.all(label, asked.entries());
        List<MixedChunk> mixed = plan.mixed(label, asked.entries());
        return new Remaining(
                invert,
                unmixed.stream().map(chunk -> new Todo(1, chunk.ks().size(), 0)).reduce(Todo.NOTHING, Todo::plus),
                generate(run, label, asked, mixed, unmixed),
                evaluate(run, label, asked, images, mixed, unmixed),
                export(run, label, asked, unmixed));
    }

    private static Todo generate(
            RunFolder run, ClassLabel label, Asked asked, List<MixedChunk> mixed, List<MixingChunk> unmixed)
            throws IOException {
        Set<String> done = run.chunks(Table.GENERATED, label.classId());
        Todo todo = Todo.NOTHING;
        for (MixedChunk chunk : mixed) {
            if (!done.contains(GenerationChunk.id(asked.generationId(), chunk.id()))) {
                long evaluations = 0;
                for (double strength : new MixedTable(run, label.classId()).strengths(chunk.id())) {
                    evaluations += asked.evaluationsAMixture().get(strength);
                }
                todo = todo.plus(new Todo(1, chunk.rows(), evaluations));
            }
        }
        for (MixingChunk chunk : unmixed) {
            long evaluations = chunk.ks().stream()
                    .map(k -> Method.parse(chunk.settings().method(k)).strength())
                    .mapToLong(strength -> asked.evaluationsAMixture().get(strength))
                    .sum();
            todo = todo.plus(new Todo(1, chunk.ks().size(), evaluations));
        }
        return todo;
    }

    /** Every network sees the input, the reference, the inverted and the generated images once. */
    private static Todo evaluate(
            RunFolder run,
            ClassLabel label,
            Asked asked,
            ImagesWork.Listing images,
            List<MixedChunk> mixed,
            List<MixingChunk> unmixed)
            throws IOException {
        if (asked.measured().networks().isEmpty()) {
            return Todo.NOTHING;
        }
        FeatureWork.Places places = asked.measured().places();
        ImagesWork.Listing reference = places.reference().isEmpty()
                ? new ImagesWork.Listing(new Catalog(label, List.of(), 0), 0)
                : new ImagesWork(
                                new RunFolder(places.referenceTables(), run.conf()),
                                places.reference(),
                                asked.chunkRows())
                        .list(label);
        Set<String> done = run.chunks(Table.FEATURES, label.classId());
        Todo todo = Todo.NOTHING;
        for (String network : asked.measured().networks()) {
            List<FeatureChunk> known = new ArrayList<>();
            for (Catalog.Chunk chunk : images.catalog().chunks()) {
                String inverted = InversionChunk.id(asked.inversionId(), label.prompt(), chunk.id());
                known.add(features(network, label, Source.INPUT, chunk.id(), chunk.rows()));
                known.add(features(network, label, Source.RECONSTRUCTION, inverted, chunk.rows()));
            }
            for (Catalog.Chunk chunk : reference.catalog().chunks()) {
                known.add(features(network, label, Source.REFERENCE, chunk.id(), chunk.rows()));
            }
            for (MixedChunk chunk : mixed) {
                String generated = GenerationChunk.id(asked.generationId(), chunk.id());
                known.add(features(network, label, Source.GENERATED, generated, chunk.rows()));
            }
            for (FeatureChunk chunk : known) {
                if (!done.contains(chunk.id())) {
                    todo = todo.plus(new Todo(1, chunk.rows(), 0));
                }
            }
            for (MixingChunk chunk : unmixed) {
                todo = todo.plus(new Todo(1, chunk.ks().size(), 0));
            }
            todo = todo.plus(new Todo(2 * chunks(images.fresh(), asked.chunkRows()), 2 * images.fresh(), 0))
                    .plus(new Todo(chunks(reference.fresh(), asked.chunkRows()), reference.fresh(), 0));
        }
        return todo;
    }

    private static FeatureChunk features(String network, ClassLabel label, Source source, String chunk, int rows) {
        return FeatureChunk.of(network, label.classId(), source, chunk, chunk, rows);
    }

    private static Todo export(RunFolder run, ClassLabel label, Asked asked, List<MixingChunk> unmixed)
            throws IOException {
        List<MixingEntry> entries = asked.exportedEntries();
        Todo todo = Todo.NOTHING;
        for (MixedChunk mixed : new MixingPlan(run, asked.chunkRows()).mixed(label, entries)) {
            String generated = GenerationChunk.id(asked.generationId(), mixed.id());
            ExportChunk chunk = ExportChunk.of(label, generated, mixed, asked.features());
            if (!asked.inDataset().contains(chunk.id() + ".parquet")) {
                todo = todo.plus(new Todo(1, chunk.rows(), 0));
            }
        }
        for (MixingChunk chunk : unmixed) {
            if (entries.stream().anyMatch(entry -> entry.settingsId().equals(chunk.settingsId()))) {
                todo = todo.plus(new Todo(1, chunk.ks().size(), 0));
            }
        }
        return todo;
    }

    private static long chunks(long rows, int chunkRows) {
        return (rows + chunkRows - 1) / chunkRows;
    }
}
