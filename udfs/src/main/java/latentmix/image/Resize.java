package latentmix.image;

/**
 * Pillow's antialiased bicubic resampling (a = -0.5), byte for byte: one axis after the other, each output a weighted
 * sum of the inputs under the filter, which is stretched by the reduction; weights have 22 fractional bits and either
 * pass rounds to bytes (<a
 * href="https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c">Resample.c</a>).
 */
public final class Resize {
    private static final int PRECISION_BITS = 22;
    private static final double SUPPORT = 2;

    private Resize() {}

    /**
     * Resizes the short side to size and the long side to ⌊size · long / short⌋, then cuts out the centre square, as
     * the image processors of CLIP and Stable Diffusion do; nothing outside the square is computed.
     */
    public static Pixels square(Pixels pixels, int size) {
        return square(pixels, size, size);
    }

    /** Where the centre square begins in the resized image. */
    public record Corner(long left, long top) {}

    /** Where the square begins that {@link #square(Pixels, int, int)} cuts out of an image of this width and height. */
    public static Corner corner(int width, int height, int size, int side) {
        return new Corner((resized(width, height, size) - side) / 2, (resized(height, width, size) - side) / 2);
    }

    /** The length of a side once the shorter one is size. */
    private static long resized(int length, int other, int size) {
        return size * (long) length / Math.min(length, other);
    }

    /** Resizes the short side to size, then cuts out the centre square of another side, which is at most size. */
    public static Pixels square(Pixels pixels, int size, int side) {
        if (side > size) {
            throw new IllegalArgumentException(
                    "The side of the square must be at most the short side, " + size + ", cannot be: " + side);
        }
        int width = pixels.width();
        int height = pixels.height();
        Corner corner = corner(width, height, size, side);
        return resample(
                pixels,
                Axis.of(width, resized(width, height, size), corner.left(), side),
                Axis.of(height, resized(height, width, size), corner.top(), side));
    }

    /** The whole image at another size. */
    public static Pixels to(Pixels pixels, int width, int height) {
        return resample(pixels, Axis.of(pixels.width(), width, 0, width), Axis.of(pixels.height(), height, 0, height));
    }

    private static Pixels resample(Pixels pixels, Axis columns, Axis rows) {
        int top = rows.first[0];
        int needed = rows.first[rows.size() - 1] + rows.weights[rows.size() - 1].length - top;
        byte[] turned = pass(pixels.rgb(), top, needed, pixels.width(), columns, 0);
        return new Pixels(columns.size(), rows.size(), pass(turned, 0, columns.size(), needed, rows, top));
    }

    /**
     * Resamples along the lines of (…, length, 3) and turns the result, so that the other axis is next.
     *
     * @param origin the axis' coordinate of a line's first element
     * @return (axis.size, lines, 3)
     */
    private static byte[] pass(byte[] in, int firstLine, int lines, int length, Axis axis, int origin) {
        byte[] out = new byte[3 * lines * axis.size()];
        for (int line = 0; line < lines; line++) {
            int start = 3 * ((firstLine + line) * length - origin);
            for (int position = 0; position < axis.size(); position++) {
                int[] weights = axis.weights[position];
                int red = 1 << (PRECISION_BITS - 1);
                int green = red;
                int blue = red;
                int from = start + 3 * axis.first[position];
                for (int weight : weights) {
                    red += weight * (in[from++] & 0xff);
                    green += weight * (in[from++] & 0xff);
                    blue += weight * (in[from++] & 0xff);
                }
                int to = 3 * (position * lines + line);
                out[to] = clip(red);
                out[to + 1] = clip(green);
                out[to + 2] = clip(blue);
            }
        }
        return out;
    }

    private static byte clip(int sum) {
        return (byte) Math.min(Math.max(sum >> PRECISION_BITS, 0), 255);
    }

    /** The weights of one axis: for each output position the first input, and the weights from there on. */
    private record Axis(int[] first, int[][] weights) {
        /** The axis that stretches inputs to size, of which the outputs offset … offset + count - 1 are computed. */
        static Axis of(int inputs, long size, long offset, int count) {
            double scale = (double) inputs / size;
            double stretch = Math.max(scale, 1);
            int[] first = new int[count];
            int[][] weights = new int[count][];
            for (int i = 0; i < count; i++) {
                double centre = (offset + i + 0.5) * scale;
                first[i] = Math.max((int) (centre - SUPPORT * stretch + 0.5), 0);
                int end = Math.min((int) (centre + SUPPORT * stretch + 0.5), inputs);
                double[] values = new double[end - first[i]];
                double sum = 0;
                for (int k = 0; k < values.length; k++) {
                    values[k] = bicubic((k + first[i] - centre + 0.5) * (1 / stretch));
                    sum += values[k];
                }
                weights[i] = new int[values.length];
                for (int k = 0; k < values.length; k++) {
                    double scaled = values[k] / sum * (1 << PRECISION_BITS);
                    weights[i][k] = (int) (scaled < 0 ? scaled - 0.5 : scaled + 0.5);
                }
            }
            return new Axis(first, weights);
        }

        int size() {
            return first.length;
        }

        private static double bicubic(double offset) {
            double a = -0.5;
            double x = Math.abs(offset);
            if (x < 1) {
                return ((a + 2) * x - (a + 3)) * x * x + 1;
            }
            return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
        }
    }
}
