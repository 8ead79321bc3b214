package latentmix.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.Collections;
import java.util.List;
import java.util.function.UnaryOperator;
import latentmix.latent.Shape;

/**
 * A U-Net or transformer in libtorch; the network belongs to {@link Models}.
 *
 * @param factor pixels of a side for one entry of the latent where the network is told an image's size, else 0
 * @param adapter the last input of a network that takes an adapter, else empty
 */
record TorchDenoiser(Network network, Shape latentShape, int factor, NDList adapter) implements Denoiser {
    /** The first of the inputs that are the prompt's. */
    private static final int PROMPT = 2;

    /**
     * The inputs of either network: the sample, the timestep, hidden states and perhaps pooled embeddings, perhaps
     * sizes, and perhaps an adapter.
     *
     * @param scope owns the sizes of prompts that have none
     */
    private NDArray[] inputs(NDArray sample, NDArray time, PromptEmbeds prompt, NDManager scope) {
        PromptEmbeds whole = prompt;
        if (factor > 0 && !prompt.areSized()) {
            TimeIds own = TimeIds.whole(side(sample, 2), side(sample, 3));
            whole = prompt.withTimeIds(timeIds(Collections.nCopies(Math.toIntExact(prompt.rows()), own), scope));
        }
        return new NDList(sample, time).addAll(whole.arrays()).addAll(adapter).toArray(NDArray[]::new);
    }

    private int side(NDArray sample, int axis) {
        return Math.toIntExact(sample.size(axis) * factor);
    }

    /** {@code add_time_ids}, (B, 6). */
    private static NDArray timeIds(List<TimeIds> images, NDManager owner) {
        float[] values = new float[images.size() * TimeIds.COUNT];
        for (int i = 0; i < images.size(); i++) {
            System.arraycopy(images.get(i).values(), 0, values, i * TimeIds.COUNT, TimeIds.COUNT);
        }
        return owner.create(values, new ai.djl.ndarray.types.Shape(images.size(), TimeIds.COUNT));
    }

    @Override
    public PromptEmbeds sized(PromptEmbeds prompts, List<TimeIds> images, NDManager owner) {
        return factor > 0 ? prompts.rows(images.size(), owner).withTimeIds(timeIds(images, owner)) : prompts;
    }

    @Override
    public NDArray predict(NDArray sample, double timestep, PromptEmbeds prompt) {
        try (NDManager scope = sample.getManager().newSubManager()) {
            NDArray time = scope.create((float) timestep);
            return network.forward(sample.getManager(), inputs(sample, time, prompt, scope))
                    .singletonOrThrow();
        }
    }

    @Override
    public PromptEmbeds promptGradient(
            NDArray sample, double[] timesteps, PromptEmbeds prompt, UnaryOperator<NDArray> outputGradient) {
        return prompt(gradients(sample, timesteps, prompt, outputGradient, 0));
    }

    /** The gradients with respect to the prompt's embeddings and the adapter. */
    AdaptableDenoiser.Slopes slopes(
            NDArray sample, double[] timesteps, PromptEmbeds prompt, UnaryOperator<NDArray> outputGradient) {
        NDList found = gradients(sample, timesteps, prompt, outputGradient, adapter.size());
        int last = found.size() - 1;
        return new AdaptableDenoiser.Slopes(prompt(found.subNDList(0, last)), found.get(last));
    }

    /** Without the gradient of sizes. */
    private PromptEmbeds prompt(NDList gradients) {
        return new PromptEmbeds(factor > 0 ? gradients.subNDList(0, gradients.size() - 1) : gradients);
    }

    /** The gradients of the prompt's inputs, those of its sizes included, and of so many arrays of the adapter. */
    private NDList gradients(
            NDArray sample,
            double[] timesteps,
            PromptEmbeds prompt,
            UnaryOperator<NDArray> outputGradient,
            int adapters) {
        float[] times = new float[timesteps.length];
        for (int i = 0; i < times.length; i++) {
            times[i] = (float) timesteps[i];
        }
        try (NDManager scope = sample.getManager().newSubManager()) {
            NDArray[] inputs = inputs(sample, scope.create(times), prompt, scope);
            int end = inputs.length - adapter.size() + adapters;
            return network.gradients(sample.getManager(), PROMPT, end, outputGradient, inputs);
        }
    }

    @Override
    public void close() {
        // Models owns the network.
    }
}
