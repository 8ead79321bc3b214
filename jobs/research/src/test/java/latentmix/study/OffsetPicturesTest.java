package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import java.util.Arrays;
import java.util.List;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.image.Pixels;
import latentmix.latent.Latent;
import latentmix.latent.Shape;
import latentmix.model.Dtype;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;
import latentmix.work.ModelOnDevice;
import org.junit.jupiter.api.Test;

class OffsetPicturesTest {
    private static final Shape SHAPE = new Shape(4, 8, 8);

    @Test
    void theTopQuarterOfTwoChannelsMovesAndTheMeanStays() {
        double[] shifted = OffsetPictures.shifted(SHAPE, new double[SHAPE.size()], 0, 2, 0.5);
        for (int p = 0; p < shifted.length; p++) {
            boolean top = p % 64 < 16;
            assertThat(shifted[p]).isEqualTo(top && p / 64 == 0 ? 0.5 : top && p / 64 == 2 ? -0.5 : 0);
        }
        assertThat(Arrays.stream(new Latent(SHAPE, shifted).channelMeans()).sum())
                .isCloseTo(0, within(1e-12));
    }

    @Test
    void offsetsOfTheSampledLatentChangeTheTopMostAndThoseOfTheNoiseAnyPart() {
        CheckpointFolder checkpoint = CheckpointFolder.open(BuiltIn.FASHION.folder());
        OffsetPictures pictures = new OffsetPictures(
                new ModelOnDevice(checkpoint, Device.cpu(), Dtype.FLOAT32),
                Scheduler.of(checkpoint.schedulerConfig()),
                new OffsetPictures.Settings(0, 2, List.of(0.0, 2.0), 4, new Guidance(2), "", 4));
        OffsetPictures.Pair pair = pictures.of("a photo of a sandal", "noise");
        Pixels sampled = pair.beforeSampling().get(0);
        assertThat(difference(List.of(sampled, pair.afterSampling().get(0)), 0, 32))
                .isLessThan(0.1); // other micro-batches round otherwise
        double top = difference(pair.afterSampling(), 0, 8);
        double bottom = difference(pair.afterSampling(), 16, 32);
        assertThat(top).isGreaterThan(4 * bottom);
        assertThat(difference(pair.beforeSampling(), 16, 32)).isGreaterThan(bottom);
        assertThat(pictures.of("a photo of a sandal", "noise")
                        .beforeSampling()
                        .get(1)
                        .rgb())
                .isEqualTo(pair.beforeSampling().get(1).rgb());
    }

    @Test
    void channelsThatTheLatentDoesNotHaveAreRefused() {
        CheckpointFolder checkpoint = CheckpointFolder.open(BuiltIn.FASHION.folder());
        OffsetPictures pictures = new OffsetPictures(
                new ModelOnDevice(checkpoint, Device.cpu(), Dtype.FLOAT32),
                Scheduler.of(checkpoint.schedulerConfig()),
                new OffsetPictures.Settings(0, 4, List.of(0.0), 4, Guidance.NONE, "", 4));
        assertThatThrownBy(() -> pictures.of("", "noise"))
                .hasMessageContaining("4")
                .hasMessageContaining("below");
    }

    /** Mean absolute difference of two pictures in some rows, in levels of a byte. */
    private static double difference(List<Pixels> pictures, int from, int to) {
        Pixels first = pictures.get(0);
        byte[] x = first.rgb();
        byte[] y = pictures.get(1).rgb();
        double sum = 0;
        int begin = 3 * first.width() * from;
        int end = 3 * first.width() * to;
        for (int i = begin; i < end; i++) {
            sum += Math.abs((x[i] & 0xff) - (y[i] & 0xff));
        }
        return sum / (end - begin);
    }
}
