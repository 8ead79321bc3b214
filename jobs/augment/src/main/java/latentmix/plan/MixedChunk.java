package latentmix.plan;

import java.io.Serializable;

/** A chunk of the mixed table, its number of rows, and how many of them, by k, are asked for. */
public record MixedChunk(String id, int rows, int asked) implements Serializable {}
