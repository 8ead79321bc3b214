package latentmix.image;

import static latentmix.image.UnreadableImage.Reason.BROKEN;
import static latentmix.image.UnreadableImage.Reason.UNSUPPORTED;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import javax.imageio.ImageReader;
import latentmix.codec.LittleEndian;

/**
 * A WebP file walked chunk by chunk (<a href="https://developers.google.com/speed/webp/docs/riff_container">RIFF
 * container</a>); of an animation the first frame. The colour profile counts if the header says that there is one, and
 * is switched off there for the codec, which would apply it too; the codec does not interpolate chroma (as {@code dwebp
 * -nofancy}).
 */
record WebpFile(byte[] stream, ColourProfile profile, Orientation orientation) {
    static WebpFile parse(byte[] file) throws UnreadableImage {
        byte[] stream = file.clone();
        ByteBuffer in = LittleEndian.wrap(stream).position(4);
        ByteBuffer riff = ImageDecoder.take(in, in.getInt() & 0xffffffffL).position(4);
        Orientation orientation = Orientation.UPRIGHT;
        byte[] icc = new byte[0];
        boolean hasProfile = false;
        boolean image = false;
        while (riff.remaining() >= 8) {
            String type = ImageDecoder.latin1(riff.slice(), 4);
            riff.position(riff.position() + 4);
            ByteBuffer chunk = ImageDecoder.take(riff, riff.getInt() & 0xffffffffL);
            image |= type.matches("VP8 |VP8L|ANMF");
            if (type.equals("VP8X")) {
                hasProfile = (chunk.get(0) & 0x20) != 0;
                chunk.put(0, (byte) (chunk.get(0) & ~0x20));
            } else if (type.equals("ICCP") && hasProfile) {
                icc = new byte[chunk.remaining()];
                chunk.duplicate().get(icc);
            } else if (type.equals("EXIF")) {
                boolean prefixed = ImageDecoder.latin1(chunk, 6).equals("Exif\0\0");
                orientation =
                        Orientation.ofExif(chunk.position(prefixed ? 6 : 0).slice());
            }
            riff.position(Math.min(riff.limit(), riff.position() + (chunk.limit() & 1)));
        }
        if (!image) {
            throw new UnreadableImage(BROKEN, "expected a VP8 or VP8L chunk, the file has none");
        }
        return new WebpFile(stream, ColourProfile.of(icc, 3), orientation);
    }

    Pixels decode(long maxPixels) throws UnreadableImage, IOException {
        ImageReader reader = Codec.reader(Codec.WEBP, stream);
        ImageDecoder.checkSize(reader.getWidth(0), reader.getHeight(0), maxPixels);
        List<String> warnings = ImageDecoder.warnings(reader);
        BufferedImage image = reader.read(0);
        for (String warning : warnings) {
            if (warning.contains("alpha") || warning.contains("Nothing to decode")) {
                throw new UnreadableImage(UNSUPPORTED, warning);
            }
        }
        return orientation.upright(ImageDecoder.flatten(image, profile));
    }
}
