package latentmix.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.util.function.UnaryOperator;
import latentmix.latent.Shape;

/** A U-Net or transformer in libtorch; the network belongs to {@link Models}. */
record TorchDenoiser(Network network, Shape latentShape) implements Denoiser {
    /** The first of the inputs that are the prompt's. */
    private static final int PROMPT = 2;

    /** The inputs of either network: the sample, the timestep, hidden states and perhaps pooled embeddings. */
    private static NDArray[] inputs(NDArray sample, NDArray time, PromptEmbeds prompt) {
        return new NDList(sample, time).addAll(prompt.arrays()).toArray(NDArray[]::new);
    }

    @Override
    public NDArray predict(NDArray sample, double timestep, PromptEmbeds prompt) {
        try (NDArray time = sample.getManager().create((float) timestep)) {
            return network.forward(sample.getManager(), inputs(sample, time, prompt))
                    .singletonOrThrow();
        }
    }

    @Override
    public PromptEmbeds promptGradient(
            NDArray sample, double[] timesteps, PromptEmbeds prompt, UnaryOperator<NDArray> outputGradient) {
        float[] times = new float[timesteps.length];
        for (int i = 0; i < times.length; i++) {
            times[i] = (float) timesteps[i];
        }
        try (NDArray time = sample.getManager().create(times)) {
            return new PromptEmbeds(
                    network.gradients(sample.getManager(), PROMPT, outputGradient, inputs(sample, time, prompt)));
        }
    }

    @Override
    public void close() {
        // Models owns the network.
    }
}
