package latentmix.table;

/** An image's caption. */
public record CaptionRow(String imageId, String caption) {}
