package latentmix.plan;

import java.io.Serializable;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import latentmix.config.RunConfig;

/**
 * Everything that decides a verdict beside the images. Thresholds are spelled as configurations spell them, {@code off}
 * where a judge is not asked.
 *
 * @param by what an image is taken for a class by; empty without that judge
 * @param text of the cosine of image and prompt
 * @param size real images' side: they are made the run's image size first
 * @param features the settings ids of the networks' features, by network
 */
public record FilterSettings(
        ByClass by, Near copy, Near twin, String text, Blank blank, int size, Map<String, String> features)
        implements Serializable {
    private static final String OFF = "off";

    /**
     * The judge of classes.
     *
     * @param features the network; empty without that judge
     */
    public record ByClass(String by, String features, int neighbours, String threshold) implements Serializable {
        static final ByClass NONE = new ByClass("", "", 0, OFF);
    }

    /**
     * A judge of images that are near.
     *
     * @param features the network; empty where dHash alone tells
     */
    public record Near(String hash, String features, String distance) implements Serializable {
        static final Near NONE = new Near(OFF, "", OFF);
    }

    /** The judge of pixels. */
    public record Blank(String entropy, String saturation, String sharpness) implements Serializable {
        static final Blank NONE = new Blank(OFF, OFF, OFF);
    }

    public FilterSettings {
        features = Collections.unmodifiableMap(new TreeMap<>(features));
    }

    /** The settings of a configuration's filter. */
    public static FilterSettings of(RunConfig.Filter filter, int size, Map<String, String> features) {
        return new FilterSettings(
                filter.ofClass()
                        .map(judge -> new ByClass(
                                judge.by().toString(),
                                judge.features().toString(),
                                judge.by() == RunConfig.ClassBy.NEIGHBOURS ? judge.neighbours() : 0,
                                judge.threshold().toString()))
                        .orElse(ByClass.NONE),
                filter.copy().map(FilterSettings::near).orElse(Near.NONE),
                filter.twin().map(FilterSettings::near).orElse(Near.NONE),
                filter.text().map(Object::toString).orElse(OFF),
                filter.blank()
                        .map(judge -> new Blank(
                                judge.entropy().toString(),
                                judge.saturation().toString(),
                                judge.sharpness().toString()))
                        .orElse(Blank.NONE),
                size,
                features);
    }

    private static Near near(RunConfig.NearJudge judge) {
        return judge.features().isPresent()
                ? new Near(
                        judge.hash().toString(),
                        judge.features().get().toString(),
                        judge.distance().toString())
                : new Near(judge.hash().toString(), "", OFF);
    }

    /** Whether verdicts on a class depend on the other classes' real images. */
    public boolean comparesClasses() {
        return by.by().equals(RunConfig.ClassBy.MEAN.toString())
                || by.by().equals(RunConfig.ClassBy.NEIGHBOURS.toString());
    }

    /** Whether images are compared with their class's prompt. */
    public boolean readsPrompts() {
        return !text.equals(OFF);
    }

    /** Whether verdicts depend on how many mixtures the class is asked for first. */
    public boolean samplesMixtures() {
        return text.startsWith("quantile");
    }
}
