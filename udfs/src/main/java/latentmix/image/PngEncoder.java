package latentmix.image;

import java.awt.Point;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Encodes pixels as PNG files of 8-bit RGB with pixel chunks only. Equal pixels give equal bytes. */
public final class PngEncoder {
    private PngEncoder() {}

    public static byte[] encode(Pixels pixels) {
        BufferedImage image = new BufferedImage(pixels.width(), pixels.height(), BufferedImage.TYPE_3BYTE_BGR);
        int[] offsets = {0, 1, 2};
        image.getRaster()
                .setRect(Raster.createInterleavedRaster(
                        new DataBufferByte(pixels.rgb(), pixels.rgb().length),
                        pixels.width(),
                        pixels.height(),
                        3 * pixels.width(),
                        3,
                        offsets,
                        new Point()));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageWriter writer = Codec.writer(Codec.PNG_WRITER);
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
            writer.setOutput(out);
            writer.write(image);
        } catch (IOException e) {
            throw new UncheckedIOException("Writing to memory cannot fail", e);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }
}
