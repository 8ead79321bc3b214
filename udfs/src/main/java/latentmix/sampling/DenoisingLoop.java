package latentmix.sampling;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import latentmix.model.Denoiser;
import latentmix.model.PromptEmbeds;
import latentmix.schedule.Step;

/**
 * Runs a scheduler's table on a batch of latents: at each step one forward of the network, then the row's linear
 * combination of the samples and model outputs seen so far.
 *
 * @param table the steps in order, of sampling or of inversion
 */
public record DenoisingLoop(List<Step> table, Denoiser denoiser, Guidance guidance) {
    /** Sees what every step made; the arrays belong to the loop, which closes them. */
    @FunctionalInterface
    public interface Observer {
        /**
         * Called after each step.
         *
         * @param step index in the table, from 0
         * @param output the guided model output (B, C, H, W)
         * @param latents the latents that the step led to (B, C, H, W)
         */
        void stepped(int step, NDArray output, NDArray latents);
    }

    public DenoisingLoop {
        table = List.copyOf(table);
        for (int i = 0; i < table.size(); i++) {
            Step step = table.get(i);
            if (step.noise() != 0) {
                throw new IllegalArgumentException("The denoising loop draws no noise, cannot run a stochastic table");
            }
            if (depth(step) > i + 1) {
                throw new IllegalArgumentException(
                        "Step " + i + " can look back at most " + i + " steps, cannot look back: " + (depth(step) - 1));
            }
        }
    }

    /** Network evaluations of a run on this many latents: rows × branches, summed over the steps. */
    public long evaluations(long rows) {
        return rows * guidance.evaluations(table);
    }

    /** What both branches of guidance are told; where one runs, the conditional rows alone. */
    private record Told(PromptEmbeds one, PromptEmbeds both) {}

    /** Runs the table without an observer, as {@link #run(NDArray, PromptEmbeds, PromptEmbeds, Observer)} does. */
    public NDArray run(NDArray latents, PromptEmbeds conditional, PromptEmbeds unconditional) {
        return run(latents, Conditioning.of(conditional), unconditional);
    }

    /** The same with another prompt for the first steps. */
    public NDArray run(NDArray latents, Conditioning conditional, PromptEmbeds unconditional) {
        return run(latents, conditional, unconditional, (step, output, next) -> {});
    }

    /** The same with one prompt on the whole way. */
    public NDArray run(NDArray latents, PromptEmbeds conditional, PromptEmbeds unconditional, Observer observer) {
        return run(latents, Conditioning.of(conditional), unconditional, observer);
    }

    /**
     * Runs the table. The arguments stay the caller's and are left as they are.
     *
     * @param latents float32 (B, C, H, W)
     * @param conditional what each step is told
     * @param unconditional the same of the negative prompt; not looked at unless guidance has two branches at some step
     * @return float32 (B, C, H, W), attached to the latents' manager
     */
    public NDArray run(NDArray latents, Conditioning conditional, PromptEmbeds unconditional, Observer observer) {
        if (latents.getDataType() != DataType.FLOAT32 || latents.getShape().dimension() != 4) {
            throw new IllegalArgumentException("Latents must be float32 (B, C, H, W), cannot be: "
                    + latents.getDataType() + " " + latents.getShape());
        }
        long rows = latents.getShape().get(0);
        int depth = table.stream().mapToInt(DenoisingLoop::depth).max().orElse(1);
        NDManager owner = latents.getManager();
        try (NDManager loop = owner.newSubManager()) {
            Told first = told(conditional.first(), unconditional, rows, loop);
            Told then =
                    conditional.steps() < table.size() ? told(conditional.then(), unconditional, rows, loop) : first;
            Deque<NDArray> samples = new ArrayDeque<>(List.of(copyOf(latents, loop))); // newest first
            Deque<NDArray> outputs = new ArrayDeque<>();
            for (int i = 0; i < table.size(); i++) {
                Step step = table.get(i);
                try (NDManager scope = loop.newSubManager()) {
                    // A result is attached to the manager of what it was computed from: here, to this step's.
                    Told told = i < conditional.steps() ? first : then;
                    PromptEmbeds prompt = guidance.branches(step.timestep()) == 2 ? told.both() : told.one();
                    scope.tempAttachAll(prompt.arrays());
                    scope.tempAttachAll(samples.toArray(NDArray[]::new));
                    scope.tempAttachAll(outputs.toArray(NDArray[]::new));
                    NDArray output = guidance.predict(denoiser, samples.getFirst(), step.timestep(), prompt);
                    outputs.addFirst(output);
                    NDArray next = combination(step.samples(), samples).addi(combination(step.outputs(), outputs));
                    samples.addFirst(next);
                    observer.stepped(i, output, next);
                    loop.attachAll(output, next);
                }
                closeBeyond(depth, samples);
                closeBeyond(depth, outputs);
            }
            NDArray last = samples.getFirst();
            last.attach(owner);
            return last;
        }
    }

    private Told told(PromptEmbeds conditional, PromptEmbeds unconditional, long rows, NDManager loop) {
        PromptEmbeds one = conditional.rows(rows, loop); // (B, L, width)
        boolean guided = table.stream().anyMatch(step -> guidance.branches(step.timestep()) == 2);
        return new Told(one, guided ? unconditional.rows(rows, loop).concat(one) : one); // (2B, L, width)
    }

    /** Σ_j coefficients[j] · history[j] as a new array. */
    private static NDArray combination(List<Double> coefficients, Deque<NDArray> history) {
        Iterator<NDArray> newestFirst = history.iterator();
        NDArray sum = newestFirst.next().mul(coefficients.get(0));
        for (double coefficient : coefficients.subList(1, coefficients.size())) {
            sum.addi(newestFirst.next().mul(coefficient));
        }
        return sum;
    }

    private static int depth(Step step) {
        return Math.max(step.samples().size(), step.outputs().size());
    }

    private static void closeBeyond(int depth, Deque<NDArray> history) {
        while (history.size() > depth) {
            history.removeLast().close();
        }
    }

    private static NDArray copyOf(NDArray array, NDManager manager) {
        NDArray copy = array.duplicate();
        copy.attach(manager);
        return copy;
    }
}
