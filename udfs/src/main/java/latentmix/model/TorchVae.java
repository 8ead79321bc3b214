package latentmix.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import latentmix.architecture.AutoencoderKL;

/** A half of an autoencoder in libtorch; the network belongs to {@link Models}. */
sealed interface TorchVae extends Vae {
    @Override
    default void close() {
        // Models owns the network.
    }

    /** The half that encodes: z = (mean - shift) · scaling. */
    record Encoder(Network network, AutoencoderKL config) implements TorchVae {
        @Override
        public NDArray encode(NDArray images) {
            try (NDManager scope = images.getManager().newSubManager()) {
                NDArray mean = network.forward(scope, images).get(0);
                NDArray latents = mean.sub(config.shiftFactor()).mul(config.scalingFactor());
                latents.attach(images.getManager());
                return latents;
            }
        }

        @Override
        public NDArray decode(NDArray latents) {
            throw new UnsupportedOperationException("Only the encoder is loaded; Models.decoder has the other half");
        }
    }

    /** The half that decodes: image = decoder(z / scaling + shift). */
    record Decoder(Network network, AutoencoderKL config) implements TorchVae {
        @Override
        public NDArray encode(NDArray images) {
            throw new UnsupportedOperationException("Only the decoder is loaded; Models.encoder has the other half");
        }

        @Override
        public NDArray decode(NDArray latents) {
            try (NDArray unscaled = latents.div(config.scalingFactor()).addi(config.shiftFactor())) {
                return network.forward(latents.getManager(), unscaled).singletonOrThrow();
            }
        }
    }
}
