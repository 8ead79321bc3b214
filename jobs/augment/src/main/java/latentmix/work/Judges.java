package latentmix.work;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import latentmix.image.DifferenceHash;
import latentmix.image.PixelScores;
import latentmix.metric.Threshold;
import latentmix.plan.FilterSettings;
import latentmix.table.JudgedRow;

/**
 * Judges the images made of one class, one after the other in the order of k.
 *
 * <pre>
 * class   score ≥ t     mean: min over others of d(x, m_c) - d(x, m_own), m_c the mean of a class's unit features
 *                       neighbours: the own class's share of the k nearest real images
 *                       classifier: p_own - max over others of p_c
 * copy    distance > t  to the nearest real image of the class, in bits of dHash and in features; ≥ a quantile
 * twin    distance > t  to the nearest image before it that is kept, alike
 * text    score ≥ t     ⟨x, prompt⟩ of unit embeddings
 * blank   l ≤ x ≤ h     entropy, saturation, sharpness
 * </pre>
 *
 * d is 1 - ⟨x, y⟩ of unit features. A judge that looks by a network drops an image that the network gave no numbers
 * for.
 */
final class Judges {
    private static final String CLASS = "class";
    private static final String COPY = "copy";
    private static final String TWIN = "twin";
    private static final String TEXT = "text";
    private static final String BLANK = "blank";

    /** Real images may be grey without exception, but what a decoder makes of them is never exactly grey. */
    private static final double SATURATION_SLACK = 0.1;

    /** The most real images whose next one is looked for, those with the least ids. */
    private static final int SAMPLE = 2000;

    /**
     * What is known of an image.
     *
     * @param features unit vectors by network; none of a network that gave no numbers
     * @param logits of the classifier; empty where it was not asked
     */
    record Seen(String id, PixelScores pixels, long hash, Map<String, float[]> features, float[] logits) {}

    /**
     * What is known of a class's real images in the features that classes are told by.
     *
     * @param mean of unit features; empty where there are none
     * @param ids of the images that stand for the class among neighbours
     * @param sample their unit features
     */
    record ClassFeatures(String classId, float[] mean, List<String> ids, List<float[]> sample) implements Serializable {
        ClassFeatures {
            ids = List.copyOf(ids);
            sample = List.copyOf(sample);
        }
    }

    /** The nearest of some images; at infinity where there are none. */
    private record Nearest(double distance, String id) {
        static final Nearest NONE = new Nearest(Double.POSITIVE_INFINITY, "");

        Nearest or(double other, String otherId) {
            return other < distance ? new Nearest(other, otherId) : this;
        }
    }

    /** The least and the most that a score may be; NaN for no bound. */
    private record Bounds(double least, double most) {
        static Bounds of(String threshold, double[] sample, double slack) {
            Threshold parsed = Threshold.parse(threshold);
            return parsed instanceof Threshold.Quantile quantile
                    ? new Bounds(parsed.of(sample) - slack, quantile.upper().of(sample) + slack)
                    : new Bounds(parsed.of(sample), Double.NaN);
        }

        boolean excludes(double score) {
            return score < least || score > most;
        }
    }

    /** The lines of a judge of nearness. */
    private record Near(double hash, String network, double distance) {}

    private final FilterSettings settings;
    private final String settingsId;
    private final String classId;
    private final int label;
    private final List<Seen> real;
    private final List<ClassFeatures> classes;
    private final Optional<float[]> prompt;
    private final double classLine;
    private final Near copy;
    private final Near twin;
    private double textLine;
    private final Bounds entropy;
    private final Bounds saturation;
    private final Bounds sharpness;
    private final List<Seen> kept = new ArrayList<>();

    /**
     * The judges of a class, whose lines the real images draw.
     *
     * @param label the class's output of a classifier
     * @param real the class's real images
     * @param classes all classes, this one too; none where they are not compared
     * @param prompt the unit embedding of the class's prompt
     */
    Judges(
            FilterSettings settings,
            String settingsId,
            String classId,
            int label,
            List<Seen> real,
            List<ClassFeatures> classes,
            Optional<float[]> prompt) {
        this.settings = settings;
        this.settingsId = settingsId;
        this.classId = classId;
        this.label = label;
        this.real = real.stream().sorted(Comparator.comparing(Seen::id)).toList();
        this.classes = classes;
        this.prompt = prompt;
        Threshold ofClass = Threshold.parse(settings.by().threshold());
        this.classLine = ofClass.of(ofClass.needsSample() ? scores(real, this::classScore) : new double[0]);
        this.copy = near(settings.copy());
        this.twin = near(settings.twin());
        this.textLine = Threshold.parse(settings.text()).of(new double[0]);
        this.entropy = Bounds.of(
                settings.blank().entropy(), scores(real, image -> image.pixels().entropy()), 0);
        this.saturation = Bounds.of(
                settings.blank().saturation(),
                scores(real, image -> image.pixels().saturation()),
                SATURATION_SLACK);
        this.sharpness = Bounds.of(
                settings.blank().sharpness(),
                scores(real, image -> image.pixels().sharpness()),
                0);
    }

