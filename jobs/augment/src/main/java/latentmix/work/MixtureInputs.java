package latentmix.work;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.latent.DiffMix;
import latentmix.latent.FreshNoise;
import latentmix.latent.LatentPool;
import latentmix.latent.Mixer;
import latentmix.latent.Mixture;
import latentmix.latent.Recipe;
import latentmix.latent.RecipeSampler;
import latentmix.plan.MixingChunk;
import latentmix.table.LatentColumn;
import latentmix.table.RunFolder;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.PermutationSampler;

/**
 * What a chunk's mixtures are drawn from: the pool of their class, and where their settings say so those of others,
 * each opened when a mixture first has an input of it.
 *
 * <p>A mixture across classes has N inputs of N classes. One is of its own class, drawn evenly from its pool; for the
 * others, N − 1 further classes are drawn evenly, and an image of each. Of the weights the own class's input has the
 * largest, so that the class that a mixture belongs to is the heaviest of its label Σ w_i y_i. Diff-Mix has one input,
 * of another class.
 */
final class MixtureInputs {
    /** An input: where it comes from, and what it was inverted with. */
    record Source(String imageId, String classId, String prompt) {}

    /**
     * A drawn mixture.
     *
     * @param recipe whose indices are into the class's own pool, or into the sources where these are not all of it
     * @param sources in the recipe's order
     * @param label the share of each class, the own one first; empty where there is no other
     */
    record Drawn(Recipe recipe, List<Source> sources, Map<String, Double> label) {
        /** Whether it is mixed of its sources by themselves. */
        private boolean isAcross() {
            return label.size() > 1;
        }
    }

    private final RunFolder run;
    private final MixingChunk chunk;
    private final InvertedPool own;
    private EncodedNeighbours neighbours; // null until they are asked for
    private final Map<String, InvertedPool> opened = new HashMap<>(); // pools of other classes, by class id

    /** @throws IOException if the pools are not those that were planned for */
    MixtureInputs(RunFolder run, MixingChunk chunk) throws IOException {
        this.run = run;
        this.chunk = chunk;
        this.own = new InvertedPool(run, chunk.pool());
        check(
                chunk.classId(),
                chunk.pool().drawnFrom(own.id(chunk.label().prompt()), chunk.settings()),
                chunk.poolId());
    }

    private static void check(String classId, String id, String planned) throws IOException {
        if (!id.equals(planned)) {
            throw new IOException("The inverted rows of class " + classId
                    + " must be those that were planned for, but they changed meanwhile; run again");
        }
    }

    /** The pool of the mixtures' class. */
    InvertedPool own() {
        return own;
    }

    /**
     * Draws a mixture; nothing but the id and the pools decides it.
     *
     * @throws IllegalArgumentException if the pools are too small
     */
    Drawn draw(RecipeSampler sampler, String drawId) {
        if (sampler.method() instanceof DiffMix mix) {
            return fromAnother(sampler, mix, drawId);
        }
        if (!chunk.settings().across().isEmpty()) {
            return across(sampler, drawId);
        }
        int near = chunk.settings().neighbours();
        Recipe recipe = near == 0
                ? sampler.draw(drawId, own.size())
                : sampler.drawNear(drawId, own.size(), first -> neighbours().nearest(first, near));
        List<Source> sources = Arrays.stream(recipe.inputs())
                .mapToObj(index -> source(own, chunk.classId(), index))
                .toList();
        return new Drawn(recipe, sources, chunk.settings().isSoft() ? Map.of(chunk.classId(), 1.0) : Map.of());
    }

