package latentmix.metric;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import latentmix.Golden;

/** Feature vectors of the tests of metrics. */
final class Features {
    private static final Golden GOLDEN = Golden.open("frechet");

    private Features() {}

    /** The rows of a reference matrix. */
    static List<double[]> golden(String name) {
        int width = Math.toIntExact(GOLDEN.shape(name).get(1));
        double[] values = GOLDEN.doubles(name);
        return IntStream.range(0, values.length / width)
                .mapToObj(i -> Arrays.copyOfRange(values, i * width, (i + 1) * width))
                .toList();
    }

    static double[] goldenValues(String name) {
        return GOLDEN.doubles(name);
    }

    /** The reference numbers. */
    static JsonNode numbers() {
        try {
            return new ObjectMapper()
                    .readTree(Golden.folder("frechet").resolve("golden.json").toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static GaussianStatistics statistics(List<double[]> rows) {
        GaussianStatistics statistics = new GaussianStatistics(rows.get(0).length);
        rows.forEach(statistics::add);
        return statistics;
    }
}
