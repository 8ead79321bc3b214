package latentmix.model;

import ai.djl.Device;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import latentmix.architecture.Architecture;
import latentmix.architecture.AutoencoderKL;
import latentmix.architecture.ClipVisionModel;
import latentmix.architecture.ConvClassifier;
import latentmix.architecture.Part;
import latentmix.architecture.UNet2DConditionModel;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.latent.Shape;

/**
 * The networks of this JVM, each loaded once and shared by all tasks: a map of futures by checkpoint fingerprint,
 * device, type and part.
 *
 * <p>The first task to ask compiles (or finds the compiled program in the cache) and loads, the others wait. Weights are
 * frozen, and every task runs them with NDArrays of its own manager. The map owns the networks until {@link #closeAll}:
 * closing what it hands out frees no weights.
 */
public final class Models {
    private record Key(String fingerprint, Device device, Dtype dtype, Part part) {}

    private static final ConcurrentMap<Key, CompletableFuture<Network>> NETWORKS = new ConcurrentHashMap<>();

    private Models() {}

    /** The checkpoint's U-Net. */
    public static Denoiser denoiser(CheckpointFolder folder, Device device, Dtype dtype) {
        return new TorchDenoiser(network(folder, device, dtype, Part.DENOISER), latentShape(folder));
    }

    /** The autoencoder's half that encodes. */
    public static Vae encoder(CheckpointFolder folder, Device device, Dtype dtype) {
        return new TorchVae.Encoder(network(folder, device, dtype, Part.ENCODER), autoencoder(folder));
    }

    /** The autoencoder's half that decodes. */
    public static Vae decoder(CheckpointFolder folder, Device device, Dtype dtype) {
        return new TorchVae.Decoder(network(folder, device, dtype, Part.DECODER), autoencoder(folder));
    }

    /** The checkpoint's tokenizer and text encoder; the tokenizer is the caller's to close. */
    public static TextEncoder textEncoder(CheckpointFolder folder, Device device, Dtype dtype) {
        Network network = network(folder, device, dtype, Part.TEXT_ENCODER);
        return new TorchTextEncoder(network, device, ClipTokenizer.open(folder.component("tokenizer")));
    }

    /** The network over images in this folder, CLIP's vision model or a classifier: any folder, for metrics need no checkpoint. */
    public static ImageEncoder imageEncoder(Path component, Device device, Dtype dtype) {
        Architecture architecture = Architecture.of(component);
        if (architecture instanceof ConvClassifier) {
            return classifier(component, device, dtype);
        }
        ClipVisionModel clip = architecture(component, ClipVisionModel.class);
        ClipImageProcessor processor = ClipImageProcessor.of(component);
        if (processor.cropSize() != clip.imageSize() || clip.channels() != 3) {
            throw new CheckpointException(component + ": the model takes 3 × " + processor.cropSize() + " × "
                    + processor.cropSize() + " as its image processor makes them, cannot take: " + clip.channels()
                    + " × "
                    + clip.imageSize() + " × " + clip.imageSize());
        }
        return new TorchImageEncoder.Clip(
                network(component, device, dtype, Part.IMAGE_ENCODER), device, clip, processor);
    }

    /** The classifier in this folder. */
    public static ImageClassifier classifier(Path component, Device device, Dtype dtype) {
        ConvClassifier classifier = architecture(component, ConvClassifier.class);
        return new TorchImageEncoder.Classifier(network(component, device, dtype, Part.CLASSIFIER), device, classifier);
    }

    /** The shape of a latent at the model's own image size. */
    public static Shape latentShape(CheckpointFolder folder) {
        UNet2DConditionModel unet = unet(folder);
        return new Shape(unet.inChannels(), unet.sampleSize(), unet.sampleSize());
    }

    /** Pixels of a side of the model's own image size: the U-Net's sample size times the autoencoder's factor. */
    public static int imageSize(CheckpointFolder folder) {
        return unet(folder).sampleSize() * autoencoder(folder).factor();
    }

