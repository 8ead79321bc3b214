package latentmix.model;

import ai.djl.Device;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import latentmix.architecture.Architecture;
import latentmix.architecture.AutoencoderKL;
import latentmix.architecture.BackwardMemory;
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
    /** What a network is loaded for. */
    private enum Use {
        INFERENCE,
        GRADIENTS
    }

    private record Key(String fingerprint, Device device, Dtype dtype, Part part, Use use) {}

    private static final ConcurrentMap<Key, CompletableFuture<Network>> NETWORKS = new ConcurrentHashMap<>();

    private Models() {}

    /** The checkpoint's U-Net. */
    public static Denoiser denoiser(CheckpointFolder folder, Device device, Dtype dtype) {
        return new TorchDenoiser(network(folder, device, dtype, Part.DENOISER), latentShape(folder));
    }

    /** The checkpoint's U-Net, loaded so that {@link Denoiser#promptGradient} works. */
    public static Denoiser differentiableDenoiser(CheckpointFolder folder, Device device, Dtype dtype) {
        return new TorchDenoiser(network(folder, device, dtype, Part.DENOISER, Use.GRADIENTS), latentShape(folder));
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
        for (Part part : Part.values()) {
            compile(folder.component(part.component()), part, dtype);
        }
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

    /**
     * An estimate of the bytes that differentiating the denoiser takes a task, beside its weights.
     *
     * @param batch latents of a micro-batch
     * @param imageSize pixels of a side
     */
    public static long backwardBytes(CheckpointFolder folder, int batch, int imageSize) {
        int side = imageSize / autoencoder(folder).factor();
        return BackwardMemory.bytes(unet(folder), batch, side, side);
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
        return network(folder, device, dtype, part, Use.INFERENCE);
    }

    private static Network network(CheckpointFolder folder, Device device, Dtype dtype, Part part, Use use) {
        dtype.requireSupported(device);
        Key key = new Key(folder.fingerprint(), device, dtype, part, use);
        CompletableFuture<Network> mine = new CompletableFuture<>();
        CompletableFuture<Network> others = NETWORKS.putIfAbsent(key, mine);
        if (others == null) {
            try {
                Path program = compile(folder.component(part.component()), part, dtype);
                mine.complete(
                        switch (use) {
                            case INFERENCE -> Network.load(program, device);
                            case GRADIENTS -> Network.loadDifferentiable(program, device);
                        });
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
