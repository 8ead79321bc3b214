package latentmix.model;

/** Turns text into token ids, padded and truncated as the checkpoint's pipeline does. */
public interface Tokenizer extends AutoCloseable {
    /**
     * The maxLength ids of one prompt: start (CLIP), tokens, end, padding. A longer prompt keeps the end token last.
     */
    long[] encode(String text);

    /** The number of tokens of the whole text with start and end. Above maxLength the prompt is cut. */
    int length(String text);

    /** The beginning of the text that the ids stand for, which is the whole text where it is not cut. */
    String kept(String text);

    int maxLength();

    /** The size of the vocabulary; all ids are below it. */
    long vocabSize();

    @Override
    void close();
}
