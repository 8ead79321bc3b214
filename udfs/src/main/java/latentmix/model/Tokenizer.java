package latentmix.model;

/** Text to token ids, padded and truncated as the checkpoint's pipeline does. */
public interface Tokenizer extends AutoCloseable {
    /**
     * Ids of one prompt, maxLength of them: start (CLIP), tokens, end, padding; a longer prompt keeps the end token
     * last.
     */
    long[] encode(String text);

    /** Tokens of the text itself with start and end, before truncation: above maxLength the prompt is cut. */
    int length(String text);

    /** The beginning of the text that the ids stand for: all of it where it is not cut. */
    String kept(String text);

    int maxLength();

    /** Ids are below this. */
    long vocabSize();

    @Override
    void close();
}
