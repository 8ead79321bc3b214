package latentmix.model;

import ai.djl.ndarray.NDArray;
import java.util.function.UnaryOperator;
import latentmix.latent.Shape;

/** A U-Net in libtorch; the network belongs to {@link Models}. */
record TorchDenoiser(Network network, Shape latentShape) implements Denoiser {
    @Override
    public NDArray predict(NDArray sample, double timestep, PromptEmbeds prompt) {
        try (NDArray time = sample.getManager().create((float) timestep)) {
            return network.forward(sample.getManager(), sample, time, prompt.hiddenStates())
                    .singletonOrThrow();
        }
    }

    @Override
    public NDArray promptGradient(
            NDArray sample, double timestep, PromptEmbeds prompt, UnaryOperator<NDArray> outputGradient) {
        try (NDArray time = sample.getManager().create((float) timestep)) {
            return network.gradient(sample.getManager(), 2, outputGradient, sample, time, prompt.hiddenStates());
        }
    }

    @Override
    public void close() {
        // Models owns the network.
    }
}
