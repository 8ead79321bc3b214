package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.Golden;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.Safetensors;
import latentmix.checkpoint.Tensors;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.Resize;
import latentmix.image.UnreadableImage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImageEncoderTest {
    private static final Golden GOLDEN = Golden.open("clip-vision");
    private static final Path CLASSIFIER = BuiltIn.FASHION.folder().resolve("classifier");

    @TempDir
    Path folder;

    private static Pixels image(String name, int width, int height) {
        return new Pixels(width, height, GOLDEN.uint8(name + ".image_uint8_hwc"));
    }

    private static ImageClassifier classifier() {
        return Models.classifier(CLASSIFIER, Device.cpu(), Dtype.FLOAT32);
    }

    /** The mean of each position's three bytes, in [-1, 1]. */
    private static double[] grey(Pixels pixels) {
        double[] grey = new double[pixels.width() * pixels.height()];
        for (int i = 0; i < grey.length; i++) {
            for (int c = 0; c < 3; c++) {
                grey[i] += ((pixels.rgb()[3 * i + c] & 0xff) / 127.5 - 1) / 3;
            }
        }
        return grey;
    }

    /** The sample's images, a list a class in the order of labels. */
    private static List<List<Pixels>> sample() throws IOException {
        return images(BuiltIn.FASHION_MNIST_SAMPLE);
    }

    private static List<List<Pixels>> images(BuiltIn sample) throws IOException {
        List<List<Pixels>> classes = new ArrayList<>();
        try (Stream<Path> folders = Files.list(sample.folder())) {
            for (Path each : folders.filter(Files::isDirectory).sorted().toList()) {
                try (Stream<Path> files = Files.list(each)) {
                    classes.add(files.sorted().map(ImageEncoderTest::decoded).toList());
                }
            }
        }
        return classes;
    }

    private static Pixels decoded(Path file) {
        try {
            return ImageDecoder.decode(Files.readAllBytes(file), 1 << 20);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (UnreadableImage e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @CsvSource({"pre_down, 70, 50", "pre_up, 24, 20"})
    void pixelValuesAreTheLibrarysBitForBit(String name, int width, int height) {
        ClipImageProcessor processor = ClipImageProcessor.of(Golden.folder("clip-vision"));
        assertThat(processor.pixelValues(image(name, width, height))).isEqualTo(GOLDEN.floats(name + ".pixel_values"));
    }

    @Test
    void anImagesEmbeddingIsTheLibrarys() {
        try (ImageEncoder clip = Models.imageEncoder(Golden.folder("clip-vision"), Device.cpu(), Dtype.FLOAT32)) {
            List<float[]> embeds = clip.encode(List.of(image("pre_down", 70, 50), image("pre_up", 24, 20)));
            assertThat(clip.width()).isEqualTo(20);
            Golden.assertForward("pre_down", embeds.get(0), GOLDEN.floats("pre_down.image_embeds"));
            Golden.assertForward("pre_up", embeds.get(1), GOLDEN.floats("pre_up.image_embeds"));
            assertThatThrownBy(() -> clip.encode(List.of())).hasMessageContaining("at least one image");
        }
    }

    @Test
    void withoutAProjectionTheFeaturesAreThePooledOutput() throws IOException {
        String config = Files.readString(Golden.folder("clip-vision").resolve("config.json"));
        Files.writeString(
                folder.resolve("config.json"), config.replace("CLIPVisionModelWithProjection", "CLIPVisionModel"));
        Tensors.of(Golden.folder("clip-vision").resolve("model.safetensors"))
                .remove("visual_projection.weight")
                .write(folder.resolve("model.safetensors"));
        Files.copy(
                Golden.folder("clip-vision").resolve("preprocessor_config.json"),
                folder.resolve("preprocessor_config.json"));
        List<ComponentVerification.Case> cases =
                ComponentVerification.run(folder, Golden.folder("clip-vision").resolve("golden.safetensors"));
        assertThat(cases).hasSize(1).allMatch(ComponentVerification.Case::passes); // the others have image_embeds alone
        try (ImageEncoder clip = Models.imageEncoder(folder, Device.cpu(), Dtype.FLOAT32)) {
            assertThat(clip.width()).isEqualTo(32);
            assertThat(clip.encode(List.of(image("pre_up", 24, 20))).get(0)).hasSize(32);
        }
    }

    /**
     * The published folders of both models, such as openai/clip-vit-large-patch14, have one config and one file of
     * weights.
     */
    @Test
    void aFolderOfBothOfClipsModelsGivesTheSame() throws IOException {
        String vision = Files.readString(Golden.folder("clip-vision").resolve("config.json"))
                .replace("CLIPVisionModelWithProjection", "CLIPVisionModel")
                .replace("\"projection_dim\": 20", "\"projection_dim\": 512"); // there it has no meaning
        Files.writeString(
                folder.resolve("config.json"),
                "{\"architectures\": [\"CLIPModel\"], \"projection_dim\": 20, \"vision_config\": " + vision + "}");
        Tensors.of(Golden.folder("clip-vision").resolve("model.safetensors"))
                .put("text_model.final_layer_norm.bias", List.of(1L), 0)
                .put("text_projection.weight", List.of(1L, 1L), 0)
                .put("logit_scale", List.of(), 0)
                .put("vision_model.embeddings.position_ids", List.of(1L, 17L), new float[17])
                .write(folder.resolve("model.safetensors"));
        List<ComponentVerification.Case> cases =
                ComponentVerification.run(folder, Golden.folder("clip-vision").resolve("golden.safetensors"));
        assertThat(cases).hasSize(3).allMatch(ComponentVerification.Case::passes);
    }

    @Test
    void theImageProcessorMayLieWhereDiffusersPutsIt() throws IOException {
        Path component = Files.createDirectories(folder.resolve("image_encoder"));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(Golden.folder("clip-vision").resolve(file), component.resolve(file));
        }
        assertThatThrownBy(() -> Models.imageEncoder(component, Device.cpu(), Dtype.FLOAT32))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("preprocessor_config.json")
                .hasMessageContaining("feature_extractor");
        Path beside = Files.createDirectories(folder.resolve("feature_extractor"));
        Files.writeString(beside.resolve("preprocessor_config.json"), "{\"size\": 32, \"crop_size\": 32}");
        try (ImageEncoder clip = Models.imageEncoder(component, Device.cpu(), Dtype.FLOAT32)) {
            Golden.assertForward(
                    "pre_up",
                    clip.encode(List.of(image("pre_up", 24, 20))).get(0),
                    GOLDEN.floats("pre_up.image_embeds"));
        }
        Files.writeString(beside.resolve("preprocessor_config.json"), "{}");
        assertThatThrownBy(() -> Models.imageEncoder(component, Device.cpu(), Dtype.FLOAT32))
                .hasMessageContaining("3 × 224 × 224")
                .hasMessageContaining("cannot take: 3 × 32 × 32");
    }

    @Test
    void aFolderOfAnotherNetworkIsRefusedByName() {
        assertThatThrownBy(() -> Models.imageEncoder(Golden.folder("vae-sd15"), Device.cpu(), Dtype.FLOAT32))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("should be of the architecture ClipVisionModel, but is AutoencoderKL");
        assertThatThrownBy(() -> Models.classifier(Golden.folder("clip-vision"), Device.cpu(), Dtype.FLOAT32))
                .hasMessageContaining("should be of the architecture ConvClassifier, but is ClipVisionModel");
    }

    /** It was trained on them among 60,000, and is right about 91 % of those it has not seen. */
    @Test
    void theBuiltInClassifierKnowsNineInTenOfTheSample() throws IOException {
        List<List<Pixels>> classes = sample();
        assertThat(classes).hasSize(10).allMatch(images -> images.size() == 64);
        assertThat(right(CLASSIFIER, classes)).isBetween(0.9, 1.0);
    }

    /** They are among the 1,269 that it was trained on. */
    @Test
    void theClassifierInColourKnowsNineInTenOfItsSample() throws IOException {
        List<List<Pixels>> classes = images(BuiltIn.EMOJI_SAMPLE);
        assertThat(classes).hasSize(20).allMatch(images -> images.size() == 32);
        assertThat(right(BuiltIn.EMOJI.folder().resolve("classifier"), classes)).isBetween(0.9, 1.0);
    }

    /** The share of images for which a classifier names their own class. */
    private static double right(Path component, List<List<Pixels>> classes) {
        int right = 0;
        int all = 0;
        try (ImageClassifier classifier = Models.classifier(component, Device.cpu(), Dtype.FLOAT32)) {
            for (int label = 0; label < classes.size(); label++) {
                int asked = label;
                List<ImageClassifier.Classification> answers = classifier.classify(classes.get(label));
                assertThat(answers)
                        .allMatch(answer -> answer.features().length == classifier.width()
                                && answer.logits().length == classes.size());
                right += (int) answers.stream()
                        .filter(answer -> answer.label() == asked)
                        .count();
                all += answers.size();
            }
        }
        return (double) right / all;
    }

    @Test
    void theBuiltInClassifierIsWhatItsLayersSayWrittenOutInJava() throws IOException {
        List<Pixels> images = List.of(sample().get(5).get(3), sample().get(9).get(0), image("pre_down", 70, 50));
        try (ImageClassifier classifier = classifier();
                Safetensors weights = Safetensors.open(CLASSIFIER.resolve("model.safetensors"))) {
            List<ImageClassifier.Classification> answers = classifier.classify(images);
            assertThat(classifier.encode(images))
                    .containsExactlyElementsOf(answers.stream()
                            .map(ImageClassifier.Classification::features)
                            .toList());
            for (int i = 0; i < images.size(); i++) {
                Naive naive = new Naive(weights, grey(Resize.square(images.get(i), 32)));
                Golden.assertForward("features", answers.get(i).features(), naive.features());
                Golden.assertForward("logits", answers.get(i).logits(), naive.logits());
                assertThat(answers.get(i).features()).hasSize(64).doesNotContain(-1f);
            }
        }
    }

    @Test
    void theClassifierIsVerifiedAgainstAFileLikeEveryComponent() {
        float[] images = new float[2 * 32 * 32];
        IntStream.range(0, images.length).forEach(i -> images[i] = (float) Math.sin(i));
        float[] logits = new float[20];
        Tensors reference = new Tensors()
                .put("waves.images", List.of(2L, 1L, 32L, 32L), images)
                .put("waves.logits", List.of(2L, 10L), logits);
        try (Safetensors weights = Safetensors.open(CLASSIFIER.resolve("model.safetensors"))) {
            for (int i = 0; i < 2; i++) {
                double[] image = new double[32 * 32];
                for (int p = 0; p < image.length; p++) {
                    image[p] = images[i * image.length + p];
                }
                System.arraycopy(new Naive(weights, image).logits(), 0, logits, 10 * i, 10);
            }
        }
        Path file = reference.write(folder.resolve("reference.safetensors"));
        assertThat(ComponentVerification.run(CLASSIFIER, file))
                .hasSize(1)
                .allMatch(result -> result.passes() && result.output().equals("logits"));
        logits[13] += 1e-3f;
        reference.write(file);
        assertThat(ComponentVerification.run(CLASSIFIER, file)).noneMatch(ComponentVerification.Case::passes);
    }

    @Test
    void bfloat16GivesTheSameFeaturesToItsPrecision() throws IOException {
        List<Pixels> images = sample().get(2);
        try (ImageClassifier exact = classifier();
                ImageClassifier rounded = Models.classifier(CLASSIFIER, Device.cpu(), Dtype.BFLOAT16)) {
            double squares = 0;
            double differences = 0;
            List<float[]> expected = exact.encode(images);
            List<float[]> actual = rounded.encode(images);
            for (int i = 0; i < images.size(); i++) {
                for (int j = 0; j < exact.width(); j++) {
                    squares += Math.pow(expected.get(i)[j], 2);
                    differences += Math.pow(expected.get(i)[j] - actual.get(i)[j], 2);
                }
            }
            assertThat(Math.sqrt(differences / squares)).isBetween(1e-5, 0.03);
        }
    }

    /** The classifier's layers one after the other, in double. */
    private static final class Naive {
        private final Safetensors weights;
        private final double[] features;

        /** An image's grey values in [-1, 1]. */
        Naive(Safetensors weights, double[] image) {
            this.weights = weights;
            double[] x = image;
            int side = 32;
            int[] strides = {2, 2, 1, 2};
            for (int block = 0; block < strides.length; block++) {
                x = conv("body." + block + ".0.weight", x, side, strides[block]);
                side = side / strides[block];
                x = normRelu("body." + block + ".1.", x, side * side);
            }
            features = normRelu("body.7.", linear("body.6.", x), 1);
        }

        float[] features() {
            return floats(features);
        }

        float[] logits() {
            return floats(linear("fc.", features));
        }

        private static float[] floats(double[] values) {
            float[] floats = new float[values.length];
            IntStream.range(0, values.length).forEach(i -> floats[i] = (float) values[i]);
            return floats;
        }

        /** 3×3, a border of zeros. */
        private double[] conv(String key, double[] x, int side, int stride) {
            float[] w = weights.floats(key);
            int in = x.length / (side * side);
            int out = w.length / (9 * in);
            int size = side / stride;
            double[] y = new double[out * size * size];
            for (int o = 0; o < out; o++) {
                for (int p = 0; p < size * size; p++) {
                    double sum = 0;
                    for (int k = 0; k < 9 * in; k++) {
                        int row = p / size * stride + k % 9 / 3 - 1;
                        int column = p % size * stride + k % 3 - 1;
                        if (row >= 0 && row < side && column >= 0 && column < side) {
                            sum += w[o * 9 * in + k] * x[(k / 9 * side + row) * side + column];
                        }
                    }
                    y[o * size * size + p] = sum;
                }
            }
            return y;
        }

        private double[] normRelu(String prefix, double[] x, int plane) {
            float[] weight = weights.floats(prefix + "weight");
            float[] bias = weights.floats(prefix + "bias");
            float[] mean = weights.floats(prefix + "running_mean");
            float[] variance = weights.floats(prefix + "running_var");
            double[] y = new double[x.length];
            Arrays.setAll(y, i -> {
                int c = i / plane;
                return Math.max(0, (x[i] - mean[c]) / Math.sqrt(variance[c] + 1e-5) * weight[c] + bias[c]);
            });
            return y;
        }

        private double[] linear(String prefix, double[] x) {
            float[] weight = weights.floats(prefix + "weight");
            float[] bias = weights.floats(prefix + "bias");
            double[] y = new double[bias.length];
            Arrays.setAll(
                    y,
                    o -> bias[o]
                            + IntStream.range(0, x.length)
                                    .mapToDouble(i -> weight[o * x.length + i] * x[i])
                                    .sum());
            return y;
        }
    }
}