    /**
     * Checks everything about a checkpoint that shows without reading its weights: architectures, configs, names and
     * shapes of all tensors, and that the parts fit together. A driver does so before its first task.
     */
    public static void check(CheckpointFolder folder) {
        UNet2DConditionModel unet = unet(folder);
        AutoencoderKL vae = autoencoder(folder);
        for (String name : List.of("unet", "vae", "text_encoder")) {
            Path component = folder.component(name);
            Architecture.of(component).weights(component).close();
        }
        if (unet.textTime().isPresent()) {
            throw new CheckpointException(
                    folder.path() + ": the U-Net takes text_embeds and time_ids as Stable Diffusion"
                            + " XL's, whose pipeline is not supported; such a U-Net can be verified and compiled as a component");
        }
        if (unet.inChannels() != vae.latentChannels() || unet.outChannels() != vae.latentChannels()) {
            throw new CheckpointException(folder.path() + ": the U-Net's in_channels and out_channels must be the"
                    + " autoencoder's latent_channels, " + vae.latentChannels() + ", cannot be: " + unet.inChannels()
                    + " and " + unet.outChannels());
        }
    }

    /**
     * Compiles every part into the cache where it is missing. All weights are read on the way, so that a checkpoint that
     * cannot run is refused before the first task.
     */
    public static void compile(CheckpointFolder folder, Dtype dtype) {
        check(folder);
        for (Part part : parts(folder)) {
            compile(folder.component(part.component()), part, dtype);
        }
    }

    /** The parts that a run takes: those whose components a checkpoint has, without the image encoders that metrics alone take. */
    public static List<Part> parts(CheckpointFolder folder) {
        return EnumSet.complementOf(EnumSet.of(Part.IMAGE_ENCODER, Part.CLASSIFIER)).stream()
                .filter(part -> folder.components().contains(part.component()))
                .toList();
    }

    /** The compiled program of one part of a component folder: from the cache, or made now. */
    public static Path compile(Path component, Part part, Dtype dtype) {
        Architecture architecture = Architecture.of(component);
        if (!architecture.parts().containsKey(part)) {
            throw new CheckpointException(component + " should have a " + part + ", but is of the architecture "
                    + architecture.getClass().getSimpleName());
        }
        return CompiledPrograms.of(component, architecture, architecture.parts().get(part), dtype.elementType());
    }

    /** Frees all networks of this JVM; none may be in use. */
    public static void closeAll() {
        for (Key key : NETWORKS.keySet()) {
            CompletableFuture<Network> future = NETWORKS.remove(key);
            if (future != null && !future.isCompletedExceptionally()) {
                future.join().close();
            }
        }
    }

    private static UNet2DConditionModel unet(CheckpointFolder folder) {
        return architecture(folder.component("unet"), UNet2DConditionModel.class);
    }

    private static AutoencoderKL autoencoder(CheckpointFolder folder) {
        return architecture(folder.component("vae"), AutoencoderKL.class);
    }

    private static <T extends Architecture> T architecture(Path component, Class<T> type) {
        Architecture architecture = Architecture.of(component);
        if (!type.isInstance(architecture)) {
            throw new CheckpointException(component + " should be of the architecture " + type.getSimpleName()
                    + ", but is " + architecture.getClass().getSimpleName());
        }
        return type.cast(architecture);
    }

    private static Network network(CheckpointFolder folder, Device device, Dtype dtype, Part part) {
        return network(new Key(folder.fingerprint(), device, dtype, part), folder.component(part.component()));
    }

    private static Network network(Path component, Device device, Dtype dtype, Part part) {
        return network(new Key(CheckpointFolder.fingerprint(component), device, dtype, part), component);
    }

    private static Network network(Key key, Path component) {
        key.dtype.requireSupported(key.device);
        CompletableFuture<Network> mine = new CompletableFuture<>();
        CompletableFuture<Network> others = NETWORKS.putIfAbsent(key, mine);
        if (others == null) {
            try {
                mine.complete(load(component, key.part, key.device, key.dtype));
            } catch (RuntimeException | Error e) {
                NETWORKS.remove(key, mine); // the next task tries again
                mine.completeExceptionally(e);
                throw e;
            }
            return mine.join();
        }
        try {
            return others.join();
        } catch (CompletionException e) {
            throw new IllegalStateException("Another task could not load " + key + ": " + e.getCause(), e.getCause());
        }
    }

    /** Compiles and loads one part of a component folder, outside the map: the caller owns it. */
    static Network load(Path component, Part part, Device device, Dtype dtype) {
        return Network.load(compile(component, part, dtype), device);
    }
}
