package latentmix.view;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassPool;
import latentmix.plan.GenerationChunk;
import latentmix.plan.MixingChunk;
import latentmix.plan.MixingSettings;
import latentmix.table.GeneratedTable;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.work.GenerationWork;
import latentmix.work.MixingWork;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes an image again: mixes its chunk's mixtures of the inverted images anew, generates them in a folder of its own
 * on this machine's disk and compares the bytes. The run folder is read alone.
 */
final class Again {
    private static final Logger LOG = LoggerFactory.getLogger(Again.class);

    /**
     * How far it is.
     *
     * @param state {@code going}; {@code same} or {@code other} bytes; {@code failed}
     */
    record State(String state, String words) {}

    private final RunView view;
    private final Networks networks;
    private final Map<String, State> states = new ConcurrentHashMap<>(); // by mix id

    Again(RunView view, Networks networks) {
        this.view = view;
        this.networks = networks;
    }

    /** How far an image is made again; begins where it was not asked for yet, or is done and was told. */
    State of(ClassTables tables, Picture picture) {
        State state = states.get(picture.id());
        if (state == null) {
            State waiting = new State("going", "It waits for its turn.");
            states.put(picture.id(), waiting);
            Future<?> unused = networks.submit(() -> {
                states.put(picture.id(), made(tables, picture));
                return null;
            });
            return waiting;
        }
        if (!state.state().equals("going")) {
            states.remove(picture.id(), state);
        }
        return state;
    }

    private State made(ClassTables tables, Picture picture) {
        try {
            Path folder = Files.createTempDirectory("latentmix-again");
            try {
                return compared(tables, picture, folder.toUri().toString());
            } finally {
                delete(folder);
            }
        } catch (IOException | RuntimeException e) {
            LOG.warn("An image could not be made again", e);
            return new State("failed", "It could not be made again: " + e.getMessage());
        }
    }

    private State compared(ClassTables tables, Picture picture, String folder) throws IOException {
        RunFolder run = tables.run();
        RunFolder there = new RunFolder(folder, run.conf());
        MixedTable mixed = new MixedTable(run, tables.classId());
        MixedTable.Trail mixture = tables.mixture(picture);
        for (String prompt : run.prompts()) {
            copy(run, there, run.prompt(prompt), there.prompt(prompt));
        }
        for (String of : List.of(tables.classId(), RunFolder.NO_CLASS)) {
            for (String adapter : run.chunks(Table.ADAPTERS, of)) {
                copy(run, there, Table.ADAPTERS, of, adapter);
            }
        }
        Optional<ClassPool> pool = tables.pool(mixture.poolId(), mixture.prompt());
        for (String chunk : tables.inverted().keySet()) {
            copy(run, there, Table.INVERTED, tables.classId(), chunk);
        }
        for (String chunk : run.chunks(Table.COMPANIONS, tables.classId())) {
            copy(run, there, Table.COMPANIONS, tables.classId(), chunk);
        }
        ClassPool of = pool.orElseGet(() ->
                new ClassPool(label(tables, mixture), List.of(), List.of())); // whose mixtures are taken as they stand
        if (pool.isPresent()) {
            say(picture, "Its chunk is mixed.");
            List<Integer> ks = mixed.keys(picture.chunk()).stream()
                    .map(MixedTable.Key::k)
                    .sorted()
                    .toList();
            new MixingWork(there, rows -> {})
                    .mix(new MixingChunk(
                            picture.chunk(),
                            view.settings(mixture.settingsId(), MixingSettings.class),
                            mixture.settingsId(),
                            mixture.poolId(),
                            of,
                            ks));
        } else {
            copy(run, there, Table.MIXED, tables.classId(), picture.chunk());
        }
        long rows = mixed.count(picture.chunk());
        AtomicLong done = new AtomicLong();
        say(picture, "The networks are loaded.");
        GenerationChunk chunk = new GenerationChunk(tables.generated(picture.chunk()), of, picture.chunk(), (int) rows);
        new GenerationWork(
                        there,
                        networks.model(),
                        networks.generation(),
                        tables.start().generate(),
                        more -> say(
                                picture,
                                String.format(
                                        Locale.ROOT,
                                        "%d of %d images of its chunk are generated.",
                                        done.addAndGet(more),
                                        rows)))
                .generate(chunk);
        byte[] before = image(run, tables, chunk, picture);
        boolean same = Arrays.equals(before, image(there, tables, chunk, picture));
        String from = pool.isPresent()
                ? "mixed anew of the inverted images"
                : "from its mixture as it stands, since "
                        + (mixture.labelClasses().isEmpty()
                                ? "the images of its class are not those that it was drawn from"
                                : "it is drawn from several classes");
        return same
                ? new State("same", "The same bytes: " + before.length + " of them, " + from + ".")
                : new State(
                        "other",
                        "OTHER BYTES, " + from + "."
                                + (networks.isOtherDevice()
                                        ? " This machine lacks the kind of device that made it, and another one rounds"
                                                + " otherwise."
                                        : ""));
    }

    private static ClassLabel label(ClassTables tables, MixedTable.Trail mixture) {
        return new ClassLabel(tables.classId(), 0, tables.classId(), mixture.prompt());
    }

    private void say(Picture picture, String words) {
        states.put(picture.id(), new State("going", words));
    }

    private static byte[] image(RunFolder run, ClassTables tables, GenerationChunk chunk, Picture picture)
            throws IOException {
        return new GeneratedTable(run, tables.classId())
                .images(chunk.id()).stream()
                        .filter(row -> row.mixId().equals(picture.id()))
                        .findFirst()
                        .orElseThrow()
                        .image()
                        .bytes();
    }

    private static void copy(RunFolder run, RunFolder there, Table table, String classId, String chunk)
            throws IOException {
        copy(run, there, run.chunk(table, classId, chunk), there.chunk(table, classId, chunk));
    }

    private static void copy(
            RunFolder run, RunFolder there, org.apache.hadoop.fs.Path from, org.apache.hadoop.fs.Path to)
            throws IOException {
        there.publish(to, run.read(from));
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
