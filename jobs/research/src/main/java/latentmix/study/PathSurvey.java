package latentmix.study;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import latentmix.latent.BandEnergies;
import latentmix.latent.InputCount;
import latentmix.latent.Latent;
import latentmix.latent.LatentPool;
import latentmix.latent.Method;
import latentmix.latent.Mixer;
import latentmix.latent.Mixture;
import latentmix.latent.Recipe;
import latentmix.latent.RecipeSampler;
import latentmix.latent.WeightSampler;
import latentmix.study.LatentExperiment.Statistic;

/**
 * This survey measures what mixtures are like along straight paths through one pool. A path leads from an input to the
 * equal centroid of N inputs; it is one of them.
 *
 * <pre>w(s) = (1 - s) e_1 + s / N,   0 ≤ s ≤ 1;   with two inputs on to s = 2, the other one</pre>
 *
 * @param methods methods that take N inputs
 * @param positions the positions s along a path
 * @param paths number of paths that are drawn; all methods follow the same ones
 */
record PathSurvey(List<String> methods, int inputs, List<Double> positions, int paths, Recipe.Pool pool)
        implements Serializable {
    private static final long MEMORY = 64L << 20; // bytes of mixtures at a time
    private static final Method INPUT = Method.parse("lin/0"); // at s = 0 the input itself

    PathSurvey {
        methods = List.copyOf(methods);
        positions = List.copyOf(positions);
    }

    /**
     * A mixture of one path.
     *
     * @param path the path's number, the same for every method and position
     * @param norm ‖z'‖ / √D, 1 for noise
     * @param distance ‖z' - z_1‖ / √D, 0 at the input
     * @param residual ‖z' - μ‖² / D about the pool's mean μ
     */
    record Point(
            String method,
            double position,
            int path,
            double norm,
            double distance,
            double residual,
            BandEnergies energies)
            implements Serializable {
        double value(Statistic statistic) {
            return switch (statistic) {
                case NORM -> norm;
                case DISTANCE -> distance;
                case RESIDUAL -> residual;
                case CONSTANT -> energies.constant();
                case LOW -> energies.low();
                case MIDDLE -> energies.middle();
                case HIGH -> energies.high();
            };
        }
    }

    private record Place(String method, double position, int path) {}

    /**
     * Goes the paths through a pool; mixtures that a method does not define are left out.
     *
     * @param id the seed of the paths
     */
    List<Point> of(LatentPool latents, String id) {
        var mean = mean(latents);
        var mixer = new Mixer(latents, MEMORY);
        var points = new ArrayList<Point>();
        int each = methods.size() * positions.size() + 1;
        int most = (int) Math.max(1, MEMORY / (8L * latents.shape().size() * each));
        for (int from = 0; from < paths; from += most) {
            int to = Math.min(paths, from + most);
            var places = new ArrayList<Place>();
            var recipes = new ArrayList<Recipe>();
            for (int path = from; path < to; path++) {
                places.add(new Place("", 0, path));
                recipes.add(recipe(INPUT, 0, id, path, latents.size()));
                for (var method : methods) {
                    for (double position : positions) {
                        places.add(new Place(method, position, path));
                        recipes.add(recipe(Method.parse(method), position, id, path, latents.size()));
                    }
                }
            }
            var mixtures = mixer.mix(recipes);
            Latent input = null;
            for (int i = 0; i < mixtures.size(); i++) {
                if (mixtures.get(i) instanceof Mixture.Mixed mixed) {
                    if (places.get(i).method().isEmpty()) {
                        input = mixed.latent();
                    } else {
                        points.add(point(places.get(i), mixed.latent(), input, mean));
                    }
                }
            }
        }
        return points;
    }

    private Recipe recipe(Method method, double position, String id, int path, int size) {
        return new RecipeSampler(method, new InputCount(inputs, inputs), new WeightSampler.Path(position), pool)
                .draw(id + " path " + path, size);
    }

    private static Point point(Place place, Latent mixed, Latent input, double[] mean) {
        int size = mixed.shape().size();
        return new Point(
                place.method(),
                place.position(),
                place.path(),
                mixed.norm() / Math.sqrt(size),
                Math.sqrt(squaredDistance(mixed.values(), input.values()) / size),
                squaredDistance(mixed.values(), mean) / size,
                BandEnergies.of(mixed));
    }

    private static double squaredDistance(double[] x, double[] y) {
        double sum = 0;
        for (int p = 0; p < x.length; p++) {
            sum += (x[p] - y[p]) * (x[p] - y[p]);
        }
        return sum;
    }

    private static double[] mean(LatentPool latents) {
        var mean = new double[latents.shape().size()];
        latents.forEach((index, z) -> {
            for (int p = 0; p < mean.length; p++) {
                mean[p] += z[p] / latents.size();
            }
        });
        return mean;
    }
}
