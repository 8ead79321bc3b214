package latentmix.model;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import latentmix.architecture.Architecture;
import latentmix.architecture.AutoencoderKL;
import latentmix.architecture.ClipTextModel;
import latentmix.architecture.ClipVisionModel;
import latentmix.architecture.ConvClassifier;
import latentmix.architecture.DiTTransformer2DModel;
import latentmix.architecture.Part;
import latentmix.architecture.SD3Transformer2DModel;
import latentmix.architecture.T5EncoderModel;
import latentmix.architecture.UNet2DConditionModel;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.Safetensors;

/**
 * Runs a checkpoint component on the named inputs of a reference file and compares its outputs with those that the file
 * has: |a - b| ≤ 1e-5 · max|b| + 2e-5.
 *
 * <p>Names are {@code <case>.<tensor>}, or in a file of one case the tensors' alone. U-Net: sample, timestep,
 * encoder_hidden_states and perhaps text_embeds, time_ids, to out. SD3's transformer: hidden_states, timestep,
 * encoder_hidden_states, pooled_projections, out. DiT: hidden_states, timestep, class_labels (numbers), to out, the
 * noise without learnt variances. Autoencoder: image to mean, logvar, scaled_mean, sample (with noise); dec.latent or
 * dec.scaled_latent to dec.image. Text encoder: input_ids and perhaps attention_mask to last_hidden_state,
 * hidden_states_i (-1 is the last), pooler_output or text_embeds. Image encoder: pixel_values to image_embeds,
 * last_hidden_state, hidden_states_i, pooler_output. Classifier: images to features, logits. Tensors with {@code .act.}
 * in their names, and others, are ignored.
 */
public final class ComponentVerification implements AutoCloseable {
    /**
     * One case compared: its output that comes nearest to its bound, or farthest beyond it.
     *
     * @param difference the largest absolute difference
     * @param bound the largest that is allowed
     */
    public record Case(String name, String output, double difference, double bound) {
        public boolean passes() {
            return difference <= bound;
        }
    }

    private static final String CLASS_LABELS = "class_labels";

    private final Path component;
    private final Architecture architecture;
    private final Safetensors reference;
    private final NDManager manager;
    private final List<Case> cases = new ArrayList<>();

    private ComponentVerification(Path component, Path reference) {
        this.component = component;
        this.architecture = Architecture.of(component);
        this.reference = Safetensors.open(reference);
        Torch.start();
        this.manager = NDManager.newBaseManager(Device.cpu());
    }

    /** Runs every case of the file in float32 on the CPU; a file without any is an error. */
    public static List<Case> run(Path component, Path reference) {
        try (ComponentVerification verification = new ComponentVerification(component, reference)) {
            if (verification.architecture instanceof UNet2DConditionModel unet) {
                verification.denoiser(unet.inputs().toArray(String[]::new));
            } else if (verification.architecture instanceof SD3Transformer2DModel) {
                verification.denoiser("hidden_states", "timestep", "encoder_hidden_states", "pooled_projections");
            } else if (verification.architecture instanceof DiTTransformer2DModel) {
                verification.denoiser("hidden_states", "timestep", CLASS_LABELS);
            } else if (verification.architecture instanceof AutoencoderKL vae) {
                verification.encoder(vae);
                verification.decoder(vae);
            } else if (verification.architecture instanceof ClipTextModel) {
                verification.textEncoder("last_hidden_state", "pooler_output text_embeds");
            } else if (verification.architecture instanceof T5EncoderModel) {
                verification.textEncoder("last_hidden_state");
            } else if (verification.architecture instanceof ClipVisionModel vision) {
                verification.imageEncoder(vision);
            } else if (verification.architecture instanceof ConvClassifier) {
                verification.classifier();
            }
            if (verification.cases.isEmpty()) {
                throw new CheckpointException(reference + " has no case for "
                        + verification.architecture.getClass().getSimpleName()
                        + "; its tensors should be named <case>.<tensor>, and are: "
                        + String.join(", ", verification.reference.tensors().keySet()));
            }
            return List.copyOf(verification.cases);
        }
    }

