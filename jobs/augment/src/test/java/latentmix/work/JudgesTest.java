package latentmix.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.image.DifferenceHash;
import latentmix.image.ImageDecoder;
import latentmix.image.PixelScores;
import latentmix.image.Pixels;
import latentmix.image.Resize;
import latentmix.image.UnreadableImage;
import latentmix.plan.FilterSettings;
import latentmix.plan.FilterSettings.Blank;
import latentmix.plan.FilterSettings.ByClass;
import latentmix.plan.FilterSettings.Near;
import latentmix.table.JudgedRow;
import latentmix.work.Judges.ClassFeatures;
import latentmix.work.Judges.Seen;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The judges on images of the built-in sample; their features are their pixels at 8 × 8. */
class JudgesTest {
    private static final String SANDAL = "5-sandal";
    private static final String BOOT = "9-ankle-boot";
    private static final String PIXELS = "clip"; // what the features are called
    private static final int REAL = 40;

    private static final ByClass ANY_CLASS = new ByClass("", "", 0, "off");
    private static final Near ANY = new Near("off", "", "off");
    private static final Blank ANY_PIXELS = new Blank("off", "off", "off");

    private static List<Seen> sandals;
    private static List<Seen> boots;

    @BeforeAll
    static void images() throws IOException {
        sandals = images(SANDAL);
        boots = images(BOOT);
    }

    private static List<Seen> images(String name) throws IOException {
        List<Seen> images = new ArrayList<>();
        try (Stream<Path> files = Files.list(
                Path.of(BuiltIn.located("builtin:fashion-mnist-sample")).resolve(name))) {
            for (Path file : files.sorted().limit(REAL + 10).toList()) {
                images.add(seen(file.getFileName().toString(), ImageDecoder.decode(Files.readAllBytes(file), 1 << 20)));
            }
        } catch (UnreadableImage e) {
            throw new IllegalStateException(e);
        }
        return images;
    }

    private static Seen seen(String id, Pixels pixels) {
        return new Seen(
                id,
                PixelScores.of(pixels),
                DifferenceHash.of(pixels),
                Map.of(PIXELS, Judges.unit(Resize.square(pixels, 8).toChw())),
                new float[0]);
    }

    private static Seen named(String id, Seen image) {
        return new Seen(id, image.pixels(), image.hash(), image.features(), image.logits());
    }

    private static FilterSettings settings(ByClass by, Near copy, Near twin, String text, Blank blank) {
        return new FilterSettings(by, copy, twin, text, blank, 28, Map.of());
    }

    private static ClassFeatures features(String classId, List<Seen> images) {
        Map<String, float[]> features = new TreeMap<>();
        images.forEach(image -> features.put(image.id(), image.features().get(PIXELS)));
        return Judges.ofClass(classId, features, 100);
    }

    private static Judges judges(FilterSettings settings, Optional<float[]> prompt) {
        return new Judges(
                settings,
                "s1",
                SANDAL,
                5,
                sandals.subList(0, REAL),
                List.of(features(SANDAL, sandals.subList(0, REAL)), features(BOOT, boots.subList(0, REAL))),
                prompt);
    }

    private static Judges judges(FilterSettings settings) {
        return judges(settings, Optional.empty());
    }

    private static Pixels flat(int level) {
        byte[] rgb = new byte[3 * 28 * 28];
        java.util.Arrays.fill(rgb, (byte) level);
        return new Pixels(28, 28, rgb);
    }

    private static Pixels noise() {
        byte[] rgb = new byte[3 * 28 * 28];
        new Random(1).nextBytes(rgb);
        return new Pixels(28, 28, rgb);
    }

    @Test
    void blankAndNoisyImagesAreOutsideTheRangeOfRealOnes() {
        Judges judges =
                judges(settings(ANY_CLASS, ANY, ANY, "off", new Blank("quantile(0)", "quantile(0)", "quantile(0)")));
        assertThat(judges.judge(seen("flat", flat(128)), 0).reasons()).containsExactly("blank");
        assertThat(judges.judge(seen("noise", noise()), 1).reasons()).containsExactly("blank");
        for (Seen real : sandals.subList(0, REAL)) {
            assertThat(judges.judge(named("like " + real.id(), real), 2).kept()).isTrue();
        }
    }

    @Test
    void greysThatAreNotExactAreKeptAmongGreyImagesAndColoursAreNot() {
        Judges judges = judges(settings(ANY_CLASS, ANY, ANY, "off", new Blank("off", "quantile(0.01)", "off")));
        assertThat(sandals).allMatch(real -> real.pixels().saturation() == 0);
        assertThat(judges.judge(saturated("tinged", 0.07), 0).kept()).isTrue();
        assertThat(judges.judge(saturated("coloured", 0.2), 1).reasons()).containsExactly("blank");
    }

