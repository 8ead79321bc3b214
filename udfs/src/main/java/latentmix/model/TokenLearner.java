package latentmix.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import latentmix.architecture.Architecture;
import latentmix.architecture.ClipTextModel;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.StateDict;

/**
 * A checkpoint's text encoders with one more token, whose vectors are no weights but given with each prompt: the
 * prompt's embeddings can be differentiated with respect to them. Stable Diffusion XL and 3 have two CLIP encoders with
 * vectors of their own; the latter's T5 reads the token's name in the token's place.
 *
 * @see <a href="https://arxiv.org/abs/2208.01618">Gal et al., An Image is Worth One Word</a>
 */
public final class TokenLearner implements AutoCloseable {
    private static final String TABLE = "text_model.embeddings.token_embedding.weight";

    /**
     * The token.
     *
     * @param text what prompts call it
     * @param vectors how many it stands for, at least 1
     * @param name the words that it begins as
     */
    public record Token(String text, int vectors, String name) {
        public Token {
            if (vectors < 1) {
                throw new IllegalArgumentException("A token must have at least 1 vector, cannot have: " + vectors);
            }
        }
    }

    /** A CLIP encoder, whose program takes the vectors as an input. */
    record Clip(PromptNetwork network, Path component, ClipTextModel model) implements AutoCloseable {
        /** The vectors of a name's tokens, row by row, again from the first where more are asked for. */
        private float[] initial(Token token) {
            Tokenizer tokenizer = network.tokenizer();
            long[] ids = tokenizer.encode(token.name());
            int words = Math.min(words(tokenizer, token.name()), ids.length - 2);
            if (words < 1) {
                throw new CheckpointException("expected a class's name that the tokenizer of " + component
                        + " reads, got \"" + token.name() + "\", which is none of its words; name the class otherwise");
            }
            int width = model.hiddenSize();
            float[] vectors = new float[token.vectors() * width];
            try (StateDict weights = Architecture.of(component).weights(component)) {
                for (int i = 0; i < token.vectors(); i++) {
                    float[] row = weights.floats(TABLE, ids[1 + i % words] * width, width);
                    System.arraycopy(row, 0, vectors, i * width, width);
                }
            }
            return vectors;
        }

        private NDArray array(float[] vectors, NDManager manager) {
            int width = model.hiddenSize();
            return manager.create(vectors, new Shape(vectors.length / width, width));
        }

        @Override
        public void close() {
            network.close();
        }
    }

    private final Token token;
    private final List<Clip> clips;
    private final Optional<StableDiffusion3TextEncoder> whole; // of Stable Diffusion 3, for its T5
    private final Map<String, float[]> last = new ConcurrentHashMap<>(); // T5's outputs, by prompt

    TokenLearner(Token token, List<Clip> clips, Optional<StableDiffusion3TextEncoder> whole) {
        this.token = token;
        this.clips = List.copyOf(clips);
        this.whole = whole;
    }

    /** How many tokens CLIP's tokenizer cuts a name into, without start and end. */
    public static int words(Tokenizer tokenizer, String name) {
        return tokenizer.length(name) - 2;
    }

    /** The vectors that the token begins with, those of its name: of each CLIP encoder (vectors, width), row-major. */
    public List<float[]> initial() {
        return clips.stream().map(clip -> clip.initial(token)).toList();
    }

    /** The widths of the encoders' vectors. */
    public List<Integer> widths() {
        return clips.stream().map(clip -> clip.model().hiddenSize()).toList();
    }

    /**
     * The embeddings of a prompt.
     *
     * @param vectors as of {@link #initial}
     */
    public TextEncoder.Embeds encode(String prompt, List<float[]> vectors) {
        try (NDManager manager = manager()) {
            return TextEncoder.Embeds.of(embeds(
                    prompt,
                    IntStream.range(0, clips.size())
                            .mapToObj(i -> clips.get(i)
                                    .network()
                                    .forward(prompt, manager, clips.get(i).array(vectors.get(i), manager)))
                            .toList(),
                    manager));
        }
    }

    /**
     * The gradient of some value with respect to the vectors: one forward and one backward of the text encoders.
     *
     * @param slope from the prompt's embeddings, one row, to the value's gradient with respect to them; its arrays are
     *     closed with the call
     * @return as the vectors
     */
    public List<float[]> gradient(String prompt, List<float[]> vectors, UnaryOperator<PromptEmbeds> slope) {
        boolean before = JniUtils.isGradMode(); // thread-local in libtorch
        try (NDManager manager = manager()) {
            List<PtNDArray> leaves = new ArrayList<>();
            List<NDList> outputs = new ArrayList<>();
            for (int i = 0; i < clips.size(); i++) {
                JniUtils.setGradMode(false);
                PtNDArray leaf = Network.leaf(clips.get(i).array(vectors.get(i), manager), manager);
                JniUtils.setGradMode(true);
                leaves.add(leaf);
                outputs.add(clips.get(i).network().forwardTraining(prompt, manager, leaf));
            }
            PromptEmbeds embeds = embeds(prompt, outputs, manager);
            JniUtils.setGradMode(false);
            PromptEmbeds slopes = slope.apply(embeds.rows(1, manager)); // copies, which no gradient is led back to
            JniUtils.setGradMode(true);
            int last = embeds.arrays().size() - 1;
            for (int i = 0; i <= last; i++) {
                JniUtils.backward(
                        (PtNDArray) embeds.arrays().get(i),
                        (PtNDArray) slopes.arrays().get(i),
                        i < last,
                        false);
            }
            JniUtils.setGradMode(false);
            List<float[]> gradients = new ArrayList<>();
            for (PtNDArray leaf : leaves) {
                PtNDArray gradient = JniUtils.getGradient(leaf);
                gradient.attach(manager);
                gradients.add(gradient.toFloatArray());
            }
            return gradients;
        } finally {
            JniUtils.setGradMode(before);
        }
    }

    private PromptEmbeds embeds(String prompt, List<NDList> outputs, NDManager manager) {
        return whole.map(encoder -> StableDiffusion3TextEncoder.embeds(
                        outputs.get(0), outputs.get(1), last(encoder, prompt, manager)))
                .orElseGet(() -> outputs.size() == 1
                        ? StableDiffusionTextEncoder.embeds(outputs.get(0))
                        : StableDiffusionXLTextEncoder.embeds(outputs.get(0), outputs.get(1)));
    }

    /** T5's last hidden state, of which it is asked once a prompt. */
    private NDArray last(StableDiffusion3TextEncoder encoder, String prompt, NDManager manager) {
        float[] values = last.computeIfAbsent(prompt.replace(token.text(), token.name()), plain -> {
            try (NDManager scope = manager.newSubManager()) {
                return encoder.last(plain, scope).toFloatArray();
            }
        });
        return manager.create(values, new Shape(1, values.length / encoder.width(), encoder.width()));
    }

    private NDManager manager() {
        return NDManager.newBaseManager(clips.get(0).network().device(), "PyTorch");
    }

    @Override
    public void close() {
        clips.forEach(Clip::close);
        whole.ifPresent(TextEncoder::close);
    }
}
