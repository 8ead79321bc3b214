package latentmix.model;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtEngine;
import java.nio.file.Path;
import java.util.Random;
import latentmix.architecture.Part;
import latentmix.checkpoint.BuiltIn;

/**
 * Whether a device computes what a CPU computes: the built-in U-Net on it, in one of the number formats, against the
 * same network on the CPU in float32.
 */
public final class DeviceCheck {
    private static final Shape SAMPLE = new Shape(2, 4, 8, 8);
    private static final Shape PROMPT = new Shape(2, 16, 128);
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
     * The difference that rounding explains: 16 times the format's machine epsilon, but no less than TF32's 2⁻¹⁰ times
     * 4, since cuDNN's convolutions take float32 as TF32.
     */
    public static double bound(Dtype dtype) {
        return switch (dtype) {
            case FLOAT32 -> 4 * 0x1p-10;
            case FLOAT16 -> 16 * 0x1p-10;
            case BFLOAT16 -> 16 * 0x1p-7;
        };
    }

    private static float[] output(Device device, Dtype dtype) {
        Path unet = BuiltIn.FASHION.folder().resolve("unet");
        Path program = Models.compile(unet, Part.DENOISER, dtype);
        try (Network network = Network.load(program, device);
                NDManager manager = NDManager.newBaseManager(device, PtEngine.ENGINE_NAME)) {
            NDArray prompt = normal(manager, PROMPT, 1);
            return network.forward(manager, normal(manager, SAMPLE, 0), manager.create(TIMESTEP), prompt)
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
