package latentmix.adaptation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import latentmix.GoldenCheckpoints;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.UnreadableImage;
import latentmix.model.Denoiser;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.TimeIds;
import latentmix.model.TokenLearner;
import latentmix.model.Vae;
import latentmix.schedule.TrainingProcess;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens of the built-in model, learnt from the built-in sample. */
class TextualInversionTest {
    private static final CheckpointFolder CHECKPOINT = CheckpointFolder.open(BuiltIn.FASHION.folder());
    private static final String CLASS = "9-ankle-boot";
    private static final TextualInversion.Rows WHOLE = (rows, call) -> List.of(call.on(0, rows, 0));
    private static final TextualInversion.Rows HALVES = (rows, call) ->
            rows < 2 ? List.of(call.on(0, rows, 0)) : List.of(call.on(0, rows / 2, 1), call.on(rows / 2, rows, 1));

    private static TextualInversion.Images images(NDManager arrays, int count) throws IOException {
        List<Pixels> pixels = new ArrayList<>();
        try (Stream<Path> files = Files.list(
                Path.of(BuiltIn.located("builtin:fashion-mnist-sample")).resolve(CLASS))) {
            for (Path file : files.sorted().limit(count).toList()) {
                pixels.add(ImageDecoder.decode(Files.readAllBytes(file), 1 << 20));
            }
        } catch (UnreadableImage e) {
            throw new IOException(e);
        }
        try (NDManager scope = arrays.newSubManager();
                Vae encoder = Models.encoder(CHECKPOINT, Device.cpu(), Dtype.FLOAT32)) {
            List<float[]> latents = new ArrayList<>();
            latentmix.latent.Shape shape = null;
            for (Pixels image : pixels) {
                var latent = encoder.encode(Vae.images(scope, List.of(image)));
                shape = new latentmix.latent.Shape((int) latent.size(1), (int) latent.size(2), (int) latent.size(3));
                latents.add(latent.toFloatArray());
            }
            List<TimeIds> sizes = pixels.stream()
                    .map(image -> TimeIds.whole(image.height(), image.width()))
                    .toList();
            return new TextualInversion.Images(shape, latents, List.of(), sizes);
        }
    }

    private static TextualInversion.Learnt learn(
            String name, TextualInversion.Settings settings, TextualInversion.Rows runner) throws IOException {
        TextualInversion inversion = new TextualInversion(TrainingProcess.of(CHECKPOINT.schedulerConfig()), settings);
        try (NDManager arrays = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                Denoiser denoiser = Models.differentiableDenoiser(CHECKPOINT, Device.cpu(), Dtype.FLOAT32);
                TokenLearner learner = Models.tokenLearner(
                        CHECKPOINT, Device.cpu(), Dtype.FLOAT32, new TokenLearner.Token("<it>", 2, name))) {
            return inversion.learn(
                    denoiser,
                    learner,
                    arrays,
                    images(arrays, 8),
                    new TextualInversion.Told("a photo of a <it>", "a photo of a " + name),
                    "seed",
                    runner,
                    step -> {});
        }
    }

    /** The network was trained with the one name, which leaves nothing to learn, and never read the other. */
    @Test
    void aNameThatTheNetworkDoesNotKnowBecomesATokenAsGoodAsTheOneItKnows() throws IOException {
        TextualInversion.Learnt known = learn("ankle boot", new TextualInversion.Settings(50, 0.003, 8, 5), WHOLE);
        TextualInversion.Learnt unknown = learn("wellington", new TextualInversion.Settings(100, 0.02, 8, 0), WHOLE);
        assertThat(unknown.plainLoss()).isGreaterThan(1.03 * known.plainLoss());
        assertThat(unknown.loss()).isLessThan(0.97 * unknown.plainLoss()).isLessThan(1.01 * known.plainLoss());
        assertThat(known.loss()).isBetween(0.99 * known.plainLoss(), 1.01 * known.plainLoss());
        assertThat(unknown.losses()).hasSize(100).allMatch(loss -> loss > 0 && loss < 10);
    }

    /** Both encoders' vectors, by hidden states and pooled ones; the weights are random. */
    @Test
    void theErrorOfAFlowFallsToo(@TempDir Path folder) throws IOException {
        assertTheErrorFalls(GoldenCheckpoints.stableDiffusion3(folder));
    }

    /** The same with what the network is told of the image's size. */
    @Test
    void theErrorOfStableDiffusionXlFallsToo(@TempDir Path folder) throws IOException {
        assertTheErrorFalls(GoldenCheckpoints.stableDiffusionXl(folder));
    }

    private static void assertTheErrorFalls(Path folder) throws IOException {
        CheckpointFolder checkpoint = CheckpointFolder.open(folder);
        TextualInversion inversion = new TextualInversion(
                TrainingProcess.of(checkpoint.schedulerConfig()), new TextualInversion.Settings(30, 0.05, 4, 0));
        latentmix.latent.Shape shape = Models.latentShape(checkpoint);
        float[] latent = new float[shape.size()];
        for (int i = 0; i < latent.length; i++) {
            latent[i] = (float) Math.sin(i);
        }
        try (NDManager arrays = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                Denoiser denoiser = Models.differentiableDenoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
                TokenLearner learner = Models.tokenLearner(
                        checkpoint, Device.cpu(), Dtype.FLOAT32, new TokenLearner.Token("<it>", 2, "w17 w3"))) {
            TextualInversion.Learnt learnt = inversion.learn(
                    denoiser,
                    learner,
                    arrays,
                    new TextualInversion.Images(
                            shape, List.of(latent), List.of(latent), List.of(TimeIds.square(300, 200, 128))),
                    new TextualInversion.Told("w5 <it>", "w5 w17 w3"),
                    "seed",
                    HALVES,
                    step -> {});
            assertThat(learnt.loss()).isLessThan(learnt.plainLoss());
            for (int encoder = 0; encoder < 2; encoder++) {
                assertThat(learnt.vectors().get(encoder))
                        .isNotEqualTo(learner.initial().get(encoder));
            }
        }
    }

    @Test
    void theSameSeedGivesTheSameVectorsAndPartsOfABatchTheSameButForRounding() throws IOException {
        TextualInversion.Settings settings = new TextualInversion.Settings(3, 0.01, 4, 5);
        TextualInversion.Learnt whole = learn("bag", settings, WHOLE);
        TextualInversion.Learnt again = learn("bag", settings, WHOLE);
        TextualInversion.Learnt halves = learn("bag", settings, HALVES);
        assertThat(again.vectors().get(0)).isEqualTo(whole.vectors().get(0));
        assertThat(again.losses()).isEqualTo(whole.losses());
        assertThat(whole.halvings()).isZero();
        assertThat(halves.halvings()).isEqualTo(1);
        assertThat(halves.loss()).isCloseTo(whole.loss(), within(1e-4));
        for (int i = 0; i < 3; i++) {
            assertThat(halves.losses().get(i)).isCloseTo(whole.losses().get(i), within(1e-3));
        }
    }
}
