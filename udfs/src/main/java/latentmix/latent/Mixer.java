package latentmix.latent;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Makes many mixtures over one pool as one matrix product.
 *
 * <pre>Z̄ = W · Z,   W (K, M) the weights,   Z (M, D) the pool;   then each row by itself: {@link Interpolation}</pre>
 *
 * Z is streamed in blocks of latents in the order of their ids, Z̄ is made in tiles of mixtures, all sums are in
 * double; the residuals' norms are taken on the way. cmm passes over the pool beforehand for the class mean;
 * leave-inputs-out sums a mixture's inputs in one more row of W and passes over the pool afterwards, for the norms
 * about the mixture's own class mean.
 *
 * <p>A {@link Blend} is no sum: its inputs are kept in one pass, of as many recipes at a time as memory holds, and it
 * makes each mixture by itself.
 */
public final class Mixer {
    private static final int BLOCK = 64;

    private final LatentPool pool;
    private final Shape shape;
    private final int tile;
    private final long kept; // latents that may be held at a time
    private final double[] residual; // what an interpolation works in
    private final Map<Residuals, double[][]> residualNorms = new HashMap<>(); // (M) of (units), null until needed
    private double[] total = {}; // Σ z over the pool, empty until needed
    private ClassMean classMean = ClassMean.NONE;

    /** The split and the scope, on which the norms of an input's residual depend unless inputs are left out. */
    private record Residuals(Split split, Scope scope) {}

    /**
     * A mixer for one pool; not for several threads at once.
     *
     * @param memory bytes for the sums of a tile, which become the mixtures' own; the pool is read anew for each tile
     */
    public Mixer(LatentPool pool, long memory) {
        this.pool = pool;
        this.shape = pool.shape();
        this.residual = new double[shape.size()];
        this.tile = (int) Math.max(1, Math.min(1 << 20, memory / (2L * Double.BYTES * shape.size())));
        this.kept = memory / ((long) Double.BYTES * shape.size());
    }

    /** The recipes' mixtures, in their order; 256 MB for the sums of a tile. */
    public static List<Mixture> mix(LatentPool pool, List<Recipe> recipes) {
        return new Mixer(pool, 256L << 20).mix(recipes);
    }

    /** The recipes' mixtures, in their order. */
    public List<Mixture> mix(List<Recipe> recipes) {
        if (total.length == 0
                && recipes.stream().anyMatch(recipe -> recipe.method().needsClassMean())) {
            total = new double[shape.size()];
            pool.forEach((index, z) -> Vectors.addScaled(1, z, total));
            classMean = ClassMean.ofPool(Vectors.quotient(total, pool.size()), pool.size());
        }
        var mixtures = new Mixture[recipes.size()];
        var sums = new ArrayList<Integer>(); // indices of recipes
        var blends = new ArrayList<Integer>();
        for (int k = 0; k < mixtures.length; k++) {
            (recipes.get(k).method() instanceof Blend ? blends : sums).add(k);
        }
        for (int from = 0; from < sums.size(); from += tile) {
            var ks = sums.subList(from, Math.min(sums.size(), from + tile));
            var mixed = mixTile(ks.stream().map(recipes::get).toList());
            for (int i = 0; i < ks.size(); i++) {
                mixtures[ks.get(i)] = mixed.get(i);
            }
        }
        for (int from = 0; from < blends.size(); ) {
            var needed = new HashMap<Integer, double[]>(); // inputs of these recipes, by index
            int to = from;
            while (to < blends.size() && (to == from || needed.size() < kept)) {
                for (int index : recipes.get(blends.get(to++)).inputs()) {
                    needed.put(checked(index), new double[0]);
                }
            }
            if (!needed.isEmpty()) {
                pool.forEach((index, z) -> needed.computeIfPresent(index, (i, none) -> z));
            }
            for (int k : blends.subList(from, to)) {
                mixtures[k] = blend(recipes.get(k), needed);
            }
            from = to;
        }
        return List.of(mixtures);
    }

    private Mixture blend(Recipe recipe, Map<Integer, double[]> needed) {
        var latents = IntStream.of(recipe.inputs()).mapToObj(needed::get).toList();
        var mean = recipe.leavesInputsOut() ? meanOfOthers(sum(latents), latents.size()) : classMean;
        return ((Blend) recipe.method()).mix(new Blend.Inputs(shape, latents, recipe.weights(), mean, recipe.noise()));
    }

    private double[] sum(List<double[]> latents) {
        var sum = new double[shape.size()];
        latents.forEach(z -> Vectors.addScaled(1, z, sum));
        return sum;
    }

    private ClassMean meanOfOthers(double[] inputsSum, int inputs) {
        int others = pool.size() - inputs;
        return ClassMean.ofOthers(Vectors.quotient(Vectors.difference(total, inputsSum), others), others);
    }

