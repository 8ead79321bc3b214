package latentmix.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.ludovic.netlib.blas.BLAS;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import latentmix.latent.InputCount;
import latentmix.latent.Latent;
import latentmix.latent.LatentPool;
import latentmix.latent.Method;
import latentmix.latent.Mixer;
import latentmix.latent.Recipe;
import latentmix.latent.RecipeSampler;
import latentmix.latent.WeightSampler;
import latentmix.model.Torch;
import org.apache.commons.rng.UniformRandomProvider;

/**
 * This bench mixes 1,000 weight vectors over 64 latents of 4×64×64, splits and norms included. It reports the rate as a
 * fraction of this machine's float64 matrix-product rate: of the bare product of the same shape (the faster of
 * PyTorch's and the JVM's BLAS), and of a square product that stays in the caches (PyTorch's). All runs on one thread.
 */
public final class MixingBench {
    private static final latentmix.latent.Shape SHAPE = new latentmix.latent.Shape(4, 64, 64);
    private static final int INPUTS = 64;
    private static final int MIXTURES = 1000;
    private static final int SQUARE = 1024;
    private static final double SQUARE_FLOPS = 2.0 * SQUARE * SQUARE * SQUARE;
    private static final double FLOPS = 2.0 * MIXTURES * INPUTS * 4 * 64 * 64;

    private MixingBench() {}

    /** The latents, and what is mixed of them. */
    record Mixing(LatentPool pool, List<Recipe> recipes) {
        static Mixing drawn() {
            UniformRandomProvider random = RecipeSampler.rng("mixing bench");
            List<Latent> latents = IntStream.range(0, INPUTS)
                    .mapToObj(i -> new Latent(
                            SHAPE,
                            IntStream.range(0, SHAPE.size())
                                    .mapToDouble(j -> random.nextDouble() - 0.5)
                                    .toArray()))
                    .toList();
            RecipeSampler sampler = new RecipeSampler(
                    Method.parse("nin/chm"),
                    InputCount.parse(Integer.toString(INPUTS)),
                    WeightSampler.parse("dirichlet(1)"),
                    Recipe.Pool.ALL);
            List<Recipe> recipes = IntStream.range(0, MIXTURES)
                    .mapToObj(k -> sampler.draw(Integer.toString(k), INPUTS))
                    .toList();
            return new Mixing(LatentPool.of(latents), recipes);
        }

        void mix() {
            Mixer.mix(pool, recipes);
        }
    }

    /** Runs the products in turn, once unmeasured, and prints the medians. */
    public static void run(int rounds, PrintStream out) {
        Mixing mixed = Mixing.drawn();
        UniformRandomProvider random = RecipeSampler.rng("bare products");
        double[] w = random.doubles((long) MIXTURES * INPUTS).toArray(); // (K, N) column-major
        double[] z = random.doubles((long) INPUTS * SHAPE.size()).toArray(); // (N, D) column-major
        double[] c = new double[MIXTURES * SHAPE.size()];
        List<Double> mixing = new ArrayList<>();
        List<Double> torch = new ArrayList<>();
        List<Double> java = new ArrayList<>();
        List<Double> square = new ArrayList<>();
        Torch.setThreadsPerTask(1);
        try (NDManager arrays = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            NDArray a = arrays.ones(new Shape(MIXTURES, INPUTS), DataType.FLOAT64);
            NDArray b = arrays.ones(new Shape(INPUTS, SHAPE.size()), DataType.FLOAT64);
            NDArray side = arrays.ones(new Shape(SQUARE, SQUARE), DataType.FLOAT64);
            for (int i = 0; i <= rounds; i++) {
                mixing.add(Stopwatch.seconds(mixed::mix));
                torch.add(Stopwatch.seconds(() -> a.matMul(b).close()));
                square.add(Stopwatch.seconds(() -> side.matMul(side).close()));
                java.add(Stopwatch.seconds(() -> BLAS.getInstance()
                        .dgemm("N", "N", MIXTURES, SHAPE.size(), INPUTS, 1, w, MIXTURES, z, INPUTS, 0, c, MIXTURES)));
            }
        }
        double mix = Median.of(mixing.subList(1, mixing.size()));
        double torchProduct = Median.of(torch.subList(1, torch.size()));
        double squareRate = SQUARE_FLOPS / Median.of(square.subList(1, square.size()));
        double javaProduct = Median.of(java.subList(1, java.size()));
        out.printf(
                "median of %d: mixing %.3f s (%.1f GFLOP/s); the bare product %.3f s in PyTorch "
                        + "(%.1f GFLOP/s), %.3f s in %s"
                        + " (%.1f GFLOP/s); fraction of the faster one %.3f; of a square product's "
                        + "%.1f GFLOP/s in PyTorch %.3f%n",
                rounds,
                mix,
                FLOPS / mix / 1e9,
                torchProduct,
                FLOPS / torchProduct / 1e9,
                javaProduct,
                BLAS.getInstance().getClass().getSimpleName(),
                FLOPS / javaProduct / 1e9,
                Math.min(torchProduct, javaProduct) / mix,
                squareRate / 1e9,
                FLOPS / mix / squareRate);
    }
}
