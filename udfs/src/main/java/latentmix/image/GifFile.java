package latentmix.image;

import static latentmix.image.UnreadableImage.Reason.BROKEN;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import javax.imageio.ImageReader;
import latentmix.codec.LittleEndian;

/**
 * A GIF file walked block by block to the end of its first frame (<a
 * href="https://www.w3.org/Graphics/GIF/spec-gif89a.txt">GIF89a</a>), which is shown at (left, top) of a white screen.
 */
record GifFile(byte[] file, int screenWidth, int screenHeight, int left, int top) {
    static GifFile parse(byte[] file) throws UnreadableImage {
        ByteBuffer in = LittleEndian.wrap(file).position(6);
        int screenWidth = in.getShort() & 0xffff;
        int screenHeight = in.getShort() & 0xffff;
        int flags = ImageDecoder.take(in, 3).get(0);
        skipColourTable(in, flags);
        for (int block = in.get(); block != 0x2c; block = in.get()) {
            if (block != 0x21) {
                throw new UnreadableImage(BROKEN, "expected a frame, found block 0x%02x".formatted(block & 0xff));
            }
            in.get(); // an extension's label
            skipSubBlocks(in);
        }
        ByteBuffer frame = ImageDecoder.take(in, 9);
        int left = frame.getShort() & 0xffff;
        int top = frame.getShort() & 0xffff;
        int width = frame.getShort() & 0xffff;
        int height = frame.getShort() & 0xffff;
        skipColourTable(in, frame.get());
        in.get(); // the code size
        skipSubBlocks(in);
        return new GifFile(file, Math.max(screenWidth, left + width), Math.max(screenHeight, top + height), left, top);
    }

    private static void skipColourTable(ByteBuffer in, int flags) {
        ImageDecoder.take(in, (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1));
    }

    private static void skipSubBlocks(ByteBuffer in) {
        for (int length = in.get() & 0xff; length > 0; length = in.get() & 0xff) {
            ImageDecoder.take(in, length);
        }
    }

    Pixels decode(long maxPixels) throws UnreadableImage, IOException {
        ImageDecoder.checkSize(screenWidth, screenHeight, maxPixels);
        ImageReader reader = Codec.reader(Codec.GIF, file);
        Pixels frame = ImageDecoder.flatten(reader.read(0), ColourProfile.of(new byte[0], 3));
        byte[] rgb = new byte[3 * screenWidth * screenHeight];
        Arrays.fill(rgb, (byte) 0xff);
        for (int y = 0; y < frame.height(); y++) {
            int to = 3 * ((top + y) * screenWidth + left);
            System.arraycopy(frame.rgb(), 3 * y * frame.width(), rgb, to, 3 * frame.width());
        }
        return new Pixels(screenWidth, screenHeight, rgb);
    }
}
