package latentmix.model;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import latentmix.architecture.ClipVisionModel;
import latentmix.architecture.ConvClassifier;
import latentmix.checkpoint.CheckpointException;
import latentmix.image.Pixels;
import latentmix.image.Resize;

/** A network over images in libtorch; the network belongs to {@link Models}. */
sealed interface TorchImageEncoder extends ImageEncoder {
    Network network();

    Device device();

    @Override
    default void close() {
        // Models owns the network.
    }

    /**
     * The rows of the first outputs, as many as are asked for.
     *
     * @param inputs one image each, (channels, size, size)
     */
    private static List<List<float[]>> forward(
            TorchImageEncoder encoder, List<float[]> inputs, int channels, int size, int asked) {
        if (inputs.isEmpty()) {
            throw new IllegalArgumentException("There must be at least one image, there is none");
        }
        float[] batch = new float[inputs.size() * channels * size * size];
        for (int i = 0; i < inputs.size(); i++) {
            System.arraycopy(inputs.get(i), 0, batch, i * channels * size * size, channels * size * size);
        }
        try (NDManager manager = NDManager.newBaseManager(encoder.device())) {
            NDArray images = manager.create(batch, new Shape(inputs.size(), channels, size, size));
            NDList outputs = encoder.network().forward(manager, images);
            return outputs.subList(0, asked).stream()
                    .map(TorchImageEncoder::rows)
                    .toList();
        }
    }

    private static List<float[]> rows(NDArray output) {
        int rows = Math.toIntExact(output.size(0));
        float[] values = output.toFloatArray();
        int width = values.length / rows;
        List<float[]> each = new ArrayList<>();
        for (int i = 0; i < rows; i++) {
            each.add(Arrays.copyOfRange(values, i * width, (i + 1) * width));
        }
        return each;
    }

    /**
     * A CLIP vision model, whose features are image_embeds, not normalised, or its pooled output where it has no
     * projection.
     */
    record Clip(Network network, Device device, ClipVisionModel config, ClipImageProcessor processor)
            implements TorchImageEncoder {
        @Override
        public List<float[]> encode(List<Pixels> images) {
            List<float[]> inputs = images.stream().map(processor::pixelValues).toList();
            return forward(this, inputs, config.channels(), config.imageSize(), 1)
                    .get(0);
        }

        @Override
        public int width() {
            return config.features();
        }
    }

    /**
     * The standard Inception, whose program takes bytes of any size, resizes them itself as the original did, and
     * returns its last pooling layer.
     */
    record Inception(Network network, Device device) implements TorchImageEncoder {
        @Override
        public List<float[]> encode(List<Pixels> images) {
            if (images.isEmpty()) {
                throw new IllegalArgumentException("There must be at least one image, there is none");
            }
            int width = images.get(0).width();
            int height = images.get(0).height();
            ByteBuffer bytes = ByteBuffer.allocateDirect(images.size() * 3 * height * width);
            for (Pixels image : images) {
                if (image.width() != width || image.height() != height) {
                    throw new IllegalArgumentException("Images of a batch must be of one size, cannot be: " + width
                            + " × " + height + " and " + image.width() + " × " + image.height());
                }
                image.putChw(bytes);
            }
            try (NDManager manager = NDManager.newBaseManager(device, "PyTorch")) {
                NDArray input =
                        manager.create(bytes.flip(), new Shape(images.size(), 3, height, width), DataType.UINT8);
                List<float[]> features = TorchImageEncoder.rows(
                        network.forwardFlagged(manager, input).singletonOrThrow());
                if (features.get(0).length != InceptionFile.WIDTH) {
                    throw new CheckpointException("Inception must return " + InceptionFile.WIDTH
                            + " features of an image, cannot return: " + features.get(0).length);
                }
                return features;
            }
        }

        @Override
        public int width() {
            return InceptionFile.WIDTH;
        }
    }

    /** A classifier of images in [-1, 1]; one of grey images sees the mean of the colours. */
    record Classifier(Network network, Device device, ConvClassifier config)
            implements TorchImageEncoder, ImageClassifier {
        @Override
        public List<Classification> classify(List<Pixels> images) {
            List<float[]> inputs = images.stream().map(this::input).toList();
            List<List<float[]>> outputs = forward(this, inputs, config.inChannels(), config.imageSize(), 2);
            List<Classification> classifications = new ArrayList<>();
            for (int i = 0; i < images.size(); i++) {
                classifications.add(
                        new Classification(outputs.get(0).get(i), outputs.get(1).get(i)));
            }
            return classifications;
        }

        private float[] input(Pixels pixels) {
            float[] chw = Resize.square(pixels, config.imageSize()).toChw();
            if (config.inChannels() == 3) {
                return chw;
            }
            float[] grey = new float[chw.length / 3];
            for (int i = 0; i < grey.length; i++) {
                grey[i] = (chw[i] + chw[grey.length + i] + chw[2 * grey.length + i]) / 3;
            }
            return grey;
        }

        @Override
        public int width() {
            return config.featureDim();
        }
    }
}
