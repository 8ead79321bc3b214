package latentmix.inversion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import latentmix.model.Denoiser;
import latentmix.model.PromptEmbeds;
import latentmix.sampling.Conditioning;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;
import latentmix.schedule.Step;

/**
 * Null-text inversion: {@link DdimInversion} without guidance gives a trajectory x*₀ … x*_N; then, from the noisy end,
 * each step's unconditional embedding u is optimised so that the guided step lands on the trajectory,
 *
 * <pre>
 * L(u) = mean (A · x + B · (m(x, t, u) + g · (m(x, t, c) − m(x, t, u))) − x*ᵢ₋₁)²
 * dL/du = (∂m/∂u)ᵀ · 2 B (1 − g) · (…) / size
 * </pre>
 *
 * by {@link Adam} from the step before's embedding, and x becomes the guided step with the embedding found. Each image
 * has an embedding, a loss and a state of its own: a batch is as many single runs. The companion is every step's
 * embedding, (B, steps, L, width), noisiest step first.
 *
 * @param inversion the table of the trajectory
 * @param sampling the table of the guided steps, as long
 * @param guidance the guidance that samples later
 * @param optimization how the embeddings are found
 * @see <a href="https://arxiv.org/abs/2211.09794">Mokady et al., Null-text Inversion, Section 3.2</a>
 * @see <a href="https://github.com/google/prompt-to-prompt/blob/main/null_text_w_ptp.ipynb">the authors' code</a>
 */