    private EncodedNeighbours neighbours() {
        try {
            neighbours = neighbours == null ? new EncodedNeighbours(own) : neighbours;
            return neighbours;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Drawn across(RecipeSampler sampler, String drawId) {
        UniformRandomProvider random = RecipeSampler.rng(drawId);
        int n = sampler.inputs().draw(random);
        double[] weights = sampler.weights().sample(n, random).clone();
        int heaviest = IntStream.range(1, n).reduce(0, (a, b) -> weights[b] > weights[a] ? b : a);
        double largest = weights[heaviest];
        weights[heaviest] = weights[0];
        weights[0] = largest;
        List<Source> sources = new ArrayList<>();
        sources.add(drawn(own, chunk.classId(), random));
        sources.addAll(others(n - 1, random));
        Map<String, Double> label = new LinkedHashMap<>();
        for (int i = 0; i < n; i++) {
            label.put(sources.get(i).classId(), weights[i]);
        }
        return new Drawn(
                new Recipe(
                        sampler.method(),
                        IntStream.range(0, n).toArray(),
                        weights,
                        sampler.pool(),
                        new FreshNoise(drawId)),
                sources,
                label);
    }

    private Drawn fromAnother(RecipeSampler sampler, DiffMix mix, String drawId) {
        List<Source> sources = others(1, RecipeSampler.rng(drawId));
        Map<String, Double> label = new LinkedHashMap<>();
        label.put(chunk.classId(), mix.ownShare());
        label.put(sources.get(0).classId(), 1 - mix.ownShare());
        return new Drawn(
                new Recipe(mix, new int[] {0}, new double[] {1}, sampler.pool(), new FreshNoise(drawId)),
                sources,
                label);
    }

    /** Images of so many other classes, each drawn evenly among those that have any. */
    private List<Source> others(int count, UniformRandomProvider random) {
        List<MixingChunk.Named> pools = chunk.others();
        List<Source> sources = new ArrayList<>();
        int[] order =
                pools.isEmpty() ? new int[0] : new PermutationSampler(random, pools.size(), pools.size()).sample();
        for (int i = 0; i < order.length && sources.size() < count; i++) {
            InvertedPool pool = opened(pools.get(order[i]));
            if (pool.size() > 0) {
                sources.add(drawn(pool, pools.get(order[i]).pool().classId(), random));
            }
        }
        if (sources.size() < count) {
            throw new IllegalArgumentException("A mixture of " + chunk.classId() + " must have images of " + count
                    + " other classes, cannot have: those of " + sources.size() + "; add classes or use fewer inputs");
        }
        return sources;
    }

    private InvertedPool opened(MixingChunk.Named other) {
        return opened.computeIfAbsent(other.pool().classId(), classId -> {
            try {
                InvertedPool pool = new InvertedPool(run, other.pool());
                check(classId, pool.id(other.pool().label().prompt()), other.id());
                return pool;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private static Source drawn(InvertedPool pool, String classId, UniformRandomProvider random) {
        if (pool.size() == 0) {
            throw new IllegalArgumentException(
                    "A class must have an image to be mixed, cannot have: none of " + classId);
        }
        return source(pool, classId, random.nextInt(pool.size()));
    }

    private static Source source(InvertedPool pool, String classId, int index) {
        String imageId = pool.imageIds().get(index);
        return new Source(imageId, classId, pool.prompt(imageId));
    }

    /**
     * The mixtures, in their order. Those across classes are mixed each by itself, with its inputs in the order of
     * their ids: so their bytes do not depend on what is mixed beside them.
     */
    List<Mixture> mix(List<Drawn> drawn) throws IOException {
        List<Mixture> within = Mixer.mix(
                own,
                drawn.stream()
                        .filter(mixture -> !mixture.isAcross())
                        .map(Drawn::recipe)
                        .toList());
        Map<String, LatentColumn> latents = new HashMap<>();
        for (Map.Entry<String, Set<String>> of :
                byClass(drawn.stream().filter(Drawn::isAcross)).entrySet()) {
            latents.putAll(pool(of.getKey()).noise(of.getValue()));
        }
        List<Mixture> mixtures = new ArrayList<>();
        int next = 0;
        for (Drawn mixture : drawn) {
            mixtures.add(mixture.isAcross() ? across(mixture, latents) : within.get(next++));
        }
        return mixtures;
    }

    private static Mixture across(Drawn drawn, Map<String, LatentColumn> latents) {
        List<Integer> order = IntStream.range(0, drawn.sources().size())
                .boxed()
                .sorted(Comparator.comparing(i -> drawn.sources().get(i).imageId()))
                .toList();
        Recipe recipe = drawn.recipe();
        Recipe sorted = new Recipe(
                recipe.method(),
                IntStream.range(0, order.size()).toArray(),
                order.stream().mapToDouble(i -> recipe.weights()[i]).toArray(),
                recipe.pool(),
                recipe.noise());
        LatentPool pool = LatentPool.of(order.stream()
                .map(i -> latents.get(drawn.sources().get(i).imageId()).latent())
                .toList());
        return Mixer.mix(pool, List.of(sorted)).get(0);
    }

    /** The image ids of these mixtures' sources, by class. */
    private static Map<String, Set<String>> byClass(Stream<Drawn> drawn) {
        return drawn.flatMap(mixture -> mixture.sources().stream())
                .collect(Collectors.groupingBy(
                        Source::classId, Collectors.mapping(Source::imageId, Collectors.toSet())));
    }

    private InvertedPool pool(String classId) {
        return classId.equals(chunk.classId()) ? own : opened.get(classId);
    }

    /** The encoded latents of the images that these mixtures begin with, by image id. */
    Map<String, LatentColumn> originals(List<Drawn> drawn) throws IOException {
        Map<String, Set<String>> byClass = byClass(
                drawn.stream().filter(mixture -> mixture.recipe().method().noisesImage()));
        Map<String, LatentColumn> originals = new HashMap<>();
        for (Map.Entry<String, Set<String>> of : byClass.entrySet()) {
            originals.putAll(pool(of.getKey()).encoded(of.getValue()));
        }
        return originals;
    }
}
