package latentmix.work;

import static latentmix.work.TinyWork.SANDAL;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import latentmix.image.DifferenceHash;
import latentmix.image.ImageDecoder;
import latentmix.image.PixelScores;
import latentmix.image.Pixels;
import latentmix.image.UnreadableImage;
import latentmix.latent.Degeneracy;
import latentmix.latent.Latent;
import latentmix.latent.Latents;
import latentmix.latent.Shape;
import latentmix.plan.GenerationChunk;
import latentmix.plan.RunSettings;
import latentmix.table.GeneratedRow;
import latentmix.table.LatentColumn;
import latentmix.table.MixedRow;
import latentmix.table.RejectedRow;
import latentmix.table.StageName;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images of made up noise by the built-in model. */
class GenerationWorkTest {
    private static final Shape SHAPE = new Shape(4, 8, 8);
    private static final List<Latent> NOISE = Latents.normal(SHAPE, 4, 0, "generation");

    @TempDir
    Path folder;

    private TinyWork work;

    @BeforeEach
    void thePrompts() throws IOException {
        work = new TinyWork(folder);
        work.encodePrompts(SANDAL);
        work.encode("a boot", "a dress");
    }

    private static MixedRow mixture(String mixId, Latent latent, double strength, LatentColumn original) {
        return drawn(mixId, latent, strength, original, List.of(), List.of(), List.of());
    }

    private static MixedRow drawn(
            String mixId,
            Latent latent,
            double strength,
            LatentColumn original,
            List<String> prompts,
            List<Double> shares,
            List<Double> guidance) {
        return new MixedRow(
                mixId,
                SANDAL.classId(),
                SANDAL.label(),
                SANDAL.className(),
                SANDAL.prompt(),
                0,
                "pool",
                "lin/0",
                List.of("a"),
                List.of(1.0),
                1,
                LatentColumn.of(latent),
                latent.norm(),
                List.of(),
                1,
                strength,
                original,
                0,
                0,
                0,
                new Degeneracy(0, 0, 0, 0, 0, 0, 0),
                "mixing",
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                prompts,
                shares,
                guidance);
    }

    private ChunkResult generate(RunSettings settings, List<MixedRow> mixtures) throws IOException {
        return generate(settings, mixtures, List.of());
    }

    private ChunkResult generate(RunSettings settings, List<MixedRow> mixtures, List<String> inverted)
            throws IOException {
        work.put("mixed", SANDAL.classId(), "mixed", MixedRow.class, mixtures);
        String id = GenerationChunk.id(settings.generationId(), "mixed");
        AtomicLong progress = new AtomicLong();
        ChunkResult result = new GenerationWork(
                        work.run(),
                        TinyWork.model(),
                        settings.generation(),
                        settings.generationId(),
                        progress::addAndGet)
                .generate(new GenerationChunk(
                        id, TinyWork.pool(inverted.toArray(String[]::new)), "mixed", mixtures.size()));
        assertThat(progress).hasValue(mixtures.size());
        return result;
    }

    /** Mixtures of these inputs and weights, all of the same noise. */
    private List<GeneratedRow> ofInputs(RunSettings settings, List<String> inputs, List<List<Double>> weights)
            throws IOException {
        List<MixedRow> mixtures = new ArrayList<>();
        for (int i = 0; i < weights.size(); i++) {
            MixedRow row = mixture("m" + i, NOISE.get(0), 1, LatentColumn.NONE);
            mixtures.add(new MixedRow(
                    row.mixId(),
                    row.classId(),
                    row.label(),
                    row.className(),
                    row.prompt(),
                    i,
                    row.poolId(),
                    row.method(),
                    inputs.subList(0, weights.get(i).size()),
                    weights.get(i),
                    row.ess(),
                    row.latent(),
                    row.norm(),
                    row.channelMean(),
                    row.predictedGain(),
                    row.strength(),
                    row.original(),
                    row.attempt(),
                    row.classMeanGain(),
                    row.predictedClassMeanGain(),
                    row.degeneracy(),
                    row.settingsId(),
                    List.of(),
                    List.of(),
                    List.of(),
                    List.of(),
                    List.of(),
                    List.of(),
                    List.of()));
        }
        generate(settings, mixtures, List.of("inverted"));
        return generated().stream()
                .filter(row -> row.settingsId().equals(settings.generationId()))
                .toList();
    }

    @Test
    void aMixtureIsToldWhatItsHeaviestInputWasToldAndTheFirstOfThoseThatAreAsHeavy() throws IOException {
        work.told("inverted", List.of("a", "b", "c"), List.of("a boot", "a dress", "a boot"));
        RunSettings heaviest = work.settings("prompt.from=caption", "prompt.mixture=heaviest", "generation.guidance=2");
        List<GeneratedRow> rows = ofInputs(
                heaviest,
                List.of("b", "a", "c"),
                List.of(List.of(0.4, 0.4, 0.2), List.of(0.3, 0.4, 0.3), List.of(0.2, 0.2, 0.6), List.of()));
        List<List<Double>> asMany = Collections.nCopies(4, List.of(1.0)); // rounding depends on a micro-batch's size
        List<byte[]> dress = ofInputs(heaviest, List.of("b"), asMany).stream()
                .map(row -> row.image().bytes())
                .toList();
        assertThat(rows.get(0).image().bytes()).isEqualTo(dress.get(0));
        assertThat(rows.get(1).image().bytes())
                .isNotEqualTo(dress.get(0))
                .isEqualTo(rows.get(2).image().bytes());
        assertThat(rows.get(3).image().bytes())
                .as("without inputs, the class's prompt")
                .isEqualTo(ofInputs(work.settings("generation.guidance=2"), List.of("b"), asMany)
                        .get(3)
                        .image()
                        .bytes());
        assertThat(heaviest.inversionId()).isEqualTo(work.settings().inversionId());
    }