    private static Seen saturated(String id, double saturation) {
        PixelScores real = sandals.get(0).pixels();
        return new Seen(
                id,
                new PixelScores(real.entropy(), real.clipped(), saturation, real.sharpness()),
                0,
                Map.of(),
                new float[0]);
    }

    @Test
    void aNumberIsTheLeastThatAScoreMayBe() {
        double entropy = sandals.get(0).pixels().entropy();
        assertThat(judges(settings(ANY_CLASS, ANY, ANY, "off", new Blank("" + (entropy - 0.1), "off", "off")))
                        .judge(named("a", sandals.get(0)), 0)
                        .kept())
                .isTrue();
        assertThat(judges(settings(ANY_CLASS, ANY, ANY, "off", new Blank("" + (entropy + 0.1), "off", "off")))
                        .judge(named("a", sandals.get(0)), 0)
                        .reasons())
                .containsExactly("blank");
    }

    @Test
    void aCopyOfASourceImageIsDropped() {
        Judges judges = judges(settings(ANY_CLASS, new Near("2", "", "off"), ANY, "off", ANY_PIXELS));
        JudgedRow copy = judges.judge(named("copy", sandals.get(3)), 0);
        assertThat(copy.reasons()).containsExactly("copy");
        assertThat(copy.copyHash()).isZero();
        assertThat(copy.copyDistance()).isNaN();
        assertThat(judges.judge(seen("noise", noise()), 1).kept()).isTrue();
    }

    @Test
    void featuresTellACopyThatAHashDoesNot() {
        Judges judges = judges(settings(ANY_CLASS, new Near("off", PIXELS, "1e-6"), ANY, "off", ANY_PIXELS));
        JudgedRow copy = judges.judge(named("copy", sandals.get(3)), 0);
        assertThat(copy.reasons()).containsExactly("copy");
        assertThat(copy.copyId()).isEqualTo(sandals.get(3).id());
        assertThat(copy.copyDistance()).isCloseTo(0, within(1e-6));
        JudgedRow other = judges.judge(sandals.get(REAL + 1), 1);
        assertThat(other.kept()).isTrue();
        assertThat(other.copyDistance()).isGreaterThan(1e-6);
    }

    @Test
    void aQuantileOfNearnessIsOfRealImagesAndTheNextOnes() {
        double[] apart = sandals.subList(0, REAL).stream()
                .mapToDouble(image -> sandals.subList(0, REAL).stream()
                        .filter(other -> !other.id().equals(image.id()))
                        .mapToInt(other -> DifferenceHash.distance(image.hash(), other.hash()))
                        .min()
                        .orElseThrow())
                .sorted()
                .toArray();
        Judges judges = judges(settings(ANY_CLASS, new Near("quantile(0.5)", "", "off"), ANY, "off", ANY_PIXELS));
        double median = (apart[REAL / 2 - 1] + apart[REAL / 2]) / 2;
        for (Seen image : sandals.subList(REAL, REAL + 10)) {
            JudgedRow row = judges.judge(image, 0);
            assertThat(row.kept()).isEqualTo(row.copyHash() >= median);
        }
    }

    @Test
    void ofTwinsTheEarlierOneStays() {
        Judges judges = judges(settings(ANY_CLASS, ANY, new Near("0", "", "off"), "off", ANY_PIXELS));
        JudgedRow first = judges.judge(named("first", sandals.get(3)), 0);
        JudgedRow second = judges.judge(named("second", sandals.get(3)), 1);
        assertThat(first.kept()).isTrue();
        assertThat(first.twinHash()).isEqualTo(-1); // there is none before it
        assertThat(second.reasons()).containsExactly("twin");
        assertThat(second.twinId()).isEqualTo("first");
        assertThat(judges.judge(seen("noise", noise()), 2).kept()).isTrue();
    }

    @Test
    void anImageThatWasDroppedHasNoTwin() {
        Judges judges = judges(
                settings(ANY_CLASS, new Near("off", PIXELS, "1e-6"), new Near("64", "", "off"), "off", ANY_PIXELS));
        assertThat(judges.judge(named("copy", sandals.get(3)), 0).reasons()).containsExactly("copy");
        assertThat(judges.judge(sandals.get(REAL + 1), 1).kept()).isTrue();
        assertThat(judges.judge(sandals.get(REAL + 2), 2).reasons()).containsExactly("twin");
    }

