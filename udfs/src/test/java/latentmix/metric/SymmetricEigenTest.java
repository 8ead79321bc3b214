package latentmix.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ludovic.netlib.lapack.LAPACK;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.netlib.util.intW;

class SymmetricEigenTest {
    private static final int WIDTH = 32;
    private static final int THREADS = 4;

    /** The second difference, whose eigenvalues are 2 - 2 cos(kπ / (D + 1)). */
    private static double[] secondDifference() {
        double[] matrix = new double[WIDTH * WIDTH];
        for (int i = 0; i < WIDTH; i++) {
            matrix[i * WIDTH + i] = 2;
            if (i > 0) {
                matrix[i * WIDTH + i - 1] = -1;
                matrix[(i - 1) * WIDTH + i] = -1;
            }
        }
        return matrix;
    }

    private static double[] eigenvalues() {
        return IntStream.rangeClosed(1, WIDTH)
                .mapToDouble(k -> 2 - 2 * Math.cos(k * Math.PI / (WIDTH + 1)))
                .toArray();
    }

    @Test
    void valuesAreThoseOfTheSecondDifference() {
        assertThat(SymmetricEigen.values(secondDifference(), WIDTH)).containsExactly(eigenvalues(), within(1e-13));
    }

    @Test
    void vectorsGiveTheMatrixBack() {
        double[] matrix = secondDifference();
        SymmetricEigen eigen = SymmetricEigen.of(matrix, WIDTH);
        for (int i = 0; i < WIDTH; i++) {
            for (int j = 0; j < WIDTH; j++) {
                double sum = 0;
                for (int k = 0; k < WIDTH; k++) {
                    sum += eigen.vectors()[k * WIDTH + i] * eigen.values()[k] * eigen.vectors()[k * WIDTH + j];
                }
                assertThat(sum).isCloseTo(matrix[i * WIDTH + j], within(1e-13));
            }
        }
    }

    /** Classes are loaded afresh every time, so that every round's first calls are a process's first calls. */
    @Test
    void threadsWhoseFirstCallsMeetGetTheSameValues() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS, task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true); // an iteration that never ends must not keep the process
            return thread;
        });
        try {
            for (int round = 0; round < 20; round++) {
                try (URLClassLoader fresh = afresh()) {
                    Method values = Class.forName(SymmetricEigen.class.getName(), false, fresh)
                            .getDeclaredMethod("values", double[].class, int.class);
                    values.setAccessible(true);
                    CyclicBarrier together = new CyclicBarrier(THREADS);
                    List<Future<double[]>> results = new ArrayList<>();
                    for (int i = 0; i < THREADS; i++) {
                        results.add(threads.submit(() -> {
                            together.await();
                            return (double[]) values.invoke(null, secondDifference(), WIDTH);
                        }));
                    }
                    for (Future<double[]> result : results) {
                        assertThat(result.get(30, TimeUnit.SECONDS)).containsExactly(eigenvalues(), within(1e-13));
                    }
                }
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static URLClassLoader afresh() throws IOException {
        URL[] places = Stream.of(SymmetricEigen.class, LAPACK.class, intW.class)
                .map(type -> type.getProtectionDomain().getCodeSource().getLocation())
                .toArray(URL[]::new);
        return new URLClassLoader(places, ClassLoader.getPlatformClassLoader());
    }
}
