package latentmix.dataset;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import latentmix.image.Pixels;

/**
 * An IDX file of bytes, gzipped or not: the format of MNIST and Fashion-MNIST.
 *
 * <p><a href="https://github.com/zalandoresearch/fashion-mnist#get-the-data">Layout</a>: two zero bytes, the type (8:
 * unsigned bytes), the number of dimensions, each as a big-endian int, the values.
 *
 * @param shape extents, the first counts the items
 * @param values row-major
 */
public record IdxFile(int[] shape, byte[] values) {
    private static final int UNSIGNED_BYTES = 8;

    /** Reads a file whole. */
    public static IdxFile read(Path file) throws IOException {
        try (DataInputStream in = new DataInputStream(plain(file))) {
            int magic = in.readInt();
            if (magic >>> 8 != UNSIGNED_BYTES) {
                throw new IOException("expected an IDX file of unsigned bytes, got other bytes in " + file);
            }
            int[] shape = new int[magic & 0xff];
            long size = 1;
            for (int i = 0; i < shape.length; i++) {
                shape[i] = in.readInt();
                size = Math.multiplyExact(size, (long) shape[i]);
            }
            byte[] values = in.readNBytes(Math.toIntExact(size));
            if (values.length < size || in.read() >= 0) {
                throw new IOException(
                        "expected " + size + " values in " + file + ", got another number; fetch it again");
            }
            return new IdxFile(shape, values);
        } catch (EOFException e) {
            throw new IOException("expected an IDX file, but " + file + " ends in its header", e);
        }
    }

    private static InputStream plain(Path file) throws IOException {
        InputStream bytes = new BufferedInputStream(Files.newInputStream(file));
        return file.toString().endsWith(".gz") ? new GZIPInputStream(bytes) : bytes;
    }

    /** An item of a file of shape (items, height, width), grey, with a black border. */
    public Pixels grey(int item, int border) {
        int height = shape[1];
        int width = shape[2];
        int side = width + 2 * border;
        byte[] rgb = new byte[3 * side * (height + 2 * border)];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                byte grey = values[(item * height + y) * width + x];
                int at = 3 * ((y + border) * side + x + border);
                rgb[at] = grey;
                rgb[at + 1] = grey;
                rgb[at + 2] = grey;
            }
        }
        return new Pixels(side, height + 2 * border, rgb);
    }
}
