package latentmix.table;

/**
 * What a person decided of an image that was made.
 *
 * @param chunk the chunk of the mixed table that its mixture is in
 * @param kept whether it enters the dataset whatever else is said of it; else it is left out
 */
public record CuratedRow(String mixId, String classId, String chunk, boolean kept) {}
