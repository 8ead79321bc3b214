package latentmix.table;

/**
 * What a file's bytes are.
 *
 * @param path relative to the input root
 * @param length bytes
 * @param modified milliseconds since 1970, when it was read
 * @param imageId the id of these bytes in their class
 * @param digest the id of the bytes alone: the same in every class
 */
public record DigestRow(String path, long length, long modified, String imageId, String digest) {}
