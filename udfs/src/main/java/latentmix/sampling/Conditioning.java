package latentmix.sampling;

import latentmix.model.PromptEmbeds;

/**
 * What the network is told on its way: a prompt for the first steps, and another one for the rest.
 *
 * @param first one prompt for each latent, or one for all
 * @param steps how many of the steps are told the first one
 * @param then the same of the rest
 */
public record Conditioning(PromptEmbeds first, int steps, PromptEmbeds then) {
    /** One prompt on the whole way. */
    public static Conditioning of(PromptEmbeds prompt) {
        return new Conditioning(prompt, Integer.MAX_VALUE, prompt);
    }

    /**
     * The only prompt there is.
     *
     * @throws IllegalStateException if there are two
     */
    public PromptEmbeds only() {
        if (steps < Integer.MAX_VALUE) {
            throw new IllegalStateException(
                    "This sampler must be told one prompt on the whole way, cannot be told two");
        }
        return first;
    }
}