    /** Draws the line of image and prompt by the class's first images made. */
    void sample(List<Seen> first) {
        textLine = Threshold.parse(settings.text()).of(scores(first, this::textScore));
    }

    private Near near(FilterSettings.Near judge) {
        Threshold hash = Threshold.parse(judge.hash());
        Threshold distance = Threshold.parse(judge.distance());
        return new Near(
                line(hash, this::nearestByHash),
                judge.features(),
                line(distance, (image, others) -> nearest(judge.features(), image, others)));
    }

    /** Up to where images are near: a number, or what is below a quantile, on which many real images lie in bits. */
    private double line(Threshold threshold, Look look) {
        return threshold.needsSample() ? Math.nextDown(threshold.of(apart(look))) : threshold.of(new double[0]);
    }

    @FunctionalInterface
    private interface Look {
        Nearest nearest(Seen image, List<Seen> others);
    }

    /** How far real images are from the next one. */
    private double[] apart(Look look) {
        return real.stream()
                .limit(SAMPLE)
                .mapToDouble(image -> look.nearest(image, real).distance())
                .filter(Double::isFinite)
                .toArray();
    }

    private static double[] scores(List<Seen> images, ToDoubleFunction<Seen> score) {
        return images.stream()
                .mapToDouble(score)
                .filter(value -> !Double.isNaN(value))
                .toArray();
    }

    /** Judges the next image. */
    JudgedRow judge(Seen image, int k) {
        List<String> reasons = new ArrayList<>();
        boolean byClass = !settings.by().by().isEmpty();
        double classScore = byClass ? classScore(image) : Double.NaN;
        if (byClass && (Double.isNaN(classScore) || classScore < classLine)) {
            reasons.add(CLASS);
        }
        boolean copies = !Double.isNaN(copy.hash()) || !copy.network().isEmpty();
        Nearest sourceByHash = copies ? nearestByHash(image, real) : Nearest.NONE;
        Nearest source = nearest(copy.network(), image, real);
        if (isNear(copy, image, sourceByHash, source)) {
            reasons.add(COPY);
        }
        boolean twins = !Double.isNaN(twin.hash()) || !twin.network().isEmpty();
        Nearest beforeByHash = twins ? nearestByHash(image, kept) : Nearest.NONE;
        Nearest before = nearest(twin.network(), image, kept);
        if (isNear(twin, image, beforeByHash, before)) {
            reasons.add(TWIN);
        }
        double textScore = textScore(image);
        if (prompt.isPresent() && (Double.isNaN(textScore) || textScore < textLine)) {
            reasons.add(TEXT);
        }
        if (entropy.excludes(image.pixels().entropy())
                || saturation.excludes(image.pixels().saturation())
                || sharpness.excludes(image.pixels().sharpness())) {
            reasons.add(BLANK);
        }
        if (reasons.isEmpty()) {
            kept.add(image);
        }
        return new JudgedRow(
                image.id(),
                classId,
                k,
                classScore,
                bits(sourceByHash),
                finite(source),
                source.id().isEmpty() ? sourceByHash.id() : source.id(),
                bits(beforeByHash),
                finite(before),
                before.id().isEmpty() ? beforeByHash.id() : before.id(),
                textScore,
                reasons.isEmpty(),
                reasons,
                settingsId);
    }

    /** Takes notice of an image that was kept before. */
    void kept(Seen image) {
        kept.add(image);
    }

    private static boolean isNear(Near lines, Seen image, Nearest byHash, Nearest byFeatures) {
        boolean unseen = !lines.network().isEmpty() && !image.features().containsKey(lines.network());
        return unseen || byHash.distance() <= lines.hash() || byFeatures.distance() <= lines.distance();
    }

    private static int bits(Nearest nearest) {
        return Double.isFinite(nearest.distance()) ? (int) nearest.distance() : -1;
    }

    private static double finite(Nearest nearest) {
        return Double.isFinite(nearest.distance()) ? nearest.distance() : Double.NaN;
    }

