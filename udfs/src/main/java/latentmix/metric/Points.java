package latentmix.metric;

import dev.ludovic.netlib.blas.BLAS;
import dev.ludovic.netlib.blas.JavaBLAS;
import java.util.List;

/**
 * Vectors of features as a matrix.
 *
 * @param values (count, width), row by row
 */
record Points(double[] values, int count, int width) {
    static final BLAS JAVA = JavaBLAS.getInstance();

    static Points of(List<float[]> rows, int width) {
        double[] values = new double[Math.multiplyExact(rows.size(), width)];
        for (int i = 0; i < rows.size(); i++) {
            float[] row = rows.get(i);
            for (int d = 0; d < width; d++) {
                values[i * width + d] = row[d];
            }
        }
        return new Points(values, rows.size(), width);
    }

    /** ⟨xᵢ, yⱼ⟩, (count, other.count). */
    double[] inner(Points other) {
        double[] products = new double[Math.multiplyExact(count, other.count)];
        if (count > 0 && other.count > 0) {
            JAVA.dgemm(
                    "T",
                    "N",
                    other.count,
                    count,
                    width,
                    1,
                    other.values,
                    width,
                    values,
                    width,
                    0,
                    products,
                    other.count);
        }
        return products;
    }

    /** ⟨xᵢ, xᵢ⟩. */
    double[] squares() {
        double[] squares = new double[count];
        for (int i = 0; i < count; i++) {
            for (int d = 0; d < width; d++) {
                squares[i] = Math.fma(values[i * width + d], values[i * width + d], squares[i]);
            }
        }
        return squares;
    }

    /** These points, each less a vector. */
    Points less(double[] mean) {
        double[] less = values.clone();
        for (int i = 0; i < count; i++) {
            for (int d = 0; d < width; d++) {
                less[i * width + d] -= mean[d];
            }
        }
        return new Points(less, count, width);
    }
}
