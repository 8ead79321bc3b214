package latentmix.latent;

/**
 * Sums over stretches of an array, in eight interleaved partial sums: as fast as the processor loads, in an order that
 * never changes.
 */
final class Vectors {
    private Vectors() {}

    static double norm(double[] x, int from, int length) {
        return Math.sqrt(dot(x, from, x, from, length));
    }

    static double dot(double[] x, int xFrom, double[] y, int yFrom, int length) {
        double s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
        int p = 0;
        for (; p + 8 <= length; p += 8) {
            int i = xFrom + p;
            int j = yFrom + p;
            s0 += x[i] * y[j];
            s1 += x[i + 1] * y[j + 1];
            s2 += x[i + 2] * y[j + 2];
            s3 += x[i + 3] * y[j + 3];
            s4 += x[i + 4] * y[j + 4];
            s5 += x[i + 5] * y[j + 5];
            s6 += x[i + 6] * y[j + 6];
            s7 += x[i + 7] * y[j + 7];
        }
        for (; p < length; p++) {
            s0 += x[xFrom + p] * y[yFrom + p];
        }
        return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));
    }

    static double mean(double[] x, int from, int length) {
        double s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
        int p = 0;
        for (; p + 8 <= length; p += 8) {
            int i = from + p;
            s0 += x[i];
            s1 += x[i + 1];
            s2 += x[i + 2];
            s3 += x[i + 3];
            s4 += x[i + 4];
            s5 += x[i + 5];
            s6 += x[i + 6];
            s7 += x[i + 7];
        }
        for (; p < length; p++) {
            s0 += x[from + p];
        }
        return (((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))) / length;
    }

    /** y = x less the mean of this stretch of x */
    static void centre(double[] x, double[] y, int from, int length) {
        double mean = mean(x, from, length);
        for (int p = from; p < from + length; p++) {
            y[p] = x[p] - mean;
        }
    }

    /** y += a·x */
    static void addScaled(double a, double[] x, double[] y) {
        addScaled(a, x, y, 0, y.length);
    }

    /** y += a·x over one stretch of both */
    static void addScaled(double a, double[] x, double[] y, int from, int length) {
        for (int p = from; p < from + length; p++) {
            y[p] = Math.fma(a, x[p], y[p]);
        }
    }

    /** x / a */
    static double[] quotient(double[] x, double a) {
        var quotient = new double[x.length];
        for (int p = 0; p < x.length; p++) {
            quotient[p] = x[p] / a;
        }
        return quotient;
    }

    /** x - y */
    static double[] difference(double[] x, double[] y) {
        var difference = new double[x.length];
        difference(x, y, difference);
        return difference;
    }

    /** d = x - y */
    static void difference(double[] x, double[] y, double[] d) {
        for (int p = 0; p < x.length; p++) {
            d[p] = x[p] - y[p];
        }
    }
}