    @Test
    void aMixtureIsToldTheMixOfWhatItsInputsWereTold() throws IOException {
        work.told("inverted", List.of("a", "b", "c"), List.of("a boot", "a dress", "a boot"));
        RunSettings mix = work.settings("prompt.from=caption", "prompt.mixture=mix", "generation.guidance=2");
        RunSettings heaviest = work.settings("prompt.from=caption", "prompt.mixture=heaviest", "generation.guidance=2");
        List<String> inputs = List.of("a", "b", "c");
        List<List<Double>> weights =
                List.of(List.of(1.0), List.of(0.5, 0.0, 0.5), List.of(0.25, 0.5, 0.25), List.of(0.5, 0.5));
        List<GeneratedRow> mixed = ofInputs(mix, inputs, weights);
        List<GeneratedRow> single = ofInputs(heaviest, inputs, weights);
        assertThat(mixed.get(0).image().bytes()).isEqualTo(single.get(0).image().bytes());
        assertThat(mixed.get(1).image().bytes()).isEqualTo(single.get(1).image().bytes());
        assertThat(mixed.get(2).image().bytes())
                .as("as much of either")
                .isEqualTo(mixed.get(3).image().bytes())
                .isNotEqualTo(single.get(2).image().bytes())
                .isNotEqualTo(single.get(3).image().bytes());
    }

