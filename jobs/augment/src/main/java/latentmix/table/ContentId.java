package latentmix.table;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** Ids made of content alone: the first 128 bits of a SHA-256 over length-prefixed parts, as 32 hex digits. */
public final class ContentId {
    private ContentId() {}

    /** The id of a sequence of strings; ("ab", "c") and ("a", "bc") differ. */
    public static String of(String... parts) {
        return of(List.of(parts));
    }

    /** The id of a sequence of strings. */
    public static String of(List<String> parts) {
        MessageDigest digest = sha256();
        for (String part : parts) {
            update(digest, part.getBytes(StandardCharsets.UTF_8));
        }
        return hex(digest);
    }

    /** The id of a name and bytes, such as a class and an image file. */
    public static String of(String name, byte[] bytes) {
        MessageDigest digest = sha256();
        update(digest, name.getBytes(StandardCharsets.UTF_8));
        update(digest, bytes);
        return hex(digest);
    }

    private static void update(MessageDigest digest, byte[] part) {
        digest.update(ByteBuffer.allocate(Long.BYTES).putLong(part.length).array());
        digest.update(part);
    }

    private static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest(), 0, 16);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}
