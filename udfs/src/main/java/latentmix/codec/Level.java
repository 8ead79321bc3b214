package latentmix.codec;

/**
 * One channel of a pixel: a level from 0 to 255 in a byte, and the number that a network takes for it.
 *
 * <pre>
 * signed = level / 255 · 2 - 1                      in [-1, 1], in float32
 * level  = clamp(signed / 2 + 0.5, 0, 1) · 255      rounded half to even
 * </pre>
 *
 * Both are those of diffusers' <a
 * href="https://github.com/huggingface/diffusers/blob/main/src/diffusers/image_processor.py">VaeImageProcessor</a>.
 */
public final class Level {
    private Level() {}

    /** The level as a number in [-1, 1]. */
    public static float signed(byte level) {
        return (level & 0xff) / 255f * 2 - 1;
    }

    /** The level of a number, which is nominally in [-1, 1] and not NaN. */
    public static byte of(float signed) {
        return (byte) Math.rint(Math.min(Math.max(signed / 2 + 0.5f, 0), 1) * 255);
    }

    /** The level of a number before it is rounded to a byte, in [0, 255]. */
    public static double unrounded(float signed) {
        return 127.5 * (1 + Math.max(-1, Math.min(1, signed)));
    }

    /** The level as a share of the largest one, in [0, 1]. */
    public static double share(byte level) {
        return (level & 0xff) / 255.0;
    }
}
