package latentmix.inversion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import latentmix.model.Denoiser;
import latentmix.model.PromptEmbeds;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.schedule.Step;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Null-text inversion with a network of one line. */
class NullTextInversionTest {
    /** m = hidden + pooled, both single numbers a row. */
    private static final class Sum implements Denoiser {
        @Override
        public NDArray predict(NDArray sample, double timestep, PromptEmbeds prompt) {
            NDArray sum = sample.zerosLike()
                    .add(prompt.hiddenStates().reshape(-1, 1, 1, 1))
                    .add(prompt.pooled().reshape(-1, 1, 1, 1));
            sum.attach(sample.getManager());
            return sum;
        }

        @Override
        public PromptEmbeds promptGradient(
                NDArray sample, double[] timesteps, PromptEmbeds prompt, UnaryOperator<NDArray> outputGradient) {
            return PromptEmbeds.of(outputGradient
                    .apply(predict(sample, timesteps[0], prompt))
                    .sum(new int[] {1, 2, 3})
                    .reshape(-1, 1, 1));
        }

        @Override
        public latentmix.latent.Shape latentShape() {
            return new latentmix.latent.Shape(1, 1, 2);
        }

        @Override
        public void close() {}
    }

    private NDManager manager;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager(Device.cpu());
    }

    @AfterEach
    void close() {
        manager.close();
    }

    private PromptEmbeds prompt(float[] hidden, float[] pooled) {
        return PromptEmbeds.of(
                manager.create(hidden, new Shape(hidden.length, 1, 1)),
                manager.create(pooled, new Shape(pooled.length, 1)));
    }

    @Test
    void eachImageFindsItsOwnEmbeddingBesideThePooledOneAndStopsOnItsOwn() {
        // Guided: 3 c − 2 u, so that u = c undoes guidance; with pooled 0.5, u ends at c − 0.5. The second starts
        // there.
        PromptEmbeds conditional = prompt(new float[] {0.04f, 0.5f}, new float[] {0, 0});
        PromptEmbeds unconditional = prompt(new float[] {-0.4f, 0}, new float[] {0.5f, 0.5f});
        NullTextInversion inversion = new NullTextInversion(
                List.of(Step.of(1, 1, 1)),
                List.of(Step.of(1, 1, -1)),
                new Guidance(3),
                NullTextInversion.Optimization.authors(200));
        NDArray latents = manager.create(new float[] {1, 2, 3, 4}, new Shape(2, 1, 1, 2));

        Inversion.Inverted inverted = inversion.invert(
                new Sum(), new Inversion.Batch(latents, conditional, unconditional, InversionGoldenTest.random(2)));

        NDArray embeds = inverted.companion().orElseThrow();
        assertThat(embeds.getShape()).isEqualTo(new Shape(2, 1, 1, 1));
        assertThat(embeds.toFloatArray()).containsExactly(new float[] {-0.46f, 0}, within(5e-3f));
        // Within the loss to stop at and one update. 2 of the trajectory, 2 conditional, 4 guided, at least 6 updates
        // of the first and 1 of the second.
        assertThat(inverted.evaluations()).isBetween(2L + 2 + 4 + 6 + 1, 2L + 2 + 4 + 199 + 1);

        DenoisingLoop loop = new DenoisingLoop(List.of(Step.of(1, 1, -1)), new Sum(), new Guidance(3));
        NDArray back = new NullTextInversion.Sampling(loop)
                .sample(inverted.noise(), conditional, unconditional, Optional.of(embeds));
        assertThat(back.toFloatArray()).containsExactly(new float[] {1, 2, 3, 4}, within(1e-2f));
    }
}
