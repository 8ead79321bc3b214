package latentmix.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The way a camera was held: EXIF tag 0x0112 (<a
 * href="https://www.cipa.jp/std/documents/e/DC-X008-Translation-2019-E.pdf">Exif 2.32</a>, 4.6.4). Constants stand in
 * the order of the tag's values 1 to 8 and say what makes the stored image upright.
 */
enum Orientation {
    UPRIGHT,
    MIRROR,
    TURN_180,
    FLIP,
    TRANSPOSE,
    TURN_RIGHT,
    TRANSVERSE,
    TURN_LEFT;

    private static final int TAG = 0x0112;

    /**
     * The orientation that an EXIF block (a TIFF header and directory) gives; a missing or damaged one turns nothing.
     */
    static Orientation ofExif(ByteBuffer tiff) {
        tiff.order(ImageDecoder.latin1(tiff, 2).equals("II") ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        try {
            int directory = tiff.getInt(4);
            int entries = tiff.getShort(directory) & 0xffff;
            for (int entry = directory + 2; entry < directory + 2 + 12 * entries; entry += 12) {
                if (tiff.getShort(entry) == TAG) {
                    int value = tiff.getShort(entry + 2) == 4 ? tiff.getInt(entry + 8) : tiff.getShort(entry + 8);
                    return values()[value - 1];
                }
            }
        } catch (IndexOutOfBoundsException damaged) {
            return UPRIGHT;
        }
        return UPRIGHT;
    }

    /** The pixels as they are to be seen. */
    Pixels upright(Pixels stored) {
        if (this == UPRIGHT) {
            return stored;
        }
        boolean turned = compareTo(TRANSPOSE) >= 0;
        int width = turned ? stored.height() : stored.width();
        int height = turned ? stored.width() : stored.height();
        byte[] rgb = new byte[3 * width * height];
        for (int y = 0, i = 0; y < height; y++) {
            for (int x = 0; x < width; x++, i += 3) {
                int right = stored.width() - 1;
                int bottom = stored.height() - 1;
                int from =
                        switch (this) {
                            case UPRIGHT -> y * stored.width() + x;
                            case MIRROR -> y * stored.width() + right - x;
                            case TURN_180 -> (bottom - y) * stored.width() + right - x;
                            case FLIP -> (bottom - y) * stored.width() + x;
                            case TRANSPOSE -> x * stored.width() + y;
                            case TURN_RIGHT -> (bottom - x) * stored.width() + y;
                            case TRANSVERSE -> (bottom - x) * stored.width() + right - y;
                            case TURN_LEFT -> x * stored.width() + right - y;
                        };
                System.arraycopy(stored.rgb(), 3 * from, rgb, i, 3);
            }
        }
        return new Pixels(width, height, rgb);
    }
}