    /** Runs a network of these inputs, whose output is called out. */
    private void denoiser(String... inputs) {
        List<String> names = cases(".out");
        try (Network network = load(Part.DENOISER, names)) {
            for (String name : names) {
                try (Comparison comparison = new Comparison(name)) {
                    NDArray[] arrays =
                            Stream.of(inputs).map(comparison::networkInput).toArray(NDArray[]::new);
                    comparison.compare(
                            "out", network.forward(comparison.scope, arrays).get(0));
                }
            }
        }
    }

    private void encoder(AutoencoderKL vae) {
        List<String> names =
                cases(".image").stream().filter(name -> !name.endsWith(".dec")).toList();
        try (Network network = load(Part.ENCODER, names)) {
            for (String name : names) {
                try (Comparison comparison = new Comparison(name)) {
                    NDList moments = network.forward(comparison.scope, comparison.input("image"));
                    NDArray mean = moments.get(0);
                    comparison.compare("mean", mean);
                    comparison.compare("logvar", moments.get(1));
                    comparison.compare(
                            "scaled_mean", mean.sub(vae.shiftFactor()).mul(vae.scalingFactor()));
                    if (comparison.has("noise")) {
                        NDArray deviation = moments.get(1).mul(0.5f).exp();
                        comparison.compare(
                                "sample",
                                comparison.input("noise").mul(deviation).add(mean));
                    }
                }
            }
        }
    }

    private void decoder(AutoencoderKL vae) {
        List<String> names = cases(".dec.image");
        try (Network network = load(Part.DECODER, names)) {
            for (String name : names) {
                try (Comparison comparison = new Comparison(name + ".dec")) {
                    NDArray latent = comparison.has("latent")
                            ? comparison.input("latent")
                            : comparison
                                    .input("scaled_latent")
                                    .div(vae.scalingFactor())
                                    .add(vae.shiftFactor());
                    comparison.compare(
                            "image", network.forward(comparison.scope, latent).get(0));
                }
            }
        }
    }

    /**
     * Runs a network whose first outputs have these names, some of them several. Its other outputs are the hidden
     * states.
     */
    private void textEncoder(String... outputNames) {
        List<String> names = cases(".input_ids");
        try (Network network = load(Part.TEXT_ENCODER, names)) {
            for (String name : names) {
                try (Comparison comparison = new Comparison(name)) {
                    NDArray ids = comparison.input("input_ids").toType(DataType.INT64, false);
                    NDArray mask = comparison.has("attention_mask")
                            ? comparison.input("attention_mask").toType(DataType.INT64, false)
                            : comparison.scope.ones(ids.getShape(), DataType.INT64);
                    NDList outputs = network.forward(comparison.scope, ids, mask);
                    for (int i = 0; i < outputNames.length; i++) {
                        for (String output : outputNames[i].split(" ", -1)) {
                            comparison.compare(output, outputs.get(i));
                        }
                    }
                    comparison.compareHiddenStates(outputs.subList(outputNames.length, outputs.size()));
                }
            }
        }
    }

    private void imageEncoder(ClipVisionModel vision) {
        List<String> names = cases(".pixel_values");
        try (Network network = load(Part.IMAGE_ENCODER, names)) {
            for (String name : names) {
                try (Comparison comparison = new Comparison(name)) {
                    NDList outputs = network.forward(comparison.scope, comparison.input("pixel_values"));
                    if (vision.projection() > 0) {
                        comparison.compare("image_embeds", outputs.get(0));
                    }
                    comparison.compare("last_hidden_state", outputs.get(1));
                    comparison.compare("pooler_output", outputs.get(2));
                    comparison.compareHiddenStates(outputs.subList(3, outputs.size()));
                }
            }
        }
    }

