package latentmix.image;

import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.ColorConvertOp;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The way from a file's colours to sRGB by its embedded profile (<a
 * href="https://www.color.org/specification/ICC.1-2022-05.pdf">ICC.1</a>), as Java's LittleCMS goes: perceptual intent,
 * no black point compensation, which is what Pillow's profileToProfile does. A profile that is broken or meant for
 * other components is ignored, as browsers do, and so is one that says sRGB.
 *
 * <p>Each decoding makes its own, which is of one thread.
 */
final class ColourProfile {
    /** Colours left as they are; grey has equal ones. */
    private static final ColourProfile SRGB = new ColourProfile(3, null);

    /** Inks that each take away their share of light: (m - c)(m - k) / m for the largest value m. */
    private static final ColourProfile INKS = new ColourProfile(4, null);

    /** A profile is sRGB's if it moves no colour by more levels: the many copies of sRGB's differ by rounding. */
    private static final int SRGB_TOLERANCE = 2;

    private static final int PROBES_A_SIDE = 9;
    private static final int INTENT_AT = 64;
    private static final int CLASS_AT = 12;
    private static final int MONITOR = 0x6d6e7472; // "mntr"
    private static final int HEADER = 128;

    private final int components;
    private final ColorConvertOp conversion;

    private ColourProfile(int components, ColorConvertOp conversion) {
        this.components = components;
        this.conversion = conversion;
    }

    /**
     * The profile of a file whose pixels have so many colour components. Grey pixels may have a profile of RGB.
     *
     * @param icc empty where the file has none
     */
    static ColourProfile of(byte[] icc, int fileComponents) {
        ColourProfile plain = fileComponents == 4 ? INKS : SRGB;
        if (icc.length < HEADER) {
            return plain;
        }
        try {
            // Java takes a printer's profile as colorimetric and the others by their headers.
            byte[] perceptual = icc.clone();
            ByteBuffer header = ByteBuffer.wrap(perceptual).order(ByteOrder.BIG_ENDIAN);
            header.putInt(INTENT_AT, ICC_Profile.icPerceptual);
            if (header.getInt(CLASS_AT) == ICC_Profile.icSigOutputClass) {
                header.putInt(CLASS_AT, MONITOR);
            }
            ICC_Profile from = ICC_Profile.getInstance(perceptual);
            int components =
                    switch (from.getColorSpaceType()) {
                        case ColorSpace.TYPE_GRAY -> 1;
                        case ColorSpace.TYPE_RGB -> 3;
                        case ColorSpace.TYPE_CMYK -> 4;
                        default -> 0;
                    };
            if (components != fileComponents && !(components == 3 && fileComponents == 1)) {
                return plain;
            }
            ICC_Profile to = ICC_Profile.getInstance(ColorSpace.CS_sRGB);
            ColourProfile profile =
                    new ColourProfile(components, new ColorConvertOp(new ICC_Profile[] {from, to}, null));
            return profile.movesColours() ? profile : plain;
        } catch (RuntimeException broken) {
            return plain;
        }
    }

    private boolean movesColours() {
        int side = components == 1 ? 256 : PROBES_A_SIDE;
        int[] probes = new int[components * (int) Math.pow(side, components)];
        for (int i = 0; i < probes.length; i++) {
            int place = (int) Math.pow(side, i % components);
            probes[i] = 255 * (i / components / place % side) / (side - 1);
        }
        int[] srgb = toSrgb(probes, components, components, 255);
        boolean moved = components == 4;
        for (int i = 0; i < srgb.length; i++) {
            moved |= Math.abs(srgb[i] - probes[components == 1 ? i / 3 : i % probes.length]) > SRGB_TOLERANCE;
        }
        return moved;
    }

    /**
     * Pixels in sRGB.
     *
     * @param samples (pixels, bands) from 0 to most, of which the first bands are colours; of CMYK the inks
     * @param most 255 or 65535
     * @return (pixels, 3) from 0 to most
     */
    int[] toSrgb(int[] samples, int bands, int colours, int most) {
        int pixels = samples.length / bands;
        int[] picked = new int[pixels * components];
        for (int i = 0; i < picked.length; i++) {
            picked[i] = samples[i / components * bands + i % components % colours];
        }
        if (this == SRGB) {
            return picked;
        }
        return this == INKS ? inksToRgb(picked, most) : convert(picked, pixels, most);
    }

    private static int[] inksToRgb(int[] cmyk, int most) {
        int[] rgb = new int[cmyk.length / 4 * 3];
        for (int i = 0; i < rgb.length; i++) {
            int light = most - cmyk[i / 3 * 4 + i % 3];
            rgb[i] = (int) (((long) light * (most - cmyk[i / 3 * 4 + 3]) + most / 2) / most);
        }
        return rgb;
    }

    private int[] convert(int[] samples, int pixels, int most) {
        int type = most > 255 ? DataBuffer.TYPE_USHORT : DataBuffer.TYPE_BYTE;
        WritableRaster from = Raster.createInterleavedRaster(type, pixels, 1, components, null);
        WritableRaster to = Raster.createInterleavedRaster(type, pixels, 1, 3, null);
        from.setPixels(0, 0, pixels, 1, samples);
        conversion.filter(from, to);
        return to.getPixels(0, 0, pixels, 1, (int[]) null);
    }
}
