package latentmix.architecture;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import latentmix.torchscript.ScriptModule;

/**
 * A plain convolutional classifier of grey or coloured images, which the built-in models bring along for metrics:
 * blocks of 3×3 convolution, norm and relu, then one such layer over all positions, whose outputs are the features, and
 * a linear layer to the logits.
 *
 * <p>Batch norm is in evaluation mode, y = (x - running_mean) / √(running_var + 1e-5) · weight + bias (<a
 * href="https://docs.pytorch.org/docs/2.7/generated/torch.nn.BatchNorm2d.html">torch.nn.BatchNorm2d</a>). Keys are
 * those of a {@code Sequential} named body, in which the flattening and a place that has no weights stand before the
 * last layer. A classifier with group norm does the same while it is trained and after, whatever the other images of
 * its batch are.
 *
 * @param inChannels 1 for grey, 3 for colours
 * @param strides one a block, 1 or 2
 */
public record ConvClassifier(
        int imageSize,
        int inChannels,
        List<Integer> blockOutChannels,
        List<Integer> strides,
        int featureDim,
        int numClasses,
        Normalization normalization)
        implements Architecture {
    /** The norm of a layer's outputs. */
    public enum Normalization {
        /** The outputs are normalised by the statistics of the training images. */
        BATCH_NORM,
        /**
         * The outputs are normalised by the image's own statistics: those of eight groups of channels, and those of all
         * features.
         */
        GROUP_NORM
    }

    private static final int GROUPS = 8;
    private static final double EPS = 1e-5;
    private static final double MOMENTUM = 0.1; // of no effect in evaluation mode

    static ConvClassifier of(ModelConfig config) {
        List<Integer> channels = config.integers("block_out_channels", List.of(32, 64, 64, 128));
        ConvClassifier classifier = new ConvClassifier(
                config.integer("image_size", 32),
                config.integer("in_channels", 1),
                channels,
                config.perLevel("strides", 2, channels.size()),
                config.integer("feature_dim", 64),
                config.integer("num_classes", 10),
                Normalization.valueOf(config.oneOf("normalization", "batch_norm", "group_norm")
                        .toUpperCase(Locale.ROOT)));
        config.require(
                classifier.inChannels == 1 || classifier.inChannels == 3,
                "in_channels must be 1 or 3, cannot be: " + classifier.inChannels);
        config.require(
                classifier.strides.stream().allMatch(stride -> stride <= 2),
                "strides must be 1 or 2, cannot be: " + classifier.strides);
        config.require(
                classifier.normalization == Normalization.BATCH_NORM
                        || channels.stream().allMatch(count -> count % GROUPS == 0),
                "block_out_channels must be multiples of " + GROUPS + " with group_norm, cannot be: " + channels);
        return classifier;
    }

    /** Ignores {@code num_batches_tracked}, a count of training batches. */
    @Override
    public boolean ignores(String key) {
        return key.endsWith(".num_batches_tracked");
    }

    /**
     * forward(images): (B, inChannels, imageSize, imageSize), in [-1, 1], to float32 [features (B, featureDim), at
     * least 0, logits (B, numClasses)].
     */
    @Override
    public Map<Part, ScriptModule> parts() {
        int blocks = blockOutChannels.size();
        ScriptModule body = ScriptModule.named("ConvClassifierBody");
        StringBuilder calls = new StringBuilder();
        int width = inChannels;
        int side = imageSize;
        for (int i = 0; i < blocks; i++) {
            int out = blockOutChannels.get(i);
            body = body.child(Integer.toString(i), block(width, out, strides.get(i), norm(out)));
            calls.append("  x = getattr(self, \"%d\").forward(x)\n".formatted(i));
            width = out;
            side = (side - 1) / strides.get(i) + 1;
        }
        body = body.child(Integer.toString(blocks + 2), Layers.linear(width * side * side, featureDim))
                .child(Integer.toString(blocks + 3), featureNorm())
                .method("def forward(self, x: Tensor) -> Tensor:\n"
                        + calls
                        + "  x = getattr(self, \"%d\").forward(torch.flatten(x, 1))\n".formatted(blocks + 2)
                        + "  return torch.relu_(getattr(self, \"%d\").forward(x))\n".formatted(blocks + 3));
        return Map.of(
                Part.CLASSIFIER,
                ScriptModule.named("ConvClassifier")
                        .child("body", body)
                        .child("fc", Layers.linear(featureDim, numClasses))
                        .method(
                                """
                                def forward(self, images: Tensor) -> List[Tensor]:
                                  features = self.body.forward(images.to(self.fc.weight))
                                  return [features.to(6), self.fc.forward(features).to(6)]
                                """));
    }

    private ScriptModule norm(int channels) {
        return switch (normalization) {
            case BATCH_NORM -> batchNorm(channels);
            case GROUP_NORM -> Layers.groupNorm(GROUPS, channels, EPS);
        };
    }

    private ScriptModule featureNorm() {
        return switch (normalization) {
            case BATCH_NORM -> batchNorm(featureDim);
            case GROUP_NORM -> Layers.layerNorm(featureDim, EPS);
        };
    }

    private static ScriptModule block(int in, int out, int stride, ScriptModule norm) {
        return ScriptModule.named("ConvBlock")
                .child("0", Layers.conv2dWithoutBias(in, out, 3, stride, 1))
                .child("1", norm)
                .method(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return torch.relu_(getattr(self, "1").forward(getattr(self, "0").forward(x)))
                        """);
    }

    private static ScriptModule batchNorm(int channels) {
        return ScriptModule.named("BatchNorm")
                .parameter("weight", channels)
                .parameter("bias", channels)
                .parameter("running_mean", channels)
                .parameter("running_var", channels)
                .method(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return torch.batch_norm(x, self.weight, self.bias, self.running_mean, \
                        self.running_var, False, %s, %s, False)
                        """
                                .formatted(MOMENTUM, EPS));
    }
}
