package latentmix.adaptation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.DoublePredicate;
import java.util.stream.Stream;
import latentmix.GoldenCheckpoints;
import latentmix.architecture.LowRankNetwork;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.SafetensorsWriter.Values;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.UnreadableImage;
import latentmix.model.Denoiser;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.TextEncoder;
import latentmix.model.TimeIds;
import latentmix.model.TokenLearner;
import latentmix.model.Vae;
import latentmix.schedule.TrainingProcess;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens and low-rank adapters of the built-in model, learnt from the built-in sample. */
class AdaptationTest {
    private static final CheckpointFolder CHECKPOINT = CheckpointFolder.open(BuiltIn.FASHION.folder());
    private static final String CLASS = "9-ankle-boot";
    private static final double ALPHA = 2;
    private static final Adaptation.Rows WHOLE = (rows, call) -> List.of(call.on(0, rows, 0));
    private static final Adaptation.Rows HALVES = (rows, call) ->
            rows < 2 ? List.of(call.on(0, rows, 0)) : List.of(call.on(0, rows / 2, 1), call.on(rows / 2, rows, 1));

    private static Adaptation.Images images(NDManager arrays, int count) throws IOException {
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
            return new Adaptation.Images(shape, latents, List.of(), sizes, Collections.nCopies(latents.size(), 0));
        }
    }

    private static Adaptation.Learnt learn(
            String name, double rate, Adaptation.Settings settings, Adaptation.Rows runner) throws IOException {
        Adaptation adaptation = new Adaptation(TrainingProcess.of(CHECKPOINT.schedulerConfig()), settings);
        try (NDManager arrays = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                Denoiser denoiser = Models.differentiableDenoiser(CHECKPOINT, Device.cpu(), Dtype.FLOAT32);
                TokenLearner learner = learner(name)) {
            return adaptation.learn(
                    new Student.Frozen(denoiser),
                    List.of(new Told.Token(learner, "a photo of a <it>", "a photo of a " + name, rate)),
                    arrays,
                    images(arrays, 8),
                    "seed",
                    runner,
                    step -> {});
        }
    }

    private static TokenLearner learner(String name) {
        return Models.tokenLearner(CHECKPOINT, Device.cpu(), Dtype.FLOAT32, new TokenLearner.Token("<it>", 2, name));
    }

    /** A LoRA of rank 4 alone, told the words. */
    private static Adaptation.Learnt lora(
            String name, double rate, Adaptation.Settings settings, Adaptation.Rows runner) throws IOException {
        Adaptation adaptation = new Adaptation(TrainingProcess.of(CHECKPOINT.schedulerConfig()), settings);
        try (NDManager arrays = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                TextEncoder encoder = Models.textEncoder(CHECKPOINT, Device.cpu(), Dtype.FLOAT32)) {
            return adaptation.learn(
                    student(rate),
                    List.of(new Told.Words(encoder.encode("a photo of a " + name), encoder.encode(""))),
                    arrays,
                    images(arrays, 8),
                    "seed",
                    runner,
                    step -> {});
        }
    }

    private static Student student(double rate) {
        return new Student.LowRank(
                Models.adaptableDenoiser(CHECKPOINT, Device.cpu(), Dtype.FLOAT32), 4, ALPHA, rate, "seed");
    }

    /** The network was trained with the one name, which leaves nothing to learn, and never read the other. */
    @Test
    void aNameThatTheNetworkDoesNotKnowBecomesATokenAsGoodAsTheOneItKnows() throws IOException {
        Adaptation.Learnt known = learn("ankle boot", 0.003, new Adaptation.Settings(50, 8, 5, 0), WHOLE);
        Adaptation.Learnt unknown = learn("wellington", 0.02, new Adaptation.Settings(100, 8, 0, 0), WHOLE);
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
        Adaptation adaptation =
                new Adaptation(TrainingProcess.of(checkpoint.schedulerConfig()), new Adaptation.Settings(30, 4, 0, 0));
        latentmix.latent.Shape shape = Models.latentShape(checkpoint);
        float[] latent = new float[shape.size()];
        for (int i = 0; i < latent.length; i++) {
            latent[i] = (float) Math.sin(i);
        }
        try (NDManager arrays = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                Denoiser denoiser = Models.differentiableDenoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
                TokenLearner learner = Models.tokenLearner(
                        checkpoint, Device.cpu(), Dtype.FLOAT32, new TokenLearner.Token("<it>", 2, "w17 w3"))) {
            Adaptation.Learnt learnt = adaptation.learn(
                    new Student.Frozen(denoiser),
                    List.of(new Told.Token(learner, "w5 <it>", "w5 w17 w3", 0.05)),
                    arrays,
                    new Adaptation.Images(
                            shape,
                            List.of(latent),
                            List.of(latent),
                            List.of(TimeIds.square(300, 200, 128)),
                            List.of(0)),
                    "seed",
                    HALVES,
                    step -> {});
            assertThat(learnt.loss()).isLessThan(learnt.plainLoss());
            for (int encoder = 0; encoder < 2; encoder++) {
                assertThat(learnt.vectors().get(0).get(encoder))
                        .isNotEqualTo(learner.initial().get(encoder));
            }
        }
    }

    @Test
    void theSameSeedGivesTheSameVectorsAndPartsOfABatchTheSameButForRounding() throws IOException {
        Adaptation.Settings settings = new Adaptation.Settings(3, 4, 5, 0.3);
        Adaptation.Learnt whole = learn("bag", 0.01, settings, WHOLE);
        Adaptation.Learnt again = learn("bag", 0.01, settings, WHOLE);
        Adaptation.Learnt halves = learn("bag", 0.01, settings, HALVES);
        assertThat(again.vectors().get(0).get(0))
                .isEqualTo(whole.vectors().get(0).get(0));
        assertThat(again.losses()).isEqualTo(whole.losses());
        assertThat(whole.halvings()).isZero();
        assertThat(halves.halvings()).isEqualTo(1);
        assertThat(halves.loss()).isCloseTo(whole.loss(), within(1e-4));
        for (int i = 0; i < 3; i++) {
            assertThat(halves.losses().get(i)).isCloseTo(whole.losses().get(i), within(1e-3));
        }
    }

    /** B begins with 0, so A has no gradient until B has moved. */
    @Test
    void theFirstStepMovesBAndTheSecondOneA() throws IOException {
        List<float[]> steps = new ArrayList<>();
        for (int count = 0; count < 3; count++) {
            steps.add(lora("bag", 0.01, new Adaptation.Settings(count, 4, 0, 0), WHOLE)
                    .adapter());
        }
        assertThat(share(steps.get(0), Half.B, value -> value != 0)).isZero();
        assertThat(share(steps.get(0), Half.A, value -> value != 0)).isGreaterThan(0.99);
        assertThat(moved(steps.get(0), steps.get(1), Half.A)).isZero();
        assertThat(moved(steps.get(0), steps.get(1), Half.B)).isGreaterThan(0.99);
        assertThat(moved(steps.get(1), steps.get(2), Half.A)).isGreaterThan(0.99);
        double step = 0.01 * ALPHA / 4; // Adam's first one is its rate in entries whose gradient is above its epsilon
        assertThat(share(steps.get(1), Half.B, value -> Math.abs(value) < 1.0001 * step))
                .isEqualTo(1);
        assertThat(share(steps.get(1), Half.B, value -> Math.abs(value) > 0.99 * step))
                .isGreaterThan(0.5);
    }

    private enum Half {
        A,
        B
    }

    private static double moved(float[] from, float[] to, Half half) {
        float[] differences = new float[from.length];
        for (int i = 0; i < from.length; i++) {
            differences[i] = to[i] - from[i];
        }
        return share(differences, half, value -> value != 0);
    }

    /** The share of A's or B's entries of which something is true. */
    private static double share(float[] adapter, Half half, DoublePredicate is) {
        List<LowRankNetwork.Layer> layers = Models.adaptableDenoiser(CHECKPOINT, Device.cpu(), Dtype.FLOAT32)
                .layers();
        int width = adapter.length / 4;
        int all = 0;
        int those = 0;
        for (int row = 0; row < 4; row++) {
            for (LowRankNetwork.Layer layer : layers) {
                int from = row * width + layer.first() + (half == Half.A ? 0 : layer.in());
                for (int i = from; i < from + (half == Half.A ? layer.in() : layer.out()); i++) {
                    all++;
                    those += is.test(adapter[i]) ? 1 : 0;
                }
            }
        }
        return (double) those / all;
    }

    @Test
    void aLowRankAdapterLearnsWhatTheNetworkDoesNotKnow() throws IOException {
        Adaptation.Learnt unknown = lora("wellington", 0.002, new Adaptation.Settings(60, 8, 0, 0), WHOLE);
        assertThat(unknown.loss()).isLessThan(0.97 * unknown.plainLoss());
        assertThat(unknown.vectors()).containsExactly(List.of());
    }

    @Test
    void theSameSeedGivesTheSameAdapterAndPartsOfABatchTheSameButForRounding() throws IOException {
        Adaptation.Settings settings = new Adaptation.Settings(3, 4, 5, 0.3);
        Adaptation.Learnt whole = lora("bag", 0.001, settings, WHOLE);
        Adaptation.Learnt halves = lora("bag", 0.001, settings, HALVES);
        assertThat(lora("bag", 0.001, settings, WHOLE).adapter()).isEqualTo(whole.adapter());
        assertThat(halves.loss()).isCloseTo(whole.loss(), within(1e-4));
        assertThat(lora("bag", 0.001, new Adaptation.Settings(3, 4, 5, 0), WHOLE)
                        .adapter())
                .as("without dropout")
                .isNotEqualTo(whole.adapter());
    }

    /** Images without words teach a token nothing, and an adapter something. */
    @Test
    void whatIsShownWithoutWordsLeavesTheTokenAsItIs() throws IOException {
        Adaptation adaptation =
                new Adaptation(TrainingProcess.of(CHECKPOINT.schedulerConfig()), new Adaptation.Settings(2, 4, 0, 1));
        try (NDManager arrays = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                TokenLearner learner = learner("bag")) {
            Adaptation.Learnt learnt = adaptation.learn(
                    student(0.01),
                    List.of(new Told.Token(learner, "a photo of a <it>", "a photo of a bag", 0.01)),
                    arrays,
                    images(arrays, 4),
                    "seed",
                    HALVES,
                    step -> {});
            assertThat(learnt.vectors().get(0).get(0))
                    .isEqualTo(learner.initial().get(0));
            assertThat(share(learnt.adapter(), Half.B, value -> value != 0)).isGreaterThan(0.5);
        }
    }

    /** Tokens of two classes and one adapter, learnt at once; in which order the classes come does not matter. */
    @Test
    void eachImageIsToldItsOwnClass() throws IOException {
        Adaptation.Learnt learnt = both(List.of("bag", "sneaker"), List.of(0, 1, 0, 1));
        Adaptation.Learnt swapped = both(List.of("sneaker", "bag"), List.of(1, 0, 1, 0));
        assertThat(swapped.adapter()).isEqualTo(learnt.adapter());
        assertThat(swapped.losses()).isEqualTo(learnt.losses());
        assertThat(swapped.loss()).isEqualTo(learnt.loss());
        assertThat(swapped.vectors().get(1).get(0))
                .isEqualTo(learnt.vectors().get(0).get(0));
        assertThat(swapped.vectors().get(0).get(0))
                .isEqualTo(learnt.vectors().get(1).get(0));
        Adaptation.Learnt wrong = both(List.of("bag", "sneaker"), List.of(1, 0, 1, 0));
        assertThat(wrong.losses().get(0)).isNotEqualTo(learnt.losses().get(0));
        assertThat(wrong.plainLoss()).isNotEqualTo(learnt.plainLoss());
    }

    /** A class that no image is of learns nothing, and takes nothing from the other. */
    @Test
    void aClassWithoutImagesLeavesTheOtherAsIfItWereAlone() throws IOException {
        Adaptation.Learnt alone = both(List.of("bag"), List.of(0, 0, 0, 0));
        Adaptation.Learnt beside = both(List.of("bag", "sneaker"), List.of(0, 0, 0, 0));
        assertThat(beside.adapter()).isEqualTo(alone.adapter());
        assertThat(beside.vectors().get(0).get(0))
                .isEqualTo(alone.vectors().get(0).get(0));
        try (TokenLearner learner = learner("sneaker")) {
            assertThat(beside.vectors().get(1).get(0))
                    .isEqualTo(learner.initial().get(0));
        }
    }

    private static Adaptation.Learnt both(List<String> names, List<Integer> classes) throws IOException {
        Adaptation adaptation =
                new Adaptation(TrainingProcess.of(CHECKPOINT.schedulerConfig()), new Adaptation.Settings(2, 4, 0, 0.2));
        List<TokenLearner> learners =
                names.stream().map(AdaptationTest::learner).toList();
        try (NDManager arrays = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            Adaptation.Images images = images(arrays, classes.size());
            List<Told> told = new ArrayList<>();
            for (int i = 0; i < names.size(); i++) {
                told.add(new Told.Token(learners.get(i), "a photo of a <it>", "a photo of a " + names.get(i), 0.01));
            }
            return adaptation.learn(
                    student(0.01),
                    told,
                    arrays,
                    new Adaptation.Images(images.shape(), images.latents(), List.of(), images.sizes(), classes),
                    "seed",
                    WHOLE,
                    step -> {});
        } finally {
            learners.forEach(TokenLearner::close);
        }
    }

    /** The files' product is what the network computes with, by any reader that takes the rank for alpha. */
    @Test
    void theFileHasPeftsNamesAndWhatTheNetworkTakes() throws IOException {
        Adaptation.Learnt learnt = lora("bag", 0.01, new Adaptation.Settings(2, 4, 0, 0), WHOLE);
        List<LowRankNetwork.Layer> layers = Models.adaptableDenoiser(CHECKPOINT, Device.cpu(), Dtype.FLOAT32)
                .layers();
        Map<String, Values> tensors = LowRankAdapter.tensors(layers, "unet", learnt.adapter());
        assertThat(tensors).hasSize(2 * layers.size());
        LowRankNetwork.Layer layer = layers.get(layers.size() - 1);
        Values a = tensors.get("unet." + layer.name() + ".lora_A.weight");
        Values b = tensors.get("unet." + layer.name() + ".lora_B.weight");
        assertThat(a.shape()).containsExactly(4L, (long) layer.in());
        assertThat(b.shape()).containsExactly((long) layer.out(), 4L);
        int width = learnt.adapter().length / 4;
        for (int row = 0; row < 4; row++) {
            assertThat(a.values()[row * layer.in() + 1]).isEqualTo(learnt.adapter()[row * width + layer.first() + 1]);
            assertThat(b.values()[4 + row]).isEqualTo(learnt.adapter()[row * width + layer.first() + layer.in() + 1]);
        }
    }
}