    private void classifier() {
        List<String> names = cases(".images");
        try (Network network = load(Part.CLASSIFIER, names)) {
            for (String name : names) {
                try (Comparison comparison = new Comparison(name)) {
                    NDList outputs = network.forward(comparison.scope, comparison.input("images"));
                    comparison.compare("features", outputs.get(0));
                    comparison.compare("logits", outputs.get(1));
                }
            }
        }
    }

    /** The names of all cases that have a tensor of this ending, sorted; a file's only case may have none. */
    private List<String> cases(String ending) {
        TreeSet<String> names = new TreeSet<>();
        for (String tensor : reference.tensors().keySet()) {
            if (tensor.endsWith(ending) && !tensor.contains(".act.")) {
                names.add(tensor.substring(0, tensor.length() - ending.length()));
            } else if (ending.equals("." + tensor)) {
                names.add("");
            }
        }
        return List.copyOf(names);
    }

    /** The network, or none where no case needs it. */
    private Network load(Part part, List<String> names) {
        return names.isEmpty() ? null : Models.load(component, part, Device.cpu(), Dtype.FLOAT32);
    }

    @Override
    public void close() {
        manager.close();
        reference.close();
    }

    /** One case while it is run; closing it records the result, if anything was compared. */
    private final class Comparison implements AutoCloseable {
        private final String name;
        private final NDManager scope = manager.newSubManager();
        private Case worst;

        private Comparison(String name) {
            this.name = name;
        }

        private String key(String tensor) {
            return name.isEmpty() ? tensor : name + "." + tensor;
        }

        private boolean has(String tensor) {
            return reference.tensors().containsKey(key(tensor));
        }

        /** An input; integers become float32, since the networks take numbers and ids as such. */
        private NDArray input(String tensor) {
            Safetensors.Tensor entry = reference.tensor(key(tensor));
            Shape shape =
                    new Shape(entry.shape().stream().mapToLong(Long::longValue).toArray());
            return entry.type().isFloating()
                    ? scope.create(reference.floats(entry.name()), shape)
                    : scope.create(reference.longs(entry.name()), shape);
        }

        /** An input of a denoiser, which takes classes as weights of all. */
        private NDArray networkInput(String tensor) {
            return architecture instanceof DiTTransformer2DModel dit && tensor.equals(CLASS_LABELS)
                    ? input(tensor).oneHot(dit.told(), DataType.FLOAT32)
                    : input(tensor);
        }

        /** Compares hidden_states_0, 1, … and counted from the end, -1 being the last. */
        private void compareHiddenStates(List<NDArray> states) {
            for (int i = 0; i < states.size(); i++) {
                compare("hidden_states_" + i, states.get(i));
                compare("hidden_states_" + (i - states.size()), states.get(i));
            }
        }

        private void compare(String tensor, NDArray actual) {
            if (!has(tensor)) {
                return;
            }
            Safetensors.Tensor entry = reference.tensor(key(tensor));
            float[] expected = reference.floats(entry.name());
            Shape shape =
                    new Shape(entry.shape().stream().mapToLong(Long::longValue).toArray());
            if (!shape.equals(actual.getShape())) {
                throw new CheckpointException(reference.path() + ": " + entry.name() + " has the shape " + shape
                        + ", but the component gives " + actual.getShape());
            }
            float[] values = actual.toFloatArray();
            double difference = 0;
            double largest = 0;
            for (int i = 0; i < values.length; i++) {
                double distance = Math.abs((double) values[i] - expected[i]);
                difference = Double.isNaN(distance) ? Double.POSITIVE_INFINITY : Math.max(difference, distance);
                largest = Math.max(largest, Math.abs(expected[i]));
            }
            double bound = 1e-5 * largest + 2e-5;
            if (worst == null || difference / bound > worst.difference() / worst.bound()) {
                worst = new Case(name, tensor, difference, bound);
            }
        }

        @Override
        public void close() {
            scope.close();
            if (worst != null) {
                cases.add(worst);
            }
        }
    }
}
