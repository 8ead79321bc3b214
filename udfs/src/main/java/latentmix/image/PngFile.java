package latentmix.image;

import static latentmix.image.UnreadableImage.Reason.BROKEN;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.zip.CRC32;
import javax.imageio.ImageReader;

/**
 * A PNG file walked chunk by chunk to IEND (<a href="https://www.w3.org/TR/png-3/#5Chunk-layout">PNG</a>, 5.3), with
 * the chunks that make pixels only: their checksums hold, and no text or profile is left to inflate.
 */
record PngFile(byte[] stream, Orientation orientation) {
    private static final Set<String> PIXELS = Set.of("IHDR", "PLTE", "tRNS", "IDAT", "IEND");

    static PngFile parse(byte[] file) throws UnreadableImage {
        ByteBuffer in = ByteBuffer.wrap(file);
        ByteArrayOutputStream stream = new ByteArrayOutputStream(file.length);
        stream.write(file, 0, 8);
        in.position(8);
        Orientation orientation = Orientation.UPRIGHT;
        for (String type = ""; !type.equals("IEND"); ) {
            int start = in.position();
            long length = in.getInt() & 0xffffffffL;
            ByteBuffer chunk = ImageDecoder.take(in, 4 + length);
            int checksum = in.getInt();
            type = ImageDecoder.latin1(chunk, 4);
            if (PIXELS.contains(type)) {
                CRC32 crc = new CRC32();
                crc.update(chunk);
                if ((int) crc.getValue() != checksum) {
                    throw new UnreadableImage(BROKEN, "the checksum of chunk " + type + " is wrong");
                }
                stream.write(file, start, in.position() - start);
            } else if (type.equals("eXIf")) {
                orientation = Orientation.ofExif(chunk.position(4).slice());
            }
        }
        return new PngFile(stream.toByteArray(), orientation);
    }

    Pixels decode(long maxPixels) throws UnreadableImage, IOException {
        ImageReader reader = Codec.reader(Codec.PNG, stream);
        ImageDecoder.checkSize(reader.getWidth(0), reader.getHeight(0), maxPixels);
        return orientation.upright(ImageDecoder.flatten(reader.read(0)));
    }
}