    @Test
    void imagesThatWereKeptBeforeHaveTwinsToo() {
        Judges judges = judges(settings(ANY_CLASS, ANY, new Near("0", "", "off"), "off", ANY_PIXELS));
        judges.kept(named("before", sandals.get(3)));
        assertThat(judges.judge(named("after", sandals.get(3)), 1).twinId()).isEqualTo("before");
    }

    @ParameterizedTest
    @ValueSource(strings = {"mean", "neighbours"})
    void anImageOfAnotherClassIsNotTakenForItsOwn(String by) {
        String threshold = by.equals("mean") ? "0" : "0.5";
        Judges judges = judges(settings(new ByClass(by, PIXELS, 5, threshold), ANY, ANY, "off", ANY_PIXELS));
        int wrong = 0;
        for (int i = REAL; i < REAL + 10; i++) {
            wrong += judges.judge(boots.get(i), i).kept() ? 1 : 0;
            wrong += judges.judge(sandals.get(i), i).kept() ? 0 : 1;
        }
        assertThat(wrong).isLessThanOrEqualTo(2); // of 20
    }

    @Test
    void aQuantileOfTheClassScoreIsOfRealImages() {
        ByClass all = new ByClass("mean", PIXELS, 0, "quantile(0)");
        Judges judges = judges(settings(all, ANY, ANY, "off", ANY_PIXELS));
        for (Seen real : sandals.subList(0, REAL)) {
            assertThat(judges.judge(named("like " + real.id(), real), 0).kept()).isTrue();
        }
        ByClass half = new ByClass("mean", PIXELS, 0, "quantile(0.5)");
        Judges stricter = judges(settings(half, ANY, ANY, "off", ANY_PIXELS));
        assertThat(sandals.subList(0, REAL).stream()
                        .filter(real -> stricter.judge(named("like", real), 0).kept()))
                .hasSize(REAL / 2);
    }

    @Test
    void aClassifierSaysByHowMuchTheOwnClassIsTheLikelierOne() {
        Judges judges = judges(settings(new ByClass("classifier", PIXELS, 0, "0"), ANY, ANY, "off", ANY_PIXELS));
        float[] logits = new float[10];
        logits[5] = 2;
        logits[9] = 1;
        JudgedRow right = judges.judge(new Seen("a", sandals.get(0).pixels(), 0, Map.of(), logits.clone()), 0);
        double sum = Math.exp(2) + Math.exp(1) + 8;
        assertThat(right.kept()).isTrue();
        assertThat(right.classScore()).isCloseTo((Math.exp(2) - Math.exp(1)) / sum, within(1e-12));
        logits[9] = 3;
        assertThat(judges.judge(new Seen("b", sandals.get(0).pixels(), 0, Map.of(), logits), 1)
                        .reasons())
                .containsExactly("class");
    }

    @Test
    void theLowestShareOfImageAndPromptIsDropped() {
        float[] prompt = sandals.get(0).features().get(PIXELS);
        Judges judges = judges(settings(ANY_CLASS, ANY, ANY, "quantile(0.25)", ANY_PIXELS), Optional.of(prompt));
        List<Seen> made = sandals.subList(0, 20).stream()
                .map(image -> named("made " + image.id(), image))
                .toList();
        judges.sample(made);
        List<JudgedRow> rows =
                made.stream().map(image -> judges.judge(image, 0)).toList();
        assertThat(rows.stream().filter(row -> !row.kept())).hasSize(5).allSatisfy(row -> assertThat(row.reasons())
                .containsExactly("text"));
        assertThat(rows.get(0).textScore()).isCloseTo(1, within(1e-6));
        double least = rows.stream()
                .filter(JudgedRow::kept)
                .mapToDouble(JudgedRow::textScore)
                .min()
                .orElseThrow();
        assertThat(rows.stream().filter(row -> !row.kept()))
                .allSatisfy(row -> assertThat(row.textScore()).isLessThan(least));
    }

    @Test
    void anImageThatANetworkGaveNoNumbersForIsDroppedByWhoLooksByIt() {
        Seen unseen = new Seen("a", sandals.get(0).pixels(), 0, Map.of(), new float[0]);
        FilterSettings all = settings(
                new ByClass("mean", PIXELS, 0, "0"),
                new Near("off", PIXELS, "0"),
                new Near("off", PIXELS, "0"),
                "0",
                ANY_PIXELS);
        assertThat(judges(all, Optional.of(sandals.get(0).features().get(PIXELS)))
                        .judge(unseen, 0)
                        .reasons())
                .containsExactly("class", "copy", "twin", "text");
    }
}
