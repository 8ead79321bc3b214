package latentmix.work;

import ai.djl.Device;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.ConfigFile;
import latentmix.latent.Latent;
import latentmix.latent.Latents;
import latentmix.latent.Shape;
import latentmix.model.Dtype;
import latentmix.model.TextEncoder;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassPool;
import latentmix.plan.MixingChunk;
import latentmix.plan.MixingPlan;
import latentmix.plan.RunSettings;
import latentmix.table.InvertedRow;
import latentmix.table.LatentColumn;
import latentmix.table.RejectedRow;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import org.apache.hadoop.conf.Configuration;

/** A run folder whose tables a test fills by hand, for work on chunks without Spark. */
final class TinyWork {
    static final ClassLabel SANDAL = new ClassLabel("5-sandal", 5, "sandal", "a photo of a sandal");

    /** The shape of the latents that {@link #invert} makes. */
    static final Shape SHAPE = new Shape(2, 4, 4);

    private static final CheckpointFolder FASHION = CheckpointFolder.open(BuiltIn.FASHION.folder());

    private final RunFolder run;
    private final Path folder;

    TinyWork(Path folder) {
        this.folder = folder;
        this.run = new RunFolder(folder.toString(), new Configuration());
    }

    RunFolder run() {
        return run;
    }

    /** The settings of the built-in model with 2 steps, and these values of the configuration. */
    RunSettings settings(String... overrides) throws IOException {
        List<String> all = new ArrayList<>(List.of("inversion.steps=2", "generation.steps=2", "model.batch=2"));
        all.addAll(List.of(overrides));
        String yaml = "{input: {root: in}, model: {checkpoint: 'builtin:fashion'}, mixing: [{name: dataset}]}";
        return RunSettings.of(ConfigFile.parse(yaml, "tiny work", all), FASHION, "cpu", run::settings);
    }

    /** The built-in model on this machine's CPU. */
    static ModelOnDevice model() {
        return new ModelOnDevice(FASHION, Device.cpu(), Dtype.FLOAT32);
    }

    /** Encodes the prompts that the work on a class needs: its own, and none. */
    void encodePrompts(ClassLabel label) throws IOException {
        encode(label.prompt(), "");
    }

    /** Encodes these prompts. */
    void encode(String... texts) throws IOException {
        Prompts prompts = new Prompts(run, FASHION.fingerprint());
        try (TextEncoder encoder = model().textEncoder()) {
            for (String text : texts) {
                prompts.encode(text, encoder);
            }
        }
    }

    /** Puts a chunk of rows into a table. */
    <T extends Record> void put(String table, String classId, String chunk, Class<T> type, List<T> rows)
            throws IOException {
        run.publish(run.path(table + "/class_id=" + classId + "/" + chunk + ".parquet"), RowFile.bytes(type, rows));
    }

    /** Puts a chunk into the inverted table: the images' ids and their latents. */
    void invert(String chunk, List<String> ids, List<Latent> latents) throws IOException {
        List<InvertedRow> rows = new ArrayList<>();
        for (int i = 0; i < ids.size(); i++) {
            rows.add(inverted(ids.get(i), SANDAL.prompt(), latents.get(i)));
        }
        put("inverted", SANDAL.classId(), chunk, InvertedRow.class, rows);
    }

    /** Puts a chunk into the inverted table: the images' ids and what they were told. */
    void told(String chunk, List<String> ids, List<String> prompts) throws IOException {
        List<InvertedRow> rows = new ArrayList<>();
        for (int i = 0; i < ids.size(); i++) {
            rows.add(inverted(ids.get(i), prompts.get(i), noise(1, ids.get(i)).get(0)));
        }
        put("inverted", SANDAL.classId(), chunk, InvertedRow.class, rows);
    }

    /** An image's row, whose encoded latent is its noise's negative. */
    private static InvertedRow inverted(String id, String prompt, Latent latent) {
        double[] encoded = latent.values().clone();
        for (int i = 0; i < encoded.length; i++) {
            encoded[i] = -encoded[i];
        }
        return new InvertedRow(
                id,
                SANDAL.classId(),
                SANDAL.label(),
                SANDAL.className(),
                SANDAL.classId() + "/" + id + ".png",
                prompt,
                LatentColumn.of(latent),
                latent.norm(),
                List.of(),
                LatentColumn.of(new Latent(latent.shape(), encoded)),
                0,
                "inversion",
                "fingerprint");
    }

    /** Noise of {@link #SHAPE}. */
    static List<Latent> noise(int count, String seed) {
        return Latents.normal(SHAPE, count, 0, seed);
    }

    /** The chunks that are left to mix of a pool. */
    List<MixingChunk> missing(RunSettings settings, int chunkRows, String... inverted) throws IOException {
        Set<String> refusing = run.rejectedChunks(StageName.MIX);
        return new MixingPlan(run, chunkRows).missing(pool(inverted), settings.mixing(), refusing);
    }

    /** The pool of whole chunks. */
    static ClassPool pool(String... inverted) {
        return new ClassPool(SANDAL, List.of(inverted), List.of());
    }

    /** A table's rows, file by file. */
    <T extends Record> List<T> rows(String table, Class<T> type) throws IOException {
        List<T> rows = new ArrayList<>();
        for (Path file : files(table)) {
            rows.addAll(RowFile.read(new org.apache.hadoop.fs.Path(file.toUri()), run.conf(), type));
        }
        return rows;
    }

    /** What a stage refused. */
    List<RejectedRow> rejected(StageName stage) throws IOException {
        return rows("rejected/stage=" + stage.text(), RejectedRow.class);
    }

    /** A folder's Parquet files; none if there is no such folder. */
    List<Path> files(String below) throws IOException {
        if (!Files.exists(folder.resolve(below))) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(folder.resolve(below))) {
            return files.filter(file -> file.toString().endsWith(".parquet"))
                    .sorted()
                    .toList();
        }
    }

    /** The bytes of a folder's Parquet files. */
    List<byte[]> bytes(String below) throws IOException {
        return files(below).stream().map(TinyWork::bytes).toList();
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
