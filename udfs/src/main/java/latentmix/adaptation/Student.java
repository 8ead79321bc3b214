package latentmix.adaptation;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.function.UnaryOperator;
import latentmix.checkpoint.SafetensorsWriter.Values;
import latentmix.model.AdaptableDenoiser;
import latentmix.model.Denoiser;
import latentmix.model.PromptEmbeds;
import latentmix.model.TimeIds;

/** The network that learns a class: as it is, or with a low-rank adapter. */
public sealed interface Student {
    /** What changes nothing of a network. */
    float[] NOTHING = {};

    /**
     * Gradients of the error.
     *
     * @param prompt with respect to the prompt's embeddings
     * @param adapter with respect to the adapter; empty without one
     */
    record Slopes(PromptEmbeds prompt, float[] adapter) {}

    /** The network before it learnt anything, for as long as the manager is open. */
    Denoiser before(NDManager arrays);

    /** The network as far as it has learnt. */
    Denoiser now(NDManager arrays);

    /** What is told of prompts with their images' sizes, as of {@link Denoiser#sized}. */
    PromptEmbeds sized(PromptEmbeds prompts, List<TimeIds> images, NDManager owner);

    /** One forward and one backward, as of {@link Denoiser#promptGradient}. */
    Slopes slopes(NDArray sample, double[] timesteps, PromptEmbeds prompt, UnaryOperator<NDArray> outputGradient);

    /** One step down the adapter's gradient. */
    void step(float[] gradient);

    /** The adapter as the network takes it; empty without one. */
    float[] adapter();

    /**
     * The adapter as a file that diffusers' {@code load_lora_weights} reads; nothing without one.
     *
     * @param component {@code unet} or {@code transformer}
     */
    SortedMap<String, Values> tensors(String component);

    /** A network that stays as it is. */
    record Frozen(Denoiser denoiser) implements Student {
        @Override
        public Denoiser before(NDManager arrays) {
            return denoiser;
        }

        @Override
        public Denoiser now(NDManager arrays) {
            return denoiser;
        }

        @Override
        public PromptEmbeds sized(PromptEmbeds prompts, List<TimeIds> images, NDManager owner) {
            return denoiser.sized(prompts, images, owner);
        }

        @Override
        public Slopes slopes(
                NDArray sample, double[] timesteps, PromptEmbeds prompt, UnaryOperator<NDArray> outputGradient) {
            return new Slopes(denoiser.promptGradient(sample, timesteps, prompt, outputGradient), NOTHING);
        }

        @Override
        public void step(float[] gradient) {
            // It has nothing to learn.
        }

        @Override
        public float[] adapter() {
            return NOTHING;
        }

        @Override
        public SortedMap<String, Values> tensors(String component) {
            return Collections.emptySortedMap();
        }
    }

    /** A network with a {@link LowRankAdapter}. */
    final class LowRank implements Student {
        private final AdaptableDenoiser denoiser;
        private final LowRankAdapter adapter;
        private final double rate;

        /**
         * A network whose adapter changes nothing yet.
         *
         * @param rate Adam's learning rate
         * @param seed what draws the adapter's first weights
         */
        public LowRank(AdaptableDenoiser denoiser, int rank, double alpha, double rate, String seed) {
            this.denoiser = denoiser;
            this.adapter = new LowRankAdapter(denoiser.layers(), rank, alpha, seed);
            this.rate = rate;
        }

        @Override
        public Denoiser before(NDManager arrays) {
            return denoiser.with(new float[adapter().length], arrays);
        }

        @Override
        public Denoiser now(NDManager arrays) {
            return denoiser.with(adapter(), arrays);
        }

        @Override
        public PromptEmbeds sized(PromptEmbeds prompts, List<TimeIds> images, NDManager owner) {
            return denoiser.sized(prompts, images, owner);
        }

        @Override
        public Slopes slopes(
                NDArray sample, double[] timesteps, PromptEmbeds prompt, UnaryOperator<NDArray> outputGradient) {
            AdaptableDenoiser.Slopes slopes = denoiser.slopes(sample, timesteps, prompt, adapter(), outputGradient);
            return new Slopes(slopes.prompt(), slopes.adapter().toFloatArray());
        }

        @Override
        public void step(float[] gradient) {
            adapter.update(gradient, rate);
        }

        @Override
        public float[] adapter() {
            return adapter.values();
        }

        @Override
        public SortedMap<String, Values> tensors(String component) {
            return LowRankAdapter.tensors(denoiser.layers(), component, adapter());
        }
    }
}