    private static List<MixedRow> whole(int count) {
        List<MixedRow> mixtures = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            mixtures.add(mixture("m" + i, NOISE.get(i), 1, LatentColumn.NONE));
        }
        return mixtures;
    }

    private List<GeneratedRow> generated() throws IOException {
        return work.rows("generated", GeneratedRow.class);
    }

    @Test
    void everyMixtureIsAPngWithItsScores() throws IOException, UnreadableImage {
        RunSettings settings = work.settings("generation.guidance=2");
        ChunkResult result = generate(settings, whole(3));
        assertThat(result.rows()).isEqualTo(3);
        assertThat(result.networkEvaluations()).as("rows × steps × branches").isEqualTo(3 * 2 * 2);
        assertThat(generated()).extracting(GeneratedRow::mixId).containsExactly("m0", "m1", "m2");
        for (GeneratedRow row : generated()) {
            Pixels pixels = ImageDecoder.decode(row.image().bytes(), 1 << 20);
            assertThat(pixels.width()).isEqualTo(32).isEqualTo(row.width());
            assertThat(pixels.height()).isEqualTo(32).isEqualTo(row.height());
            assertThat(row.image().path()).isEqualTo("5-sandal/" + row.mixId() + ".png");
            assertThat(new PixelScores(row.entropy(), row.clipped(), row.saturation(), row.sharpness()))
                    .isEqualTo(PixelScores.of(pixels));
            assertThat(row.differenceHash()).isEqualTo(DifferenceHash.of(pixels));
            assertThat(row.settingsId()).isEqualTo(settings.generationId());
        }
    }

    @Test
    void aMixtureThatTheNetworkMakesNothingFiniteOfIsARowOfRejected() throws IOException {
        double[] broken = NOISE.get(1).values().clone();
        broken[7] = Double.NaN;
        List<MixedRow> mixtures = whole(2);
        mixtures.set(1, mixture("broken", new Latent(SHAPE, broken), 1, LatentColumn.NONE));
        ChunkResult result = generate(work.settings("generation.guidance=1"), mixtures);
        assertThat(result.rejected()).isEqualTo(1);
        assertThat(generated()).extracting(GeneratedRow::mixId).containsExactly("m0");
        assertThat(work.rejected(StageName.GENERATE)).singleElement().satisfies(row -> {
            assertThat(row.id()).isEqualTo("broken");
            assertThat(row.reason()).isEqualTo("not finite");
        });
        assertThat(work.rejected(StageName.GENERATE))
                .extracting(RejectedRow::classId)
                .containsExactly("5-sandal");
    }

    @Test
    void imageToImageTakesItsShareOfTheStepsAndStaysNearTheOriginal() throws IOException, UnreadableImage {
        LatentColumn original = LatentColumn.of(NOISE.get(3));
        List<MixedRow> mixtures = List.of(
                mixture("strong", NOISE.get(0), 0.8, original),
                mixture("whole", NOISE.get(0), 1, LatentColumn.NONE),
                mixture("weak", NOISE.get(0), 0.2, original),
                mixture("weak, other noise", NOISE.get(1), 0.2, original));
        ChunkResult result = generate(work.settings("generation.guidance=1", "generation.steps=10"), mixtures);
        assertThat(result.networkEvaluations()).isEqualTo(2 + 2 + 8 + 10);
        List<GeneratedRow> rows = generated();
        assertThat(rows)
                .extracting(GeneratedRow::mixId)
                .as("by strength, since a micro-batch has one table of steps")
                .containsExactly("weak", "weak, other noise", "strong", "whole");
        assertThat(distance(rows.get(0), rows.get(1)))
                .as("little noise, twice")
                .isLessThan(distance(rows.get(0), rows.get(3)));
    }

    /** All of the same noise. */
    private static List<MixedRow> told(List<String> prompts, List<Double> shares, double... guidance) {
        List<MixedRow> rows = new ArrayList<>();
        for (double scale : guidance) {
            rows.add(drawn("m" + rows.size(), NOISE.get(0), 1, LatentColumn.NONE, prompts, shares, List.of(scale)));
        }
        return rows;
    }

    private List<byte[]> images(RunSettings settings, List<MixedRow> mixtures) throws IOException {
        generate(settings, mixtures);
        return generated().stream()
                .filter(row -> row.settingsId().equals(settings.generationId()))
                .sorted(Comparator.comparing(GeneratedRow::mixId))
                .map(row -> row.image().bytes())
                .toList();
    }

    @Test
    void mixturesOfOtherGuidanceBesideItChangeNoImage() throws IOException {
        List<MixedRow> mixtures = told(List.of(), List.of(), 2, 1, 4, 2);
        RunSettings settings = work.settings("generation.guidance=9");
        ChunkResult result = generate(settings, mixtures);
        assertThat(result.networkEvaluations()).as("steps × branches").isEqualTo(2 * (2 + 1 + 2 + 2));
        List<byte[]> together = images(settings, mixtures);
        for (int scale : new int[] {1, 2, 4}) {
            RunSettings alone = work.settings("generation.guidance=" + scale);
            int same = (int) mixtures.stream()
                    .filter(row -> row.guidance().get(0) == scale)
                    .count(); // of a micro-batch, on whose size rounding depends
            List<byte[]> expected = images(
                    alone,
                    told(List.of(), List.of(), new double[same]).stream()
                            .map(row -> mixture(row.mixId(), NOISE.get(0), 1, LatentColumn.NONE))
                            .toList());
            for (int i = 0; i < 4; i++) {
                if (mixtures.get(i).guidance().get(0) == scale) {
                    assertThat(together.get(i)).isEqualTo(expected.get(0));
                }
            }
        }
        assertThat(together.get(0)).isNotEqualTo(together.get(2)).isNotEqualTo(together.get(1));
    }

    @Test
    void aMixtureIsToldItsContextOnTheWholeWayOrForTheFirstSteps() throws IOException {
        RunSettings settings = work.settings("generation.guidance=9", "generation.steps=4");
        List<byte[]> boot = images(settings, told(List.of("a boot"), List.of(1.0), 2, 2));
        List<byte[]> own = images(settings, told(List.of(), List.of(), 2, 2));
        List<byte[]> both = images(settings, told(List.of("a boot", SANDAL.prompt()), List.of(0.3, 0.7), 2, 2));
        List<byte[]> least = images(settings, told(List.of("a boot", SANDAL.prompt()), List.of(0.01, 0.99), 2, 2));
        List<byte[]> nearlyAll = images(settings, told(List.of("a boot", SANDAL.prompt()), List.of(0.9, 0.1), 2, 2));
        assertThat(boot.get(0)).isNotEqualTo(own.get(0));
        assertThat(both.get(0)).isNotEqualTo(own.get(0)).isNotEqualTo(boot.get(0));
        assertThat(least.get(0)).as("a step at least").isEqualTo(both.get(0));
        assertThat(nearlyAll.get(0)).as("3.6 of 4 steps").isEqualTo(boot.get(0));
    }

    private static double distance(GeneratedRow one, GeneratedRow other) throws UnreadableImage {
        float[] left = ImageDecoder.decode(one.image().bytes(), 1 << 20).toChw();
        float[] right = ImageDecoder.decode(other.image().bytes(), 1 << 20).toChw();
        double sum = 0;
        for (int i = 0; i < left.length; i++) {
            sum += (left[i] - right[i]) * (left[i] - right[i]);
        }
        return Math.sqrt(sum);
    }

    @Test
    void theSizeOfAChunkDoesNotChangeAnImage() throws IOException {
        RunSettings settings = work.settings("generation.guidance=2");
        generate(settings, whole(4));
        List<GeneratedRow> all = generated();
        generate(settings, whole(2));
        List<GeneratedRow> two = generated();
        for (int i = 0; i < 2; i++) {
            assertThat(two.get(i).image().bytes()).isEqualTo(all.get(i).image().bytes());
        }
        assertThat(all)
                .extracting(row -> Arrays.hashCode(row.image().bytes()))
                .as("other noise, other image")
                .doesNotHaveDuplicates();
    }
}