    private int checked(int index) {
        if (index >= pool.size()) {
            throw new IllegalArgumentException(
                    "Inputs must be below the pool's size, " + pool.size() + ", cannot be: " + index);
        }
        return index;
    }

    private List<Mixture> mixTile(List<Recipe> recipes) {
        var rows = recipes.stream().map(Row::new).toList();
        multiply(rows);
        var leavingOut =
                rows.stream().filter(row -> row.recipe.leavesInputsOut()).toList();
        if (!leavingOut.isEmpty()) {
            leavingOut.forEach(Row::centreOnOthers);
            pool.forEach((index, z) -> leavingOut.forEach(row -> row.addOwnNorms(index, z)));
        }
        return rows.stream().map(Row::finish).toList();
    }

    /** One pass over the pool: every row's sums, and the norms of the residuals that rows need. */
    private void multiply(List<Row> rows) {
        var weights = new ArrayList<double[]>(); // (K', M)
        var sums = new ArrayList<double[]>(); // (K', D)
        for (var row : rows) {
            weights.add(row.weights);
            sums.add(row.sum);
            if (row.recipe.leavesInputsOut()) {
                weights.add(row.members);
                sums.add(row.membersSum);
            }
        }
        var block = new Block(weights.toArray(double[][]::new), sums.toArray(double[][]::new));
        pool.forEach((index, z) -> {
            boolean used = false;
            for (var row : rows) {
                if (row.members[index] != 0) {
                    used = true;
                    row.addNorms(index, z);
                }
            }
            if (used) {
                block.add(index, z);
            }
        });
        block.multiply();
    }

    /** Norms of one input's residual in every unit, taken once. */
    private double[] residualNorms(Interpolation interpolation, int index, double[] z) {
        var key = new Residuals(
                interpolation.method().split(), interpolation.method().scope());
        var norms = residualNorms.computeIfAbsent(key, k -> new double[pool.size()][]);
        if (norms[index] == null) {
            norms[index] = interpolation.residualNorms(z, residual);
        }
        return norms[index];
    }

    /** One mixture in the making. */
    private final class Row {
        private final Recipe recipe;
        private final MeanAdjusted method;
        private final double[] weights = new double[pool.size()];
        private final double[] members = new double[pool.size()]; // 1 for each input
        private final double[] sum = new double[shape.size()]; // Σ w z
        private final double[] membersSum; // Σ z over the inputs, where they are left out
        private final double[] inputNorms; // Σ w ‖r‖ (units)
        private Interpolation interpolation;

        Row(Recipe recipe) {
            this.recipe = recipe;
            this.method = (MeanAdjusted) recipe.method();
            this.membersSum = new double[recipe.leavesInputsOut() ? shape.size() : 0];
            this.interpolation = new Interpolation(method, shape, classMean);
            this.inputNorms = new double[interpolation.units()];
            for (int i = 0; i < recipe.inputs().length; i++) {
                int index = checked(recipe.inputs()[i]);
                weights[index] = recipe.weights()[i];
                members[index] = 1;
            }
        }

        void addNorms(int index, double[] z) {
            if (!recipe.leavesInputsOut() && !(method.norm() instanceof Lin)) {
                Vectors.addScaled(weights[index], residualNorms(interpolation, index, z), inputNorms);
            }
        }

        void centreOnOthers() {
            interpolation = new Interpolation(method, shape, meanOfOthers(membersSum, recipe.inputs().length));
        }

        void addOwnNorms(int index, double[] z) {
            if (members[index] != 0) {
                Vectors.addScaled(weights[index], interpolation.residualNorms(z, residual), inputNorms);
            }
        }

        Mixture finish() {
            return interpolation.mix(sum, inputNorms, recipe.sumOfSquares(), residual);
        }
    }

    /** Latents on their way into the product. */
    private static final class Block {
        private final double[][] weights; // (K', M)
        private final double[][] sums; // (K', D)
        private final double[][] blockWeights; // (K', BLOCK)
        private final double[][] latents = new double[BLOCK][]; // (BLOCK, D)
        private int size;

        Block(double[][] weights, double[][] sums) {
            this.weights = weights;
            this.sums = sums;
            this.blockWeights = new double[sums.length][BLOCK];
        }

        void add(int index, double[] z) {
            latents[size] = z;
            for (int k = 0; k < sums.length; k++) {
                blockWeights[k][size] = weights[k][index];
            }
            size++;
            if (size == BLOCK) {
                multiply();
            }
        }

        void multiply() {
            MatrixProduct.add(sums, blockWeights, latents, size);
            size = 0;
        }
    }
}
