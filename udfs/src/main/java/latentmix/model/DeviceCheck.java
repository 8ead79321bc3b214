package latentmix.model;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtEngine;
import java.nio.file.Path;
import java.util.Random;
import latentmix.architecture.Architecture;
import latentmix.architecture.Part;
import latentmix.architecture.UNet2DConditionModel;
import latentmix.checkpoint.BuiltIn;

/**
 * Whether a device computes what a CPU computes: the built-in U-Net on it, in one of the number formats, against the
 * same network on the CPU in float32.
 */
public final class DeviceCheck {
    private static final int BATCH = 2;
    private static final int TOKENS = 16;
    private static final float TIMESTEP = 481;

    private DeviceCheck() {}

    /**
     * The largest difference from the CPU's float32 outputs, as a share of the largest of them; NaN where the device
     * gives a number that is not finite.
     *
     * @throws IllegalArgumentException if the device cannot compute in this format
     * @throws IllegalStateException if the network cannot be loaded there
     */
    public static double difference(Device device, Dtype dtype) {
        dtype.requireSupported(device);
        float[] expected = output(Device.cpu(), Dtype.FLOAT32);
        float[] actual = output(device, dtype);
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < expected.length; i++) {
            if (!Float.isFinite(actual[i])) {
                return Double.NaN;
            }
            largest = Math.max(largest, Math.abs(expected[i]));
            difference = Math.max(difference, Math.abs((double) actual[i] - expected[i]));
        }
        return difference / largest;
    }

    /**
     * The difference that rounding explains: four times the format's machine epsilon. float32 is given that of TF32,
     * 2⁻¹⁰, in which cuDNN convolves.
     */
    public static double bound(Dtype dtype) {
        return switch (dtype) {
            case FLOAT32, FLOAT16 -> 4 * 0x1p-10;
            case BFLOAT16 -> 4 * 0x1p-7;
        };
    }

    private static float[] output(Device device, Dtype dtype) {
        Path unet = BuiltIn.FASHION.folder().resolve("unet");
        UNet2DConditionModel architecture = (UNet2DConditionModel) Architecture.of(unet);
        Shape sample =
                new Shape(BATCH, architecture.inChannels(), architecture.sampleSize(), architecture.sampleSize());
        Shape prompt =
                new Shape(BATCH, TOKENS, architecture.crossAttentionDims().get(0));
        Path program = Models.compile(unet, Part.DENOISER, dtype);
        try (Network network = Network.load(program, device);
                NDManager manager = NDManager.newBaseManager(device, PtEngine.ENGINE_NAME)) {
            NDArray noise = normal(manager, sample, 0);
            return network.forward(manager, noise, manager.create(TIMESTEP), normal(manager, prompt, 1))
                    .get(0)
                    .toFloatArray();
        }
    }

    private static NDArray normal(NDManager manager, Shape shape, long seed) {
        Random random = new Random(seed);
        float[] values = new float[Math.toIntExact(shape.size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return manager.create(values, shape);
    }
}
