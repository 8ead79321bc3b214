package latentmix.image;

import static latentmix.image.UnreadableImage.Reason.BROKEN;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.InflaterInputStream;
import javax.imageio.ImageReader;

/**
 * A PNG file walked chunk by chunk to IEND (<a href="https://www.w3.org/TR/png-3/#5Chunk-layout">PNG</a>, 5.3), with
 * the chunks that make pixels only: their checksums hold, and no text is left to inflate.
 */
record PngFile(byte[] stream, ColourProfile profile, Orientation orientation) {
    private static final Set<String> PIXELS = Set.of("IHDR", "PLTE", "tRNS", "IDAT", "IEND");

    private static final int LARGEST_PROFILE = 1 << 24;

    static PngFile parse(byte[] file) throws UnreadableImage {
        ByteBuffer in = ByteBuffer.wrap(file);
        ByteArrayOutputStream stream = new ByteArrayOutputStream(file.length);
        stream.write(file, 0, 8);
        in.position(8);
        Orientation orientation = Orientation.UPRIGHT;
        byte[] icc = new byte[0];
        boolean grey = false;
        for (String type = ""; !type.equals("IEND"); ) {
            int start = in.position();
            long length = in.getInt() & 0xffffffffL;
            ByteBuffer chunk = ImageDecoder.take(in, 4 + length);
            int checksum = in.getInt();
            type = ImageDecoder.latin1(chunk, 4);
            CRC32 crc = new CRC32();
            crc.update(chunk.duplicate());
            boolean sound = (int) crc.getValue() == checksum;
            if (type.equals("IHDR")) {
                grey = (ImageDecoder.take(chunk.position(4), 13).get(9) & 2) == 0;
            }
            if (PIXELS.contains(type)) {
                if (!sound) {
                    throw new UnreadableImage(BROKEN, "the checksum of chunk " + type + " is wrong");
                }
                stream.write(file, start, in.position() - start);
            } else if (type.equals("iCCP") && sound && icc.length == 0) {
                icc = profile(chunk.position(4).slice());
            } else if (type.equals("eXIf")) {
                orientation = Orientation.ofExif(chunk.position(4).slice());
            }
        }
        return new PngFile(stream.toByteArray(), ColourProfile.of(icc, grey ? 1 : 3), orientation);
    }

    /** The profile of an iCCP chunk: a name, a zero, the method 0 and a zlib stream. Empty if that is damaged. */
    private static byte[] profile(ByteBuffer chunk) {
        while (chunk.hasRemaining() && chunk.get() != 0) {}
        if (!chunk.hasRemaining() || chunk.get() != 0) {
            return new byte[0];
        }
        byte[] deflated = new byte[chunk.remaining()];
        chunk.get(deflated);
        try (InputStream in = new InflaterInputStream(new ByteArrayInputStream(deflated))) {
            return in.readNBytes(LARGEST_PROFILE);
        } catch (IOException damaged) {
            return new byte[0];
        }
    }

    Pixels decode(long maxPixels) throws UnreadableImage, IOException {
        ImageReader reader = Codec.reader(Codec.PNG, stream);
        ImageDecoder.checkSize(reader.getWidth(0), reader.getHeight(0), maxPixels);
        return orientation.upright(ImageDecoder.flatten(reader.read(0), profile));
    }
}
