package latentmix.table;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * Which files of a local disk this JVM can name: a name is text, a disk has bytes, and {@code sun.jnu.encoding}, which
 * follows the locale, is between them.
 */
public final class FileNames {
    private static final String ENCODING = System.getProperty("sun.jnu.encoding", "UTF-8");

    private FileNames() {}

    /** A JVM whose encoding has no bytes for a name. */
    public static final class UnnameableException extends IOException {
        private UnnameableException(String name) {
            super(name + ": expected a process that can name this file, but its sun.jnu.encoding is " + ENCODING
                    + "; start it with LC_ALL=C.UTF-8, and executors with spark.executorEnv.LC_ALL=C.UTF-8");
        }
    }

    /**
     * Refuses a name that this JVM would spell otherwise on a local disk.
     *
     * @throws UnnameableException with what to do
     */
    public static void require(String name) throws UnnameableException {
        if (!canName(ENCODING, name)) {
            throw new UnnameableException(name);
        }
    }

    /** The encoding of names on this JVM's disks. */
    public static String encoding() {
        return ENCODING;
    }

    /** Whether a name is of ASCII alone, which every JVM can spell. */
    public static boolean isPlain(String name) {
        return name.chars().allMatch(c -> c < 0x80);
    }

    /** Whether a JVM of this encoding has bytes for a name. */
    public static boolean canName(String encoding, String name) {
        return isPlain(name) || Charset.forName(encoding).newEncoder().canEncode(name);
    }

    /**
     * Whether the text of a file's name names that file again. Where names are UTF-8 it does not if the file's has
     * other bytes.
     *
     * @throws UnnameableException if it does not because of this JVM
     */
    public static boolean isText(Path file) throws UnnameableException {
        String text = file.toString();
        try {
            if (Path.of(text).equals(file)) {
                return true;
            }
        } catch (InvalidPathException e) {
            // a replacement character that the encoding does not have
        }
        if (ENCODING.equals("UTF-8")) {
            return false;
        }
        throw new UnnameableException(text);
    }
}
