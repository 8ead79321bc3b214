package latentmix.adaptation;

import ai.djl.ndarray.NDManager;
import java.util.List;
import java.util.function.UnaryOperator;
import latentmix.inversion.Adam;
import latentmix.model.PromptEmbeds;
import latentmix.model.TextEncoder.Embeds;
import latentmix.model.TokenLearner;

/** What a network is told of a class while it learns the class: its prompt, in which a token may be learnt. */
public sealed interface Told {
    /** The prompt with the class's name. */
    Embeds plain();

    /** The prompt as far as it is learnt. */
    Embeds now();

    /** The prompt without words. */
    Embeds empty();

    /**
     * One step.
     *
     * @param slope from the prompt's embeddings, one row, to the error's gradient with respect to them; its arrays are
     *     closed with the call
     */
    void step(NDManager arrays, UnaryOperator<PromptEmbeds> slope);

    /** The token's vectors, of each CLIP encoder (vectors, width), row-major; none without a token. */
    List<float[]> vectors();

    /**
     * A prompt with a token, whose vectors v are learnt by textual inversion:
     *
     * <pre>v* = argmin E [ weight_t · mean (m(x_t, t, c(v)) − target)² ]</pre>
     *
     * where c(v) are the prompt's embeddings.
     *
     * @see <a href="https://arxiv.org/abs/2208.01618">Gal et al., An Image is Worth One Word, Equation 2</a>
     */
    final class Token implements Told {
        private final TokenLearner learner;
        private final String prompt;
        private final String plain;
        private final double rate;
        private final List<float[]> vectors;
        private final List<Adam> adams;

        /**
         * A token that begins as its name.
         *
         * @param prompt has the token
         * @param plain has the class's name in its place
         * @param rate Adam's learning rate
         */
        public Token(TokenLearner learner, String prompt, String plain, double rate) {
            this.learner = learner;
            this.prompt = prompt;
            this.plain = plain;
            this.rate = rate;
            this.vectors = learner.initial();
            this.adams = vectors.stream().map(row -> new Adam(row.length)).toList();
        }

        @Override
        public Embeds plain() {
            return learner.encode(plain, vectors);
        }

        @Override
        public Embeds now() {
            return learner.encode(prompt, vectors);
        }

        @Override
        public Embeds empty() {
            return learner.encode("", vectors);
        }

        @Override
        public void step(NDManager arrays, UnaryOperator<PromptEmbeds> slope) {
            List<float[]> gradients = learner.gradient(prompt, vectors, slope);
            for (int i = 0; i < vectors.size(); i++) {
                adams.get(i).update(vectors.get(i), gradients.get(i), rate);
            }
        }

        @Override
        public List<float[]> vectors() {
            return List.copyOf(vectors);
        }
    }

    /** A prompt in which nothing is learnt. */
    record Words(Embeds plain, Embeds empty) implements Told {
        @Override
        public Embeds now() {
            return plain;
        }

        @Override
        public void step(NDManager arrays, UnaryOperator<PromptEmbeds> slope) {
            try (NDManager scope = arrays.newSubManager()) {
                slope.apply(plain.onto(scope)).arrays().close();
            }
        }

        @Override
        public List<float[]> vectors() {
            return List.of();
        }
    }
}
