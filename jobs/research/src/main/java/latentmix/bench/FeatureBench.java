package latentmix.bench;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import latentmix.bench.FashionScores.Labelled;
import latentmix.latent.RecipeSampler;
import latentmix.metric.FrechetDistance;
import latentmix.metric.GaussianStatistics;
import latentmix.model.Torch;
import org.apache.commons.rng.UniformRandomProvider;

/**
 * This bench measures on one thread what metrics cost: the images a second of the built-in classifier, preprocessing
 * and Fréchet distance included, and one distance of 2,048 features, as many as Inception has.
 */
public final class FeatureBench {
    private static final int WIDTH = 2048;
    private static final int VECTORS = 64;

    private FeatureBench() {}

    /** Runs both in turn, once unmeasured, and prints the medians. */
    public static void run(int rounds, PrintStream out) {
        Torch.setThreadsPerTask(1);
        List<Labelled> images = FashionScores.sample();
        GaussianStatistics first = gaussians("first");
        GaussianStatistics second = gaussians("second");
        List<Double> scoring = new ArrayList<>();
        List<Double> distance = new ArrayList<>();
        try (FashionScores scores = FashionScores.open()) {
            for (int i = 0; i <= rounds; i++) {
                scoring.add(Stopwatch.seconds(() -> scores.of(images)));
                distance.add(Stopwatch.seconds(() -> FrechetDistance.between(first, second)));
            }
        }
        out.printf(
                "median of %d: %.0f images/s scored by the built-in classifier; Fréchet distance of "
                        + "%d features %.1f s%n",
                rounds,
                images.size() / Median.of(scoring.subList(1, scoring.size())),
                WIDTH,
                Median.of(distance.subList(1, distance.size())));
    }

    private static GaussianStatistics gaussians(String seed) {
        UniformRandomProvider random = RecipeSampler.rng("feature bench " + seed);
        GaussianStatistics statistics = new GaussianStatistics(WIDTH);
        for (int i = 0; i < VECTORS; i++) {
            statistics.add(random.doubles(WIDTH).toArray());
        }
        return statistics;
    }
}
