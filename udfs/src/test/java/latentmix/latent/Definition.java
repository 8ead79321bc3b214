package latentmix.latent;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The method's definition, word for word and slow: every input split by itself, every transform by its sum of cosines.
 */
final class Definition {
    private Definition() {}

    static double[] mix(String method, Shape shape, List<double[]> inputs, double[] w, double[] mu, double shared) {
        String norm = method.substring(0, method.indexOf('/'));
        String split = method.replaceAll(".*/|@.*", "");
        String scope = method.contains("@") ? method.substring(method.indexOf('@')) : "";
        int size = shape.size();
        double[] d = new double[size];
        double[] r = new double[size];
        int[] units = units(scope, split, shape);
        int count = Arrays.stream(units).max().getAsInt() + 1;
        double[] inputNorms = new double[count];
        double squares = Arrays.stream(w).map(x -> x * x).sum();
        for (int i = 0; i < w.length; i++) {
            double[] z = inputs.get(i);
            double[] di = deterministic(split, shape, z, mu);
            double[] ri =
                    IntStream.range(0, size).mapToDouble(p -> z[p] - di[p]).toArray();
            double[] norms = norms(scope.equals("@band") ? dct(shape, ri) : ri, units, count);
            for (int u = 0; u < count; u++) {
                inputNorms[u] += w[i] * norms[u];
            }
            for (int p = 0; p < size; p++) {
                d[p] += w[i] * di[p];
                r[p] += w[i] * ri[p];
            }
        }
        double[] x = scope.equals("@band") ? dct(shape, r) : r;
        double[] norms = norms(x, units, count);
        for (int p = 0; p < size; p++) {
            int u = units[p];
            if (u >= 0) {
                double n = Arrays.stream(units).filter(v -> v == u).count();
                double target =
                        switch (norm) {
                            case "lin" -> norms[u];
                            case "fix" -> Math.sqrt(n);
                            case "nin" -> inputNorms[u];
                            case "lol" -> norms[u] / Math.sqrt((squares - shared) / (1 - shared));
                            case "ess" -> squares * inputNorms[u] + (1 - squares) * Math.sqrt(n);
                            case "coh" ->
                                Math.sqrt(norms[u] * norms[u] + (1 - Math.pow(norms[u] / inputNorms[u], 2)) * n);
                            default -> throw new AssertionError(norm);
                        };
                x[p] *= target / norms[u];
            }
        }
        double[] scaled = scope.equals("@band") ? idct(shape, x) : x;
        return IntStream.range(0, size).mapToDouble(p -> d[p] + scaled[p]).toArray();
    }

    private static double[] norms(double[] x, int[] units, int count) {
        double[] norms = new double[count];
        for (int p = 0; p < x.length; p++) {
            if (units[p] >= 0) {
                norms[units[p]] += x[p] * x[p];
            }
        }
        return Arrays.stream(norms).map(Math::sqrt).toArray();
    }

    private static int[] units(String scope, String split, Shape shape) {
        int[] units = new int[shape.size()];
        for (int p = 0; p < units.length; p++) {
            int channel = p / shape.plane();
            int band = band(shape, p);
            units[p] = switch (scope) {
                case "" -> 0;
                case "@channel" -> channel;
                default -> band < (split.equals("lp") ? 2 : 1) ? -1 : 4 * channel + band;
            };
        }
        return units;
    }

    private static int band(Shape shape, int p) {
        int u = p % shape.plane() / shape.width();
        int v = p % shape.width();
        double f = (double) u / shape.height() + (double) v / shape.width();
        return f == 0 ? 0 : f <= 0.25 + 1e-12 ? 1 : f <= 0.625 + 1e-12 ? 2 : 3;
    }

    private static double[] deterministic(String split, Shape shape, double[] z, double[] mu) {
        double[] x = dct(shape, z);
        int plane = shape.plane();
        return switch (split) {
            case "0" -> new double[z.length];
            case "m" ->
                IntStream.range(0, z.length)
                        .mapToDouble(p -> mean(z, 0, z.length))
                        .toArray();
            case "chm" ->
                IntStream.range(0, z.length)
                        .mapToDouble(p -> mean(z, p / plane * plane, p / plane * plane + plane))
                        .toArray();
            case "lp" ->
                idct(
                        shape,
                        IntStream.range(0, x.length)
                                .mapToDouble(p -> band(shape, p) <= 1 ? x[p] : 0)
                                .toArray());
            case "cmm" -> mu;
            default -> throw new AssertionError(split);
        };
    }

    private static double mean(double[] z, int from, int to) {
        return Arrays.stream(z, from, to).average().orElseThrow();
    }

    static double[] dct(Shape shape, double[] z) {
        double[] x = new double[z.length];
        for (int p = 0; p < z.length; p++) {
            for (int q = p / shape.plane() * shape.plane(); q < (p / shape.plane() + 1) * shape.plane(); q++) {
                x[p] += z[q] * basis(shape, p, q);
            }
        }
        return x;
    }

    static double[] idct(Shape shape, double[] x) {
        double[] z = new double[x.length];
        for (int p = 0; p < x.length; p++) {
            for (int q = p / shape.plane() * shape.plane(); q < (p / shape.plane() + 1) * shape.plane(); q++) {
                z[q] += x[p] * basis(shape, p, q);
            }
        }
        return z;
    }

    /** Pattern of coefficient p at position q of one channel. */
    private static double basis(Shape shape, int p, int q) {
        int h = shape.height();
        int w = shape.width();
        return cosine(h, p % shape.plane() / w, q % shape.plane() / w) * cosine(w, p % w, q % w);
    }

    private static double cosine(int n, int u, int i) {
        return Math.sqrt((u == 0 ? 1.0 : 2.0) / n) * Math.cos(Math.PI * (i + 0.5) * u / n);
    }
}
