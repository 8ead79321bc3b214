package latentmix.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import latentmix.architecture.Architecture;
import latentmix.checkpoint.Safetensors;
import latentmix.latent.Latent;
import latentmix.latent.RecipeSampler;
import latentmix.model.CompiledPrograms;
import latentmix.model.Dtype;
import latentmix.model.Network;
import latentmix.model.Torch;
import latentmix.table.InvertedRow;
import latentmix.table.InvertedTable;
import latentmix.table.LatentColumn;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.hadoop.conf.Configuration;

/**
 * One piece of work for each line of the input; its seconds and those of processors are a line of the output. So
 * another program, which does the same work, takes turns with this one, and other work on the machine slows both of
 * them alike. The programs of {@code src/peers} are such ones.
 */
public final class TurnsBench {
    /** The work of a turn. */
    public enum Work {
        /** A forward pass of a network. */
        FORWARD,
        /** The mixtures of {@link MixingBench}. */
        MIXING,
        /** Reading the noise of a file of the table {@code inverted}. */
        TABLES;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final int ROWS = 1000;
    private static final String CHUNK = "chunk";
    private static final String INPUTS = "inputs.safetensors";

    private final Path folder;
    private final BufferedReader in;
    private final PrintStream out;

    /**
     * Turns that come in here.
     *
     * @param folder what both programs read lies here
     */
    public TurnsBench(Path folder, InputStream in, PrintStream out) {
        this.folder = folder;
        this.in = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        this.out = out;
    }

    /** Says {@code ready}, then takes turns until the input ends. */
    private void take(Stopwatch.Work<IOException> work) throws IOException {
        out.println("ready");
        while (in.readLine() != null) {
            double before = FullSizeBench.cpuSeconds();
            double seconds = Stopwatch.seconds(work);
            out.printf(Locale.ROOT, "%.6f %.3f%n", seconds, FullSizeBench.cpuSeconds() - before);
        }
    }

    /**
     * Turns of a network's forward pass. The folder is a component's. Where it is empty, random weights are written
     * into it. Its file {@code inputs.safetensors}, which may be written after {@code ready}, has the inputs, sorted by
     * their names, and {@code out}. How far the first output is from {@code out} goes before the first seconds, as a
     * share of the largest value.
     */
    public void forward(FullSizeModel model, Dtype dtype, int threads) throws IOException {
        if (!Files.exists(folder.resolve("config.json"))) {
            FullSizeBench.write(folder, model);
        }
        Torch.setThreadsPerTask(threads);
        Architecture architecture = Architecture.of(folder);
        Path program =
                CompiledPrograms.of(folder, architecture, architecture.parts().get(model.part()), dtype.elementType());
        try (Network network = Network.load(program, Device.cpu());
                NDManager arrays = NDManager.newBaseManager()) {
            List<NDArray> inputs = new ArrayList<>();
            take(() -> {
                boolean first = inputs.isEmpty();
                if (first) {
                    read(arrays, inputs);
                }
                NDArray[] given = inputs.subList(0, inputs.size() - 1).toArray(NDArray[]::new);
                try (NDManager scope = arrays.newSubManager()) {
                    float[] output = network.forward(scope, given).get(0).toFloatArray();
                    if (first) {
                        out.printf(
                                Locale.ROOT,
                                "%.2e%n",
                                distance(output, inputs.get(inputs.size() - 1).toFloatArray()));
                    }
                }
            });
        } finally {
            Files.delete(program);
        }
    }

    /** The inputs, then the expected output. */
    private void read(NDManager arrays, List<NDArray> inputs) {
        try (Safetensors file = Safetensors.open(folder.resolve(INPUTS))) {
            file.tensors().keySet().stream()
                    .sorted() // 0.sample, 1.timestep, …, out
                    .map(file::tensor)
                    .map(tensor -> arrays.create(
                            file.floats(tensor.name()),
                            new Shape(tensor.shape().stream()
                                    .mapToLong(Long::longValue)
                                    .toArray())))
                    .forEach(inputs::add);
        }
    }

    /** max |a - b| / max |b|. */
    private static double distance(float[] a, float[] b) {
        double distance = 0;
        double largest = 0;
        for (int i = 0; i < b.length; i++) {
            distance = Math.max(distance, Math.abs(a[i] - b[i]));
            largest = Math.max(largest, Math.abs(b[i]));
        }
        return distance / largest;
    }

    /** Turns of mixing, on one thread. */
    public void mixing() throws IOException {
        MixingBench.Mixing mixing = MixingBench.Mixing.drawn();
        take(mixing::mix);
    }

    /** Turns of reading. The folder becomes a run folder with one file of 1,000 rows; each turn reads their noise. */
    public void tables() throws IOException {
        InvertedTable table = new InvertedTable(new RunFolder(folder.toString(), new Configuration()), "0-class");
        UniformRandomProvider random = RecipeSampler.rng("turns bench");
        latentmix.latent.Shape shape = new latentmix.latent.Shape(4, 64, 64);
        List<InvertedRow> rows = IntStream.range(0, ROWS)
                .mapToObj(i -> {
                    Latent latent = new Latent(
                            shape, random.doubles(shape.size(), -1, 1).toArray());
                    return new InvertedRow(
                            "%04d".formatted(i),
                            "0-class",
                            0,
                            "class",
                            i + ".png",
                            "a class",
                            LatentColumn.of(latent),
                            latent.norm(),
                            Collections.nCopies(shape.channels(), 0.0),
                            LatentColumn.of(latent),
                            0,
                            "settings",
                            "checkpoint");
                })
                .toList();
        table.commit(CHUNK, rows, List.of());
        take(() -> {
            List<Latent> read = new ArrayList<>();
            try (RowFile.Cursor<InvertedTable.Noise> noise = table.noise(CHUNK)) {
                for (InvertedTable.Noise row = noise.next(); row != null; row = noise.next()) {
                    read.add(row.latent().latent());
                }
            }
            if (read.size() != ROWS) {
                throw new IllegalStateException("expected " + ROWS + " rows, read " + read.size());
            }
        });
    }
}