public record NullTextInversion(List<Step> inversion, List<Step> sampling, Guidance guidance, Optimization optimization)
        implements Inversion {
    /**
     * The settings of the optimisation of a step's embedding. Steps i count from 0.
     *
     * @param iterations the most updates a step
     * @param decay the rate of step i is 1e-2 · (1 − decay · i), at least 0
     * @param stop an image is done with step i once its loss is below stop + 2 · stop · i
     */
    record Optimization(int iterations, double decay, double stop) {
        private static final double RATE = 1e-2;

        Optimization {
            if (iterations < 1 || !(decay >= 0) || !(stop >= 0)) {
                throw new IllegalArgumentException(
                        "Null-text optimisation must have at least 1 iteration, and a decay and a"
                                + " loss to stop at from 0 on,"
                                + " cannot have: " + iterations + ", " + decay + ", " + stop);
            }
        }

        /** The authors' settings: the rate falls by a hundredth a step, and losses to stop at start at 1e-5. */
        static Optimization authors(int iterations) {
            return new Optimization(iterations, 0.01, 1e-5);
        }

        double rate(int step) {
            return Math.max(0, RATE * (1 - decay * step));
        }

        boolean done(double loss, int step) {
            return loss < stop + 2 * stop * step;
        }
    }

    /** Sees every update and step; the arrays are the inversion's. */
    interface Observer {
        /**
         * Called after each update, with the rows that were updated, their losses and gradients before it, and all
         * embeddings.
         */
        void updated(int step, int iteration, int[] rows, double[] losses, float[][] gradients, float[][] embeds);

        /** Called after each guided step with the latents it led to (B, C, H, W). */
        void stepped(int step, NDArray latents);
    }

    private static final Observer NOBODY = new Observer() {
        @Override
        public void updated(
                int step, int iteration, int[] rows, double[] losses, float[][] gradients, float[][] embeds) {}

        @Override
        public void stepped(int step, NDArray latents) {}
    };

    public NullTextInversion {
        inversion = List.copyOf(inversion);
        sampling = List.copyOf(sampling);
        if (!(guidance.scale() > 1)) {
            throw new IllegalArgumentException("null-text finds embeddings for a guidance above 1, cannot have: "
                    + guidance.scale() + "; set generation.guidance, or use ddim");
        }
        if (inversion.size() != sampling.size()) {
            throw new IllegalArgumentException(
                    "null-text needs as many steps of generation as of inversion, cannot have: " + sampling.size()
                            + " and " + inversion.size());
        }
    }

    /**
     * The inversion with the authors' optimisation.
     *
     * @throws IllegalArgumentException if the scheduler cannot invert in so many steps, or guidance is not above 1
     */
    public NullTextInversion(Scheduler scheduler, int steps, Guidance guidance, int iterations) {
        this(scheduler.inversion(steps), scheduler.sampling(steps), guidance, Optimization.authors(iterations));
    }

    @Override
    public long evaluations() {
        return Guidance.NONE.evaluations(inversion) + sampling.size() * (optimization.iterations() + 3L);
    }

    @Override
    public Inverted invert(Denoiser denoiser, Batch batch) {
        NDManager owner = batch.latents().getManager();
        try (NDManager loop = owner.newSubManager()) {
            List<NDArray> trajectory = new ArrayList<>();
            NDArray start = batch.latents().duplicate();
            start.attach(loop);
            trajectory.add(start);
            DenoisingLoop unguided = new DenoisingLoop(inversion, denoiser, Guidance.NONE);
            NDArray noise = unguided.run(start, batch.conditional(), batch.conditional(), (step, output, latents) -> {
                NDArray copy = latents.duplicate();
                copy.attach(loop);
                trajectory.add(copy);
            });
            Optimized found = optimize(denoiser, trajectory, batch.conditional(), batch.unconditional(), NOBODY);
            noise.attach(owner);
            found.embeds().attach(owner);
            return new Inverted(
                    noise, Optional.of(found.embeds()), unguided.evaluations(batch.rows()) + found.evaluations());
        }
    }

    /**
     * The result of the optimisation.
     *
     * @param embeds (B, steps, L, width), attached to the trajectory's manager
     * @param evaluations forwards of one latent; all but two a step with their backward
     */
    record Optimized(NDArray embeds, long evaluations) {}

    /**
     * Finds each step's embeddings.
     *
     * @param trajectory from the latents to their noise, each (B, C, H, W), one more than there are steps
     */
    Optimized optimize(
            Denoiser denoiser,
            List<NDArray> trajectory,
            PromptEmbeds conditional,
            PromptEmbeds unconditional,
            Observer observer) {
        NDArray last = trajectory.get(sampling.size());
        NDManager owner = last.getManager();
        Shape shape = last.getShape();
        int rows = (int) shape.get(0);
        try (NDManager scope = owner.newSubManager()) {
            PromptEmbeds told = conditional.rows(rows, scope);
            PromptEmbeds initial = unconditional.rows(rows, scope);
            float[][] embeds = Rows.values(initial.hiddenStates());
            int size = embeds[0].length;
            float[][] found = new float[rows][sampling.size() * size];
            NDArray x = last.duplicate();
            x.attach(scope);
            long evaluations = 0;
            for (int i = 0; i < sampling.size(); i++) {
                try (NDManager step = scope.newSubManager()) {
                    step.tempAttachAll(x);
                    step.tempAttachAll(told.arrays());
                    NDArray target = trajectory.get(sampling.size() - 1 - i).duplicate();
                    target.attach(step);
                    evaluations += optimize(i, denoiser, x, target, told, initial, embeds, observer);
                    for (int row = 0; row < rows; row++) {
                        System.arraycopy(embeds[row], 0, found[row], i * size, size);
                    }
                    NDArray next = guided(
                            denoiser,
                            guidance,
                            sampling.get(i),
                            x,
                            told,
                            stacked(embeds, initial, IntStream.range(0, rows).toArray(), step));
                    evaluations += 2L * rows;
                    observer.stepped(i, next);
                    next.attach(scope);
                    x = closing(x, next);
                }
            }
            Shape tokens = initial.hiddenStates().getShape();
            NDArray all = Rows.stack(found, new Shape(rows, sampling.size(), tokens.get(1), tokens.get(2)), scope);
            all.attach(owner);
            return new Optimized(all, evaluations);
        }
    }

    /** Optimises one step's embeddings in place; x and target belong to a scope of the step. */
    private long optimize(
            int i,
            Denoiser denoiser,
            NDArray x,
            NDArray target,
            PromptEmbeds told,
            PromptEmbeds initial,
            float[][] embeds,
            Observer observer) {
        Step step = sampling.get(i);
        double sample = step.samples().get(0);
        double output = step.outputs().get(0);
        double g = guidance.scale();
        NDManager scope = x.getManager();
        // The loss's difference without the unconditional part: A · x + B · g · m(x, t, c) − target.
        NDArray conditional = denoiser.predict(x, step.timestep(), told);
        NDArray constant = x.mul(sample).addi(conditional.mul(output * g)).subi(target);
        long evaluations = embeds.length;
        double share = output * (1 - g);
        Adam[] adams = Arrays.stream(embeds).map(row -> new Adam(row.length)).toArray(Adam[]::new);
        int[] active = IntStream.range(0, embeds.length).toArray();
        for (int j = 0; j < optimization.iterations() && active.length > 0; j++) {
            try (NDManager inner = scope.newSubManager()) {
                int[] rows = active;
                float[][] some = IntStream.of(rows).mapToObj(row -> embeds[row]).toArray(float[][]::new);
                PromptEmbeds unconditional = stacked(some, initial, rows, inner);
                NDArray rest = Rows.of(constant, rows, inner);
                double[] losses = new double[rows.length];
                double[] timestep = {step.timestep()};
                PromptEmbeds gradient =
                        denoiser.promptGradient(Rows.of(x, rows, inner), timestep, unconditional, predicted -> {
                            NDArray difference = predicted.mul(share).addi(rest);
                            double[] roots = Rows.rms(difference);
                            for (int k = 0; k < losses.length; k++) {
                                losses[k] = roots[k] * roots[k];
                            }
                            return difference.muli(2 * share * rows.length / difference.size());
                        });
                evaluations += rows.length;
                float[][] gradients = Rows.values(gradient.hiddenStates());
                for (int k = 0; k < rows.length; k++) {
                    adams[rows[k]].update(embeds[rows[k]], gradients[k], optimization.rate(i));
                }
                observer.updated(i, j, rows, losses, gradients, embeds);
                active = IntStream.range(0, rows.length)
                        .filter(k -> !optimization.done(losses[k], i))
                        .map(k -> rows[k])
                        .toArray();
            }
        }
        return evaluations;
    }

    /** These rows' hidden states, with the pooled part, where there is one, of the prompts they started from. */
    private static PromptEmbeds stacked(float[][] states, PromptEmbeds initial, int[] rows, NDManager owner) {
        Shape tokens = initial.hiddenStates().getShape();
        NDList arrays = new NDList(Rows.stack(states, new Shape(rows.length, tokens.get(1), tokens.get(2)), owner));
        for (NDArray pooled : initial.arrays().subList(1, initial.arrays().size())) {
            arrays.add(Rows.of(pooled, rows, owner));
        }
        return new PromptEmbeds(arrays);
    }

    private static NDArray closing(NDArray old, NDArray next) {
        old.close();
        return next;
    }

    private static NDArray guided(
            Denoiser denoiser,
            Guidance guidance,
            Step step,
            NDArray latents,
            PromptEmbeds conditional,
            PromptEmbeds unconditional) {
        return new DenoisingLoop(List.of(step), denoiser, guidance).run(latents, conditional, unconditional);
    }

    /** The sampler that gives each step its own unconditional embeddings. */
    record Sampling(DenoisingLoop loop) implements Sampler {
        @Override
        public NDArray sample(
                NDArray noise, Conditioning conditional, PromptEmbeds unconditional, Optional<NDArray> companion) {
            NDManager owner = noise.getManager();
            PromptEmbeds prompt = conditional.only();
            int steps = loop.table().size();
            NDArray embeds = companion
                    .filter(array -> array.getShape().dimension() == 4
                            && array.getShape().get(1) == steps)
                    .orElseThrow(() -> new IllegalArgumentException(
                            "Null-text sampling needs embeddings (B, steps, L, width) of its " + steps
                                    + " steps, cannot have: " + companion.map(NDArray::getShape)));
            try (NDManager scope = owner.newSubManager()) {
                NDList all = unconditional.rows(noise.getShape().get(0), scope).arrays();
                NDList pooled = all.subNDList(1);
                NDArray x = noise.duplicate();
                x.attach(scope);
                for (int i = 0; i < steps; i++) {
                    try (NDManager step = scope.newSubManager()) {
                        step.tempAttachAll(x, embeds);
                        NDList arrays = new NDList(embeds.get(new NDIndex(":,{}", i))); // (B, L, width)
                        arrays.addAll(pooled);
                        NDArray next = guided(
                                loop.denoiser(),
                                loop.guidance(),
                                loop.table().get(i),
                                x,
                                prompt,
                                new PromptEmbeds(arrays));
                        next.attach(scope);
                        x = closing(x, next);
                    }
                }
                x.attach(owner);
                return x;
            }
        }

        @Override
        public long evaluations(long rows) {
            return loop.evaluations(rows);
        }
    }
}
