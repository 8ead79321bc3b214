package latentmix.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.util.function.UnaryOperator;
import latentmix.latent.Shape;

/** A U-Net or transformer in libtorch; the network belongs to {@link Models}. */
record TorchDenoiser(Network network, Shape latentShape) implements Denoiser {
    private static final int HIDDEN_STATES = 2;

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
    public NDArray promptGradient(
            NDArray sample, double timestep, PromptEmbeds prompt, UnaryOperator<NDArray> outputGradient) {
        try (NDArray time = sample.getManager().create((float) timestep)) {
            return network.gradient(sample.getManager(), HIDDEN_STATES, outputGradient, inputs(sample, time, prompt));
        }
    }

    @Override
    public void close() {
        // Models owns the network.
    }
}
