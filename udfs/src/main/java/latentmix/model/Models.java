package latentmix.model;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import latentmix.architecture.Architecture;
import latentmix.architecture.AutoencoderKL;
import latentmix.architecture.BackwardMemory;
import latentmix.architecture.ClipTextModel;
import latentmix.architecture.ClipVisionModel;
import latentmix.architecture.ConvClassifier;
import latentmix.architecture.DenoisingNetwork;
import latentmix.architecture.DiTTransformer2DModel;
import latentmix.architecture.Part;
import latentmix.architecture.SD3Transformer2DModel;
import latentmix.architecture.UNet2DConditionModel;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.StateDict;
import latentmix.latent.Shape;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The networks of this JVM, each loaded once and shared by all tasks: a map by checkpoint fingerprint, device, type,
 * component and part.
 *
 * <p>The first task to ask compiles (or finds the compiled program in the cache) and loads, the others wait. Weights
 * are frozen, and every task runs them with NDArrays of its own manager. The map owns the networks until
 * {@link #closeAll}: closing what it hands out frees no weights. Text encoders alone go before: they are needed once
 * per prompt, and whoever loads another part frees those that no task has open.
 */
public final class Models {
    private static final Logger LOG = LoggerFactory.getLogger(Models.class);

    /** The purpose for which a network is loaded. */
    private enum Use {
        INFERENCE,
        GRADIENTS,
        /** Of a text encoder, for {@link TokenLearner}. */
        TOKENS,
        /** Of a denoiser, for {@link AdaptableDenoiser}: with gradients and without. */
        ADAPTERS
    }

    /** A device by its type and number: {@link Device#equals} takes all CPUs for one. */
    private record Place(String type, int number) {
        static Place of(Device device) {
            return new Place(device.getDeviceType(), device.getDeviceId());
        }

        Device device() {
            return Device.of(type, number);
        }

        /** The name that DJL gives the device, such as gpu0. */
        @Override
        public String toString() {
            return number < 0 ? type : type + number;
        }
    }

    private record Key(String fingerprint, Place place, Dtype dtype, String component, Part part, Use use) {
        Key(String fingerprint, Device device, Dtype dtype, String component, Part part) {
            this(fingerprint, Place.of(device), dtype, component, part, Use.INFERENCE);
        }
    }

    /** A network and its users. The set changes only while the map computes its key. */
    private record Shared(CompletableFuture<Network> network, Set<Object> users) {
        void close() {
            if (!network.isCompletedExceptionally()) {
                network.join().close();
            }
        }
    }

    /** The tokens that T5 gets of a prompt: StableDiffusion3Pipeline's max_sequence_length. */
    private static final int T5_LENGTH = 256;

    private static final String VAE = "vae";

    /** The user that stands for networks which stay. */
    private static final Object FOREVER = new Object();

    private static final ConcurrentMap<Key, Shared> NETWORKS = new ConcurrentHashMap<>();

    private Models() {}

    /**
     * The checkpoint's U-Net or transformer.
     *
     * @throws CheckpointException if it cannot be run as it is, see {@link #denoiserProblem}
     */
    public static Denoiser denoiser(CheckpointFolder folder, Device device, Dtype dtype) {
        requireDenoiser(folder);
        Network network = network(folder, device, dtype, folder.denoiser(), Part.DENOISER);
        return new TorchDenoiser(network, latentShape(folder), sizeFactor(folder), new NDList());
    }

    /** Pixels of a side for one entry of a latent where the U-Net is told an image's size, else 0. */
    private static int sizeFactor(CheckpointFolder folder) {
        return isTextTime(folder) ? autoencoder(folder).factor() : 0;
    }

    /** Whether the denoiser is Stable Diffusion XL's, which is told pooled embeddings and an image's size. */
    private static boolean isTextTime(CheckpointFolder folder) {
        return denoisingNetwork(folder) instanceof UNet2DConditionModel unet
                && unet.textTime().isPresent();
    }

    /** The checkpoint's U-Net or transformer, loaded so that {@link Denoiser#promptGradient} works. */
    public static Denoiser differentiableDenoiser(CheckpointFolder folder, Device device, Dtype dtype) {
        requireDenoiser(folder);
        String component = folder.denoiser();
        Key key = new Key(folder.fingerprint(), Place.of(device), dtype, component, Part.DENOISER, Use.GRADIENTS);
        return new TorchDenoiser(
                network(folder.component(component), key, FOREVER),
                latentShape(folder),
                sizeFactor(folder),
                new NDList());
    }

    /** The checkpoint's U-Net or transformer, which takes an adapter with each call. */
    public static AdaptableDenoiser adaptableDenoiser(CheckpointFolder folder, Device device, Dtype dtype) {
        requireDenoiser(folder);
        Key key =
                new Key(folder.fingerprint(), Place.of(device), dtype, folder.denoiser(), Part.DENOISER, Use.ADAPTERS);
        Network network = network(() -> compileAdaptable(folder, dtype), key, FOREVER);
        return new AdaptableDenoiser(
                network,
                latentShape(folder),
                sizeFactor(folder),
                denoisingNetwork(folder).lowRank().layers());
    }

    /** The compiled program that {@link #adaptableDenoiser} runs: from the cache, or made now. */
    public static Path compileAdaptable(CheckpointFolder folder, Dtype dtype) {
        DenoisingNetwork network = denoisingNetwork(folder);
        return CompiledPrograms.of(
                folder.component(folder.denoiser()), network, network.lowRank().module(), dtype.elementType());
    }

    /** Why the checkpoint's network cannot lead an image to its noise, if it cannot. */
    public static Optional<String> denoiserProblem(CheckpointFolder folder) {
        return denoisingNetwork(folder) instanceof UNet2DConditionModel unet && unet.guidanceWidth() > 0
                ? Optional.of("expected a U-Net that predicts noise, but unet/config.json has time_cond_proj_dim = "
                        + unet.guidanceWidth() + ": a consistency model's U-Net was distilled to sample in a few steps,"
                        + " and leads no image to its noise; take the checkpoint that it was distilled from")
                : Optional.empty();
    }

    /** What tells the checkpoint's network classes by their numbers, if it is one that no text is told. */
    public static Optional<ClassEncoder> classEncoder(CheckpointFolder folder) {
        return denoisingNetwork(folder) instanceof DiTTransformer2DModel dit
                ? Optional.of(ClassEncoder.of(dit.classes(), folder.labels()))
                : Optional.empty();
    }

    private static void requireDenoiser(CheckpointFolder folder) {
        denoiserProblem(folder).ifPresent(problem -> {
            throw new CheckpointException(folder.path() + ": " + problem);
        });
    }

    /** What is taken otherwise than a checkpoint's configurations say, or not at all, each in a line. */
    public static List<String> remarks(CheckpointFolder folder) {
        List<String> remarks = new ArrayList<>(folder.corrections());
        for (String component : folder.networks()) {
            String where = component + "/config.json";
            Architecture.unknownKeys(folder.config(component), where)
                    .forEach(key -> remarks.add(where + ": " + key + " is not known and changes nothing"));
        }
        return remarks;
    }

    /**
     * The number format in which a component runs: the one that is asked for, but float32 for an autoencoder of Stable
     * Diffusion XL whose config says {@code force_upcast}, or does not deny it. Its numbers leave float16's range.
     */
    public static Dtype dtype(CheckpointFolder folder, String component, Dtype asked) {
        return component.equals(VAE)
                        && folder.isStableDiffusionXl()
                        && folder.config(VAE).path("force_upcast").asBoolean(true)
                ? Dtype.FLOAT32
                : asked;
    }

    /** The autoencoder's half that encodes. */
    public static Vae encoder(CheckpointFolder folder, Device device, Dtype dtype) {
        return new TorchVae.Encoder(
                network(folder, device, dtype(folder, VAE, dtype), VAE, Part.ENCODER), autoencoder(folder));
    }

    /** The half that encodes of the autoencoder in this folder. */
    public static Vae encoder(Path component, Device device, Dtype dtype) {
        return new TorchVae.Encoder(
                network(component, device, dtype, Part.ENCODER), architecture(component, AutoencoderKL.class));
    }

    /** The autoencoder's half that decodes. */
    public static Vae decoder(CheckpointFolder folder, Device device, Dtype dtype) {
        return new TorchVae.Decoder(
                network(folder, device, dtype(folder, VAE, dtype), VAE, Part.DECODER), autoencoder(folder));
    }

    /** The half that decodes of the autoencoder in this folder. */
    public static Vae decoder(Path component, Device device, Dtype dtype) {
        return new TorchVae.Decoder(
                network(component, device, dtype, Part.DECODER), architecture(component, AutoencoderKL.class));
    }

    /**
     * The checkpoint's tokenizers and text encoders, which stay loaded at least until the caller closes this; or what
     * stands in their place.
     */
    public static TextEncoder textEncoder(CheckpointFolder folder, Device device, Dtype dtype) {
        Optional<ClassEncoder> classes = classEncoder(folder);
        if (classes.isPresent()) {
            return classes.get();
        }
        List<PromptNetwork> opened = new ArrayList<>();
        try {
            for (String tokenizer : folder.tokenizers()) {
                opened.add(prompts(folder, device, dtype, tokenizer.replace("tokenizer", "")));
            }
            if (denoisingNetwork(folder) instanceof SD3Transformer2DModel transformer) {
                return new StableDiffusion3TextEncoder(
                        opened.get(0),
                        opened.get(1),
                        opened.stream().skip(2).findFirst(),
                        T5_LENGTH,
                        transformer.jointAttentionDim());
            }
            return folder.isStableDiffusionXl()
                    ? new StableDiffusionXLTextEncoder(
                            opened.get(0),
                            opened.get(1),
                            folder.forcesZerosForEmptyPrompt()
                                    ? StableDiffusionXLTextEncoder.EmptyPrompt.ZEROS
                                    : StableDiffusionXLTextEncoder.EmptyPrompt.ENCODED)
                    : new StableDiffusionTextEncoder(opened.get(0));
        } catch (RuntimeException | Error e) {
            opened.forEach(PromptNetwork::close);
            throw e;
        }
    }

    /** The tokenizer and text encoder whose names have this ending. */
    private static PromptNetwork prompts(CheckpointFolder folder, Device device, Dtype dtype, String ending) {
        String component = "text_encoder" + ending;
        Key key = new Key(folder.fingerprint(), device, dtype, component, Part.TEXT_ENCODER);
        Tokenizer tokenizer = tokenizer(folder, "tokenizer" + ending);
        Object user = new Object();
        try {
            Network network = network(folder.component(component), key, user);
            return new PromptNetwork(tokenizer, network, device, () -> release(key, user));
        } catch (RuntimeException | Error e) {
            tokenizer.close();
            throw e;
        }
    }

    /** The checkpoint's tokenizers, which are the caller's to close. */
    public static List<Tokenizer> tokenizers(CheckpointFolder folder) {
        List<Tokenizer> tokenizers = new ArrayList<>();
        try {
            for (String component : folder.tokenizers()) {
                tokenizers.add(tokenizer(folder, component));
            }
            return tokenizers;
        } catch (RuntimeException | Error e) {
            tokenizers.forEach(Tokenizer::close);
            throw e;
        }
    }

    private static Tokenizer tokenizer(CheckpointFolder folder, String component) {
        Path path = folder.component(component);
        if (component.endsWith("_3")) {
            return T5Tokenizer.open(path, T5_LENGTH);
        }
        JsonNode encoder = folder.config(component.replace("tokenizer", "text_encoder"));
        return ClipTokenizer.open(path, positions(encoder), Map.of());
    }

    private static int positions(JsonNode textEncoder) {
        return textEncoder.path("max_position_embeddings").asInt(ClipTokenizer.USUAL_LENGTH);
    }

    /**
     * The checkpoint's tokenizers and text encoders with a token that is learnt, which stay loaded at least until the
     * caller closes this.
     *
     * @throws CheckpointException if the checkpoint has the token already
     */
    public static TokenLearner tokenLearner(
            CheckpointFolder folder, Device device, Dtype dtype, TokenLearner.Token token) {
        List<TokenLearner.Clip> clips = new ArrayList<>();
        try {
            for (String component : learners(folder)) {
                clips.add(clip(folder, device, dtype, component, token));
            }
            return denoisingNetwork(folder) instanceof SD3Transformer2DModel
                    ? new TokenLearner(
                            token, clips, Optional.of((StableDiffusion3TextEncoder) textEncoder(folder, device, dtype)))
                    : new TokenLearner(token, clips, Optional.empty());
        } catch (RuntimeException | Error e) {
            clips.forEach(TokenLearner.Clip::close);
            throw e;
        }
    }

    private static TokenLearner.Clip clip(
            CheckpointFolder folder, Device device, Dtype dtype, String component, TokenLearner.Token token) {
        Path path = folder.component(component);
        ClipTextModel clip = architecture(path, ClipTextModel.class);
        Key key = new Key(folder.fingerprint(), Place.of(device), dtype, component, Part.TEXT_ENCODER, Use.TOKENS);
        List<Long> ids = LongStream.range(clip.vocabSize(), clip.vocabSize() + token.vectors())
                .boxed()
                .toList();
        Tokenizer tokenizer = ClipTokenizer.open(
                folder.component(component.replace("text_encoder", "tokenizer")),
                positions(folder.config(component)),
                Map.of(token.text(), ids));
        Object user = new Object();
        try {
            Network network = network(() -> compileTokenLearner(path, dtype), key, user);
            return new TokenLearner.Clip(
                    new PromptNetwork(tokenizer, network, device, () -> release(key, user)), path, clip);
        } catch (RuntimeException | Error e) {
            tokenizer.close();
            throw e;
        }
    }

    /** The text encoders that learn a token. */
    private static List<String> learners(CheckpointFolder folder) {
        return folder.tokenizers().stream()
                .map(tokenizer -> tokenizer.replace("tokenizer", "text_encoder"))
                .filter(component -> Architecture.of(folder.component(component)) instanceof ClipTextModel)
                .toList();
    }

    /** Compiles the programs that {@link #tokenLearner} runs where they are missing. */
    public static void compileTokenLearners(CheckpointFolder folder, Dtype dtype) {
        learners(folder).forEach(component -> compileTokenLearner(folder.component(component), dtype));
    }

    private static Path compileTokenLearner(Path component, Dtype dtype) {
        ClipTextModel clip = architecture(component, ClipTextModel.class);
        return CompiledPrograms.of(component, clip, clip.tokenLearner(), dtype.elementType());
    }

    /**
     * The network over images in this folder, CLIP's vision model or a classifier: any folder, for metrics need no
     * checkpoint.
     */
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

    /**
     * The standard Inception of a file that the user gives, {@code inception-2015-12-05.pt}: the one foreign program
     * that is ever run.
     *
     * @throws CheckpointException unless the file has this SHA-256
     */
    public static ImageEncoder inception(Path file, String sha256, Device device) {
        Key key = new Key(sha256, device, Dtype.FLOAT32, "inception", Part.IMAGE_ENCODER);
        return new TorchImageEncoder.Inception(
                network(() -> InceptionFile.checked(file, sha256), key, FOREVER), device);
    }

    /** The bytes of a prompt's embeddings, float32: {@code prompt_embeds} alone, which pooled ones add little to. */
    public static long promptBytes(CheckpointFolder folder) {
        DenoisingNetwork network = denoisingNetwork(folder);
        if (network instanceof DiTTransformer2DModel dit) {
            return (long) Float.BYTES * dit.told();
        }
        long tokens = positions(folder.config("text_encoder"));
        return Float.BYTES
                * (network instanceof SD3Transformer2DModel transformer
                        ? (tokens + T5_LENGTH) * transformer.jointAttentionDim()
                        : tokens
                                * ((UNet2DConditionModel) network)
                                        .crossAttentionDims()
                                        .get(0));
    }

    /** The shape of a latent at the model's own image size. */
    public static Shape latentShape(CheckpointFolder folder) {
        DenoisingNetwork denoiser = denoisingNetwork(folder);
        return new Shape(denoiser.inChannels(), denoiser.sampleSize(), denoiser.sampleSize());
    }

    /** Pixels of a side of the model's own image size: the denoiser's sample size times the autoencoder's factor. */
    public static int imageSize(CheckpointFolder folder) {
        return denoisingNetwork(folder).sampleSize() * autoencoder(folder).factor();
    }

    /** Refuses images of a side that the autoencoder and the denoiser cannot take. */
    public static void checkImageSize(CheckpointFolder folder, int size) {
        int multiple = autoencoder(folder).factor();
        int most = Integer.MAX_VALUE;
        DenoisingNetwork network = denoisingNetwork(folder);
        if (network instanceof SD3Transformer2DModel transformer) {
            multiple *= transformer.patchSize();
            most = multiple * transformer.posEmbedMaxSize();
        } else if (network instanceof DiTTransformer2DModel dit) {
            multiple *= dit.patchSize();
        }
        if (size % multiple != 0 || size > most) {
            throw new IllegalArgumentException("must be a multiple of " + multiple
                    + (most < Integer.MAX_VALUE ? ", at most " + most : "") + ", cannot be: " + size);
        }
    }

    /**
     * Checks everything about a checkpoint that shows without reading its weights: architectures, configs, names and
     * shapes of all tensors, and that the parts fit together. A driver does so before its first task.
     */
    public static void check(CheckpointFolder folder) {
        checkParts(folder);
        for (String name : folder.networks()) {
            Path component = folder.component(name);
            Architecture.of(component).weights(component).close();
        }
    }

    /** Checks that the parts fit together, by their configs alone. */
    static void checkParts(CheckpointFolder folder) {
        new PartsCheck(folder, denoisingNetwork(folder), autoencoder(folder)).run();
    }

    /**
     * Compiles every part into the cache where it is missing. All weights are read on the way, so that a checkpoint
     * that cannot run is refused before the first task.
     */
    public static void compile(CheckpointFolder folder, Dtype dtype) {
        check(folder);
        for (String name : folder.networks()) {
            Path component = folder.component(name);
            parts(component).forEach(part -> compile(component, part, dtype(folder, name, dtype)));
        }
    }

    /** The parts of a component folder. */
    public static Set<Part> parts(Path component) {
        return EnumSet.copyOf(Architecture.of(component).parts().keySet());
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
     * An estimate of the bytes that differentiating a checkpoint's U-Net or transformer takes a task, beside its
     * weights.
     *
     * @param learnt what gradients are led back to
     * @param batch latents of a micro-batch
     * @param imageSize pixels of a side
     */
    public static long backwardBytes(CheckpointFolder folder, BackwardMemory.Learnt learnt, int batch, int imageSize) {
        int side = imageSize / autoencoder(folder).factor();
        DenoisingNetwork network = denoisingNetwork(folder);
        if (network instanceof SD3Transformer2DModel transformer) {
            int tokens = positions(folder.config("text_encoder")) + T5_LENGTH;
            return BackwardMemory.bytes(transformer, learnt, batch, side, side, tokens);
        }
        if (network instanceof UNet2DConditionModel unet) {
            return BackwardMemory.bytes(unet, learnt, batch, side, side);
        }
        throw new UnsupportedOperationException("Nothing is learnt through a network that is told classes by number");
    }

    /** The bytes of a component's weights in a number format, without reading them. */
    public static long weightBytes(Path component, Dtype dtype) {
        try (StateDict weights = Architecture.of(component).weights(component)) {
            return dtype.elementType().bytes()
                    * weights.keys().stream()
                            .mapToLong(
                                    key -> weights.tensor(key).shape().stream().reduce(1L, Math::multiplyExact))
                            .sum();
        }
    }

    /** Frees all networks of this JVM; none may be in use. */
    public static void closeAll() {
        for (Key key : NETWORKS.keySet()) {
            Optional.ofNullable(NETWORKS.remove(key)).ifPresent(Shared::close);
        }
    }

    /** The components and parts of a checkpoint that are loaded now. */
    static Set<String> loaded(CheckpointFolder folder) {
        Set<String> names = new HashSet<>();
        for (Key key : NETWORKS.keySet()) {
            if (key.fingerprint().equals(folder.fingerprint())) {
                names.add(key.component() + "/" + key.part());
            }
        }
        return names;
    }

    private static DenoisingNetwork denoisingNetwork(CheckpointFolder folder) {
        Path component = folder.component(folder.denoiser());
        return architecture(
                component,
                Architecture.of(
                        folder.config(folder.denoiser()),
                        component.resolve("config.json").toString()),
                DenoisingNetwork.class);
    }

    private static AutoencoderKL autoencoder(CheckpointFolder folder) {
        return architecture(folder.component(VAE), AutoencoderKL.class);
    }

    /** A component's architecture, which must be of this kind. */
    static <T extends Architecture> T architecture(Path component, Class<T> type) {
        return architecture(component, Architecture.of(component), type);
    }

    private static <T extends Architecture> T architecture(Path component, Architecture architecture, Class<T> type) {
        if (!type.isInstance(architecture)) {
            throw new CheckpointException(component + " should be of the architecture " + type.getSimpleName()
                    + ", but is " + architecture.getClass().getSimpleName());
        }
        return type.cast(architecture);
    }

    /** A network that stays loaded. */
    private static Network network(CheckpointFolder folder, Device device, Dtype dtype, String component, Part part) {
        Key key = new Key(folder.fingerprint(), device, dtype, component, part);
        return network(folder.component(component), key, FOREVER);
    }

    /** A network of a folder of its own, which stays loaded. */
    private static Network network(Path component, Device device, Dtype dtype, Part part) {
        Key key = new Key(CheckpointFolder.fingerprint(component), device, dtype, part.toString(), part);
        return network(component, key, FOREVER);
    }

    /** The network, opened for this user: loaded by the first, who makes room for it. */
    private static Network network(Path component, Key key, Object user) {
        return network(() -> compile(component, key.part(), key.dtype()), key, user);
    }

    private static Network network(Supplier<Path> archive, Key key, Object user) {
        Device device = key.place().device();
        key.dtype().requireSupported(device);
        CompletableFuture<Network> mine = new CompletableFuture<>();
        CompletableFuture<Network> shared = NETWORKS.compute(key, (same, others) -> {
                    Shared opened = others == null ? new Shared(mine, new HashSet<>()) : others;
                    opened.users().add(user);
                    return opened;
                })
                .network();
        if (shared == mine) {
            try {
                if (key.part() != Part.TEXT_ENCODER) {
                    freeIdleTextEncoders();
                }
                Path program = archive.get();
                long start = System.nanoTime();
                mine.complete(
                        switch (key.use()) {
                            case INFERENCE -> Network.load(program, device);
                            case GRADIENTS, TOKENS, ADAPTERS -> Network.loadDifferentiable(program, device);
                        });
                LOG.info(
                        "Loaded {} of {} onto {}, {}, in {} ms",
                        key.part(),
                        key.component(),
                        key.place(),
                        key.dtype(),
                        (System.nanoTime() - start) / 1_000_000);
            } catch (RuntimeException | Error e) {
                NETWORKS.remove(key); // the next task tries again
                mine.completeExceptionally(e);
                throw e;
            }
            return mine.join();
        }
        try {
            return shared.join();
        } catch (CompletionException e) {
            throw new IllegalStateException("Another task could not load " + key + ": " + e.getCause(), e.getCause());
        }
    }

    private static void release(Key key, Object user) {
        NETWORKS.computeIfPresent(key, (same, shared) -> {
            shared.users().remove(user);
            return shared;
        });
    }

    private static void freeIdleTextEncoders() {
        List<Shared> idle = new ArrayList<>();
        for (Key key : NETWORKS.keySet()) {
            if (key.part() == Part.TEXT_ENCODER) {
                NETWORKS.computeIfPresent(key, (same, shared) -> {
                    if (shared.users().isEmpty()) {
                        idle.add(shared);
                    }
                    return shared.users().isEmpty() ? null : shared;
                });
            }
        }
        idle.forEach(Shared::close);
    }

    /** Compiles and loads one part of a component folder, outside the map: the caller owns it. */
    static Network load(Path component, Part part, Device device, Dtype dtype) {
        return Network.load(compile(component, part, dtype), device);
    }
}