    private Nearest nearestByHash(Seen image, List<Seen> others) {
        Nearest nearest = Nearest.NONE;
        for (Seen other : others) {
            if (!other.id().equals(image.id())) {
                nearest = nearest.or(DifferenceHash.distance(image.hash(), other.hash()), other.id());
            }
        }
        return nearest;
    }

    private static Nearest nearest(String network, Seen image, List<Seen> others) {
        float[] own = image.features().get(network);
        Nearest nearest = Nearest.NONE;
        for (Seen other : own == null ? List.<Seen>of() : others) {
            float[] features = other.features().get(network);
            if (features != null && !other.id().equals(image.id())) {
                nearest = nearest.or(distance(own, features), other.id());
            }
        }
        return nearest;
    }

    /** NaN where the network gave no numbers. */
    private double classScore(Seen image) {
        return switch (settings.by().by()) {
            case "mean" -> byMean(image);
            case "neighbours" -> byNeighbours(image);
            case "classifier" -> byClassifier(image);
            default -> Double.NaN;
        };
    }

    private double byMean(Seen image) {
        float[] features = image.features().get(settings.by().features());
        if (features == null) {
            return Double.NaN;
        }
        double own = Double.NaN;
        double others = Double.POSITIVE_INFINITY;
        for (ClassFeatures of : classes) {
            if (of.mean().length > 0) {
                double distance = distance(features, of.mean());
                if (of.classId().equals(classId)) {
                    own = distance;
                } else {
                    others = Math.min(others, distance);
                }
            }
        }
        return others - own;
    }

    private double byNeighbours(Seen image) {
        float[] features = image.features().get(settings.by().features());
        if (features == null) {
            return Double.NaN;
        }
        record Neighbour(double distance, String classId, String id) {}
        List<Neighbour> all = new ArrayList<>();
        for (ClassFeatures of : classes) {
            for (int i = 0; i < of.ids().size(); i++) {
                if (!of.ids().get(i).equals(image.id())) {
                    all.add(new Neighbour(
                            distance(features, of.sample().get(i)),
                            of.classId(),
                            of.ids().get(i)));
                }
            }
        }
        List<Neighbour> nearest = all.stream()
                .sorted(Comparator.comparingDouble(Neighbour::distance).thenComparing(Neighbour::id))
                .limit(settings.by().neighbours())
                .toList();
        return nearest.isEmpty()
                ? Double.NaN
                : (double) nearest.stream()
                                .filter(neighbour -> neighbour.classId().equals(classId))
                                .count()
                        / nearest.size();
    }

    private double byClassifier(Seen image) {
        if (image.logits().length == 0) {
            return Double.NaN;
        }
        double[] probabilities = new FeatureVector(image.id(), new float[0], image.logits()).probabilities();
        double others = 0;
        for (int c = 0; c < probabilities.length; c++) {
            others = c == label ? others : Math.max(others, probabilities[c]);
        }
        return probabilities[label] - others;
    }

    private double textScore(Seen image) {
        float[] features = image.features().get(FeatureKind.CLIP.text());
        return prompt.isEmpty() || features == null ? Double.NaN : 1 - distance(features, prompt.get());
    }

    /** 1 - ⟨x, y⟩ of unit vectors. */
    private static double distance(float[] x, float[] y) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += (double) x[i] * y[i];
        }
        return 1 - sum;
    }

    /** x / ‖x‖; 0 where x is. */
    static float[] unit(float[] x) {
        double squares = 0;
        for (float value : x) {
            squares += (double) value * value;
        }
        double norm = Math.sqrt(squares);
        float[] unit = new float[x.length];
        for (int i = 0; i < x.length && norm > 0; i++) {
            unit[i] = (float) (x[i] / norm);
        }
        return unit;
    }

    /** What is known of a class whose real images have these features, by image id in its order. */
    static ClassFeatures ofClass(String classId, Map<String, float[]> features, int sample) {
        double[] sum = new double[0];
        List<String> ids = features.keySet().stream().sorted().toList();
        Map<String, float[]> units = new HashMap<>();
        for (String id : ids) {
            float[] unit = unit(features.get(id));
            units.put(id, unit);
            sum = sum.length == 0 ? new double[unit.length] : sum;
            for (int i = 0; i < unit.length; i++) {
                sum[i] += unit[i];
            }
        }
        float[] mean = new float[sum.length];
        for (int i = 0; i < mean.length; i++) {
            mean[i] = (float) sum[i];
        }
        List<String> first = ids.stream().limit(sample).toList();
        return new ClassFeatures(
                classId, unit(mean), first, first.stream().map(units::get).toList());
    }
}
