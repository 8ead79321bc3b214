package latentmix.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import latentmix.latent.Shape;

/** A U-Net or transformer in libtorch; the network belongs to {@link Models}. */
record TorchDenoiser(Network network, Shape latentShape) implements Denoiser {
    /** Either's forward takes the sample, the timestep, hidden states and, if it takes them, pooled embeddings. */
    @Override
    public NDArray predict(NDArray sample, double timestep, PromptEmbeds prompt) {
        try (NDArray time = sample.getManager().create((float) timestep)) {
            NDList inputs = new NDList(sample, time).addAll(prompt.arrays());
            return network.forward(sample.getManager(), inputs.toArray(NDArray[]::new))
                    .singletonOrThrow();
        }
    }

    @Override
    public void close() {
        // Models owns the network.
    }
}
