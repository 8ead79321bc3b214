package latentmix.training;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import latentmix.checkpoint.Fingerprint;
import latentmix.checkpoint.SafetensorsWriter.Values;
import latentmix.torchscript.ScriptModule;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.apache.commons.rng.simple.RandomSource;

/**
 * Values that a network's parameters have before training, as torch's layers choose them: matrices and kernels uniform
 * in ±1/√fan_in (<a href="https://docs.pytorch.org/docs/2.7/generated/torch.nn.Linear.html">torch.nn.Linear</a>),
 * embeddings normal with deviation 0.02 (CLIP's), norms' weights 1, biases 0.
 *
 * <p>Each parameter is drawn from the seed and its own key, so that adding one changes no other.
 */
final class Initialization {
    private static final double EMBEDDING_DEVIATION = 0.02;

    private Initialization() {}

    /** Values for every parameter of a module, by key. */
    static Map<String, Values> of(ScriptModule module, long seed) {
        Map<String, Values> values = new LinkedHashMap<>();
        module.forEachParameter((key, shape) -> values.put(key, values(key, shape, seed)));
        return values;
    }

    private static Values values(String key, List<Long> shape, long seed) {
        float[] values = new float[Math.toIntExact(shape.stream().reduce(1L, Math::multiplyExact))];
        UniformRandomProvider random = RandomSource.XO_RO_SHI_RO_128_PP.create(
                Long.parseUnsignedLong(Fingerprint.ofText(seed + "/" + key).substring(0, 16), 16));
        if (key.endsWith("embedding.weight")) {
            ZigguratSampler.NormalizedGaussian normal = ZigguratSampler.NormalizedGaussian.of(random);
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (EMBEDDING_DEVIATION * normal.sample());
            }
        } else if (shape.size() > 1) {
            double bound = 1 / Math.sqrt((double) values.length / shape.get(0));
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (bound * (2 * random.nextDouble() - 1));
            }
        } else if (key.endsWith("weight")) {
            Arrays.fill(values, 1);
        }
        return new Values(shape, values);
    }
}
