package latentmix.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.codec.LittleEndian;

/**
 * A checkpoint of Stable Diffusion 1, 2 or XL in one safetensors file, in the layout of the original code, read as the
 * folder in diffusers layout that {@code StableDiffusionPipeline.from_single_file} makes of it.
 *
 * <p>Tensors get {@linkplain LdmNames other names}; OpenCLIP's joint projections are cut in three, its text projection
 * is transposed, and its last layer, which Stable Diffusion 2 does not use, goes. Configurations are those of the
 * published checkpoints, with widths and layers as the file's shapes tell them. The vocabulary is CLIP's own, which all
 * have.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/main/src/diffusers/loaders/single_file_utils.py">The
 *     library's conversion</a>
 */
final class SingleFile implements AutoCloseable {
    static final String ENDING = ".safetensors";

    /** Changes whenever other weights are made of the same file. */
    static final String VERSION = "1";

    /** The variant that means the moving average of a U-Net's weights. */
    static final String EMA = "ema";

    /** The families, as their resources are called. */
    private static final String FIRST = "sd1";

    private static final String SECOND = "sd2";
    private static final String XL = "sdxl";

    private static final String RESOURCES = "/latentmix/single-file/";
    private static final String CONFIG = "config.json";

    /** The keys of what a folder's texts say of the file. */
    static final String MADE_OF = "made_of";

    static final String ASSUMED = "assumed";
    static final String IGNORED = "ignored";
    private static final String COMPONENT = "component";
    private static final String PREFIX = "prefix";

    private static final String V_PREDICTION =
            "Stable Diffusion 2 in one file is taken for a 768-v model, as diffusers does; for a base model of 512"
                    + " pixels set model.scheduler: {prediction_type: epsilon} and model.size: 512";
    private static final String AUTOENCODER = "the autoencoder of Stable Diffusion in one file";

    /** The scaling factor of Stable Diffusion XL's autoencoder. */
    static final double XL_SCALE = 0.13025;

    private static final String AVERAGE = "model_ema.diffusion_model";
    private static final int LEAST_EMA = 100; // with fewer tensors of a moving average there is none, as diffusers says
    private static final int HEAD = 64; // channels of an attention head
    private static final long BASE_STEP = 875_000; // of Stable Diffusion 2.0's base model
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The files of other models by what their tensors are called. */
    private static final Map<Pattern, String> OTHERS = others();

    private static final Pattern OF_AUTOENCODER = Pattern.compile("(encoder|decoder)\\..*");
    private static final Pattern LAYER = Pattern.compile("text_model\\.encoder\\.layers\\.(\\d+)\\..*");

    /** A tensor of the folder: a part of one of the file, from a byte of it on, or the transpose of a matrix. */
    private record Piece(Safetensors.Tensor source, long offset, List<Long> shape, Axes axes) {
        enum Axes {
            AS_THEY_ARE,
            EXCHANGED
        }

        Piece(Safetensors.Tensor source, long offset, List<Long> shape) {
            this(source, offset, shape, Axes.AS_THEY_ARE);
        }

        static Piece whole(Safetensors.Tensor source) {
            return new Piece(source, 0, source.shape());
        }

        static Piece transpose(Safetensors.Tensor source) {
            return new Piece(
                    source, 0, List.of(source.shape().get(1), source.shape().get(0)), Axes.EXCHANGED);
        }
    }

    private final Safetensors file;
    private final SortedMap<String, String> texts = new TreeMap<>(); // by path below the folder
    private final SortedMap<String, Map<String, Piece>> weights = new TreeMap<>(); // by path below the folder

    private SingleFile(Safetensors file) {
        this.file = file;
    }

    /**
     * Opens a file of a whole checkpoint, or of an autoencoder alone. The autoencoder alone is read of either where the
     * U-Net is left out.
     *
     * @param spec the variant {@code ema} takes the moving average of the U-Net's weights; an autoencoder that is
     *     overridden need not be there
     * @throws CheckpointException if it is of another model, or lacks a part
     */
    static SingleFile open(Path path, CheckpointSpec spec) {
        Safetensors file = Safetensors.open(path);
        try {
            SingleFile single = new SingleFile(file);
            single.read(spec);
            return single;
        } catch (IOException e) {
            file.close();
            throw new UncheckedIOException("Cannot read " + path, e);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /** The texts of the folder by path. */
    SortedMap<String, String> texts() {
        return Collections.unmodifiableSortedMap(texts);
    }

    /** The paths of the folder's weights, each with its size in bytes. */
    SortedMap<String, Long> weights() {
        SortedMap<String, Long> sizes = new TreeMap<>();
        weights.forEach((path, pieces) -> sizes.put(
                path, pieces.values().stream().mapToLong(SingleFile::bytes).sum()));
        return sizes;
    }

    /** The shapes of the tensors in one of the folder's weights. */
    Map<String, List<Long>> shapes(String path) {
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        weights.get(path).forEach((name, piece) -> shapes.put(name, piece.shape()));
        return shapes;
    }

    /** Writes one of the folder's weights. */
    void write(String path, Path to) throws IOException {
        Map<String, Piece> pieces = weights.get(path);
        Map<String, ElementType> types = new LinkedHashMap<>();
        pieces.forEach((name, piece) -> types.put(name, piece.source().type()));
        ByteBuffer buffer = LittleEndian.buffer(1 << 22);
        Safetensors.write(
                to, types, shapes(path), (tensor, out) -> copy(pieces.get(tensor.name()), tensor, buffer, out));
    }

    private void copy(Piece piece, Safetensors.Tensor tensor, ByteBuffer buffer, WritableByteChannel out)
            throws IOException {
        if (piece.axes() == Piece.Axes.EXCHANGED) {
            writeFully(transposed(piece.source()), out);
            return;
        }
        long length = tensor.end() - tensor.begin();
        for (long at = 0; at < length; at += buffer.capacity()) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), length - at));
            file.read(piece.source(), piece.offset() + at, buffer);
            writeFully(buffer.flip(), out);
        }
    }

    private static void writeFully(ByteBuffer buffer, WritableByteChannel out) throws IOException {
        while (buffer.hasRemaining()) {
            out.write(buffer);
        }
    }

    /** The bytes of a matrix, column by column. */
    private ByteBuffer transposed(Safetensors.Tensor matrix) {
        int rows = Math.toIntExact(matrix.shape().get(0));
        int columns = Math.toIntExact(matrix.shape().get(1));
        int width = matrix.type().bytes();
        byte[] bytes = new byte[rows * columns * width];
        file.read(matrix, 0, ByteBuffer.wrap(bytes));
        ByteBuffer turned = ByteBuffer.allocate(bytes.length);
        for (int column = 0; column < columns; column++) {
            for (int row = 0; row < rows; row++) {
                turned.put(bytes, (row * columns + column) * width, width);
            }
        }
        return turned.flip();
    }

    private static long bytes(Piece piece) {
        return piece.shape().stream().reduce((long) piece.source().type().bytes(), Math::multiplyExact);
    }

    @Override
    public void close() {
        file.close();
    }

    private void read(CheckpointSpec spec) throws IOException {
        for (Map.Entry<Pattern, String> other : OTHERS.entrySet()) {
            if (names().anyMatch(name -> other.getKey().matcher(name).lookingAt())) {
                throw refused(other.getValue());
            }
        }
        boolean isWhole = has(LdmNames.UNET);
        if (!isWhole || !spec.reads("unet")) {
            String first = "encoder.conv_in.weight";
            if (!file.tensors().containsKey(first) && !has(LdmNames.VAE)) {
                throw refused("the tensors "
                        + StateDict.abbreviate(List.copyOf(file.tensors().keySet()))
                        + "; take the file of a whole checkpoint, or name the folder that has a "
                        + CheckpointFolder.INDEX);
            }
            String prefix = has(LdmNames.VAE) ? LdmNames.VAE.prefix() : "";
            ObjectNode config = autoencoder("", prefix);
            origin(config).put(MADE_OF, AUTOENCODER).set(IGNORED, ignored(isWhole ? prefix : "", EMA));
            texts.put(CONFIG, config.toPrettyString());
            return;
        }
        long channels = extent(LdmNames.UNET, "conv_in.weight", 1);
        if (channels != 4) {
            throw refused(
                    "a U-Net of " + channels + " input channels, as inpainting (9), instruct-pix2pix (8), upscaling"
                            + " (7) and depth (5) have; take the checkpoint that generates from a prompt");
        }
        String family = family();
        boolean isBase = family.equals(SECOND) && isBase();
        unet(family, isBase, spec.variant());
        if (has(LdmNames.VAE)) {
            texts.put(
                    "vae/" + CONFIG, autoencoder("vae/", LdmNames.VAE.prefix()).toPrettyString());
        } else if (spec.reads("vae")) {
            throw refused("none of an autoencoder's tensors, " + LdmNames.VAE.prefix() + "…; name one in model.vae");
        }
        switch (family) {
            case FIRST -> textEncoder(family, "", LdmNames.CLIP);
            case SECOND -> textEncoder(family, "", LdmNames.OPEN_CLIP);
            default -> {
                textEncoder(family, "", LdmNames.CLIP_XL);
                textEncoder(family, "_2", LdmNames.OPEN_CLIP_XL);
            }
        }
        ObjectNode scheduler = json(family + "/scheduler/scheduler_config.json");
        if (isBase) {
            scheduler.put("prediction_type", "epsilon");
        }
        if (family.equals(XL) && file.tensors().containsKey("v_pred")) {
            scheduler.put("prediction_type", "v_prediction");
            if (file.tensors().containsKey("ztsnr")) {
                scheduler.put("rescale_betas_zero_snr", true);
            }
        }
        texts.put("scheduler/scheduler_config.json", scheduler.toPrettyString());
        ObjectNode index = json(family + "/" + CheckpointFolder.INDEX);
        ObjectNode origin = origin(index).put(MADE_OF, madeOf(family, spec.variant()));
        if (family.equals(SECOND) && !isBase) {
            origin.put(ASSUMED, V_PREDICTION);
        }
        origin.set(IGNORED, ignored("", spec.variant()));
        texts.put(CheckpointFolder.INDEX, index.toPrettyString());
    }

    /** The family by the text encoders' tensors. */
    private String family() {
        if (has(LdmNames.CLIP_XL) && has(LdmNames.OPEN_CLIP_XL)) {
            return XL;
        }
        if (!has(LdmNames.CLIP) && !has(LdmNames.OPEN_CLIP)) {
            throw refused("none of its text encoder's tensors, " + LdmNames.CLIP.prefix() + "…, "
                    + LdmNames.OPEN_CLIP.prefix() + "…, or both " + LdmNames.CLIP_XL.prefix() + "… and "
                    + LdmNames.OPEN_CLIP_XL.prefix() + "…; take the whole checkpoint, not its U-Net alone");
        }
        return has(LdmNames.OPEN_CLIP) ? SECOND : FIRST;
    }

    private Stream<String> names() {
        return file.tensors().keySet().stream();
    }

    private boolean has(LdmNames component) {
        return names().anyMatch(name -> name.startsWith(component.prefix()));
    }

    private static ObjectNode origin(ObjectNode json) {
        return json.withObject(CheckpointFolder.ORIGIN);
    }

    /**
     * Whether a config is that of an autoencoder in a file, which says no scaling factor unless the file is an XL's.
     */
    static boolean isAutoencoderAlone(JsonNode config) {
        return config.path(CheckpointFolder.ORIGIN).path(MADE_OF).asText().equals(AUTOENCODER)
                && !config.has("scaling_factor");
    }

    /** Says in a component's config what its tensors' names in the file are. */
    private static void name(ObjectNode config, LdmNames names, String prefix) {
        origin(config).put(COMPONENT, names.id()).put(PREFIX, prefix);
    }

    /**
     * The name in the file of a tensor that a component needs.
     *
     * @param origin what the component's config says of the file
     */
    static String published(JsonNode origin, String name) {
        return origin.path(PREFIX).asText()
                + LdmNames.of(origin.path(COMPONENT).asText()).original(name);
    }

    /** What is made of the file, for people. */
    private String madeOf(String family, String variant) {
        String weights = !hasEma()
                ? ""
                : variant.equals(EMA)
                        ? ", the U-Net's weights that are a moving average (model_ema)"
                        : ", the U-Net's weights that are no moving average (model.variant: ema takes the others)";
        String name =
                switch (family) {
                    case FIRST -> "1";
                    case SECOND -> "2";
                    default -> "XL";
                };
        return "Stable Diffusion " + name + " in one file" + weights;
    }

    private CheckpointException refused(String came) {
        return new CheckpointException(
                "expected a checkpoint of Stable Diffusion 1, 2 or XL in the file " + file.path() + ", got " + came);
    }

    /** The extent of one axis of a tensor that there must be, by its name in the folder. */
    private long extent(LdmNames names, String prefix, String name, int axis) {
        String original = prefix + names.original(name);
        Safetensors.Tensor tensor = file.tensors().get(original);
        if (tensor == null) {
            throw refused("no tensor " + original + "; take a whole file, in the original layout");
        }
        if (tensor.shape().size() <= axis) {
            throw refused("the tensor " + original + " of the shape " + tensor.shape()
                    + ", which has too few axes; take another file");
        }
        return tensor.shape().get(axis);
    }

    private long extent(LdmNames names, String name, int axis) {
        return extent(names, names.prefix(), name, axis);
    }

    private boolean hasEma() {
        return names().filter(name -> name.startsWith("model_ema.")).count() > LEAST_EMA;
    }

    /** The tensors that nothing is made of, but for the U-Net's weights of the variant that is not read. */
    private ArrayNode ignored(String prefix, String variant) {
        Set<String> used = weights.values().stream()
                .flatMap(pieces -> pieces.values().stream())
                .map(piece -> piece.source().name())
                .collect(Collectors.toSet());
        String other = variant.equals(EMA) ? LdmNames.UNET.prefix() : AVERAGE;
        ArrayNode ignored = JSON.createArrayNode();
        names().filter(name -> name.startsWith(prefix) && !used.contains(name))
                .filter(name -> !(hasEma() && name.startsWith(other)))
                .sorted()
                .forEach(ignored::add);
        return ignored;
    }

    /** Whether the step until which it was trained says that it predicts noise; safetensors seldom say it. */
    private boolean isBase() {
        Safetensors.Tensor step = file.tensors().get("global_step");
        return step != null
                && step.size() == 1
                && (step.type() == ElementType.I64 || step.type() == ElementType.I32)
                && file.longs(step.name())[0] == BASE_STEP;
    }

    private void unet(String family, boolean isBase, String variant) throws IOException {
        if (!variant.isEmpty() && !(variant.equals(EMA) && hasEma())) {
            throw new CheckpointException("with variant = " + variant + ": the file " + file.path()
                    + (hasEma() ? " has the variant ema alone" : " has one variant alone") + "; leave the variant out");
        }
        LdmNames names = family.equals(XL) ? LdmNames.UNET_XL : LdmNames.UNET;
        Map<String, Piece> pieces = new TreeMap<>();
        for (Safetensors.Tensor tensor : file.tensors().values()) {
            if (tensor.name().startsWith(names.prefix())) {
                String name = tensor.name().substring(names.prefix().length());
                String renamed = names.renamed(name)
                        .orElseThrow(() -> refused("the U-Net's tensor " + tensor.name()
                                + ", which none has; an unCLIP model is not supported"));
                pieces.put(
                        renamed,
                        Piece.whole(variant.equals(EMA) ? file.tensor(AVERAGE + name.replace(".", "")) : tensor));
            }
        }
        weights.put("unet/diffusion_pytorch_model." + (variant.isEmpty() ? "" : variant + ".") + "safetensors", pieces);
        ObjectNode config = json(family + "/unet/" + CONFIG);
        ArrayNode channels = config.putArray("block_out_channels");
        int levels = config.get("down_block_types").size();
        for (int level = 0; level < levels; level++) {
            channels.add(extent(names, "down_blocks." + level + ".resnets.1.conv2.weight", 0));
        }
        config.put(
                "cross_attention_dim",
                extent(
                        names,
                        "down_blocks." + (family.equals(XL) ? 1 : 0)
                                + ".attentions.0.transformer_blocks.0.attn2.to_k.weight",
                        1));
        if (family.equals(XL)) {
            ArrayNode depths = config.putArray("transformer_layers_per_block");
            for (int level = 0; level < levels; level++) {
                depths.add(Math.max(1, depth(pieces, level)));
            }
            config.put("projection_class_embeddings_input_dim", extent(names, "add_embedding.linear_1.weight", 1));
        }
        if (!family.equals(FIRST)) {
            ArrayNode heads = config.putArray("attention_head_dim");
            channels.forEach(width -> heads.add(width.asInt() / HEAD));
        }
        if (isBase) {
            config.put("sample_size", 64);
        }
        name(config, names, names.prefix());
        texts.put("unet/" + CONFIG, config.toPrettyString());
    }

    /** How many blocks the first transformer of a level has. */
    private static long depth(Map<String, Piece> unet, int level) {
        Pattern block =
                Pattern.compile("down_blocks\\." + level + "\\.attentions\\.0\\.transformer_blocks\\.(\\d+)\\.");
        return unet.keySet().stream()
                .map(block::matcher)
                .filter(Matcher::lookingAt)
                .map(matcher -> matcher.group(1))
                .distinct()
                .count();
    }

    /**
     * The autoencoder; returns its configuration.
     *
     * @param folder of the component, with a slash; empty where it is the file's one component
     * @param prefix of its tensors' names
     */
    private ObjectNode autoencoder(String folder, String prefix) throws IOException {
        Map<String, Piece> pieces = new TreeMap<>();
        for (Safetensors.Tensor tensor : file.tensors().values()) {
            if (tensor.name().startsWith(prefix)) {
                String name = tensor.name().substring(prefix.length());
                LdmNames.VAE
                        .renamed(name)
                        .or(() -> Optional.of(name)
                                .filter(unknown ->
                                        OF_AUTOENCODER.matcher(unknown).matches()))
                        .ifPresent(renamed -> pieces.put(renamed, matrix(renamed, tensor)));
            }
        }
        weights.put(folder + "diffusion_pytorch_model.safetensors", pieces);
        String family = has(LdmNames.OPEN_CLIP) ? SECOND : has(LdmNames.OPEN_CLIP_XL) ? XL : FIRST;
        ObjectNode config = json(family + "/vae/" + CONFIG);
        ArrayNode channels = config.putArray("block_out_channels");
        for (int level = 0; level < 4; level++) {
            channels.add(extent(LdmNames.VAE, prefix, "encoder.down_blocks." + level + ".resnets.1.conv2.weight", 0));
        }
        long latents = extent(LdmNames.VAE, prefix, "decoder.conv_in.weight", 1);
        if (latents != 4) {
            throw refused("an autoencoder of " + latents + " latent channels, as Stable Diffusion 3 and FLUX have (16);"
                    + " take one of 4");
        }
        name(config, LdmNames.VAE, prefix);
        return config;
    }

    /** A projection of the autoencoder's attention, which the original code has as a convolution of one pixel. */
    private static Piece matrix(String name, Safetensors.Tensor tensor) {
        List<Long> shape = tensor.shape();
        boolean isOnePixel = name.contains(".attentions.")
                && shape.size() == 4
                && shape.subList(2, 4).equals(List.of(1L, 1L));
        return new Piece(tensor, 0, isOnePixel ? shape.subList(0, 2) : shape);
    }

    /**
     * A text encoder and its tokenizer.
     *
     * @param ending of both their names
     */
    private void textEncoder(String family, String ending, LdmNames names) throws IOException {
        String folder = "text_encoder" + ending + "/";
        Map<String, Piece> pieces = new TreeMap<>();
        long layers = 0;
        for (Safetensors.Tensor tensor : file.tensors().values()) {
            if (!tensor.name().startsWith(names.prefix())) {
                continue;
            }
            String name = names.renamed(tensor.name().substring(names.prefix().length()))
                    .orElse("");
            Matcher layer = LAYER.matcher(name);
            if (layer.matches()) {
                layers = Math.max(layers, 1 + Integer.parseInt(layer.group(1)));
            }
            if (name.contains("." + LdmNames.JOINT + "_")) {
                split(tensor, name, pieces);
            } else if (name.equals(LdmNames.TEXT_PROJECTION)) {
                if (tensor.shape().size() != 2) {
                    throw refused("the tensor " + tensor.name() + " of the shape " + tensor.shape()
                            + ", which is no matrix; take another file");
                }
                pieces.put(name, Piece.transpose(tensor));
            } else if (!name.isEmpty()) {
                pieces.put(name, Piece.whole(tensor));
            }
        }
        if (family.equals(SECOND)) {
            layers--; // the prompt is what the last layer but one makes of it
            String last = "text_model.encoder.layers." + layers + ".";
            pieces.keySet().removeIf(name -> name.startsWith(last));
        }
        String tokens = "text_model.embeddings.token_embedding.weight";
        Piece embedding = pieces.get(tokens); // whose name in the file has two spellings
        if (embedding == null || embedding.shape().size() != 2) {
            throw refused("no tensor " + names.prefix() + names.original(tokens)
                    + " of two axes; take a whole file, in the original layout");
        }
        long width = embedding.shape().get(1);
        weights.put(folder + "model.safetensors", pieces);
        ObjectNode config = json(family + "/" + folder + CONFIG);
        config.put("vocab_size", embedding.shape().get(0));
        config.put("hidden_size", width);
        config.put("intermediate_size", 4 * width);
        config.put("num_attention_heads", width / HEAD);
        config.put("num_hidden_layers", layers);
        if (pieces.containsKey(LdmNames.TEXT_PROJECTION)) {
            config.put(
                    "projection_dim",
                    pieces.get(LdmNames.TEXT_PROJECTION).shape().get(0));
        }
        name(config, names, names.prefix());
        texts.put(folder + CONFIG, config.toPrettyString());
        tokenizer(family, "tokenizer" + ending + "/");
    }

    private void tokenizer(String family, String folder) throws IOException {
        for (String name : List.of("tokenizer_config.json", "special_tokens_map.json")) {
            texts.put(folder + name, resource(family + "/" + folder + name));
        }
        String merges = resource("merges.txt");
        texts.put(folder + "merges.txt", merges);
        texts.put(folder + "vocab.json", vocabulary(merges).toString());
    }

    /** Queries, keys and values of one tensor. */
    private void split(Safetensors.Tensor tensor, String name, Map<String, Piece> pieces) {
        int parts = LdmNames.PROJECTIONS.size();
        if (tensor.shape().isEmpty() || tensor.shape().get(0) % parts != 0) {
            throw refused("the tensor " + tensor.name() + " of the shape " + tensor.shape()
                    + ", which cannot be cut in queries, keys and values; take another file");
        }
        List<Long> shape = new ArrayList<>(tensor.shape());
        shape.set(0, shape.get(0) / parts);
        long bytes = (tensor.end() - tensor.begin()) / parts;
        for (int i = 0; i < parts; i++) {
            pieces.put(
                    name.replace(LdmNames.JOINT + "_", LdmNames.PROJECTIONS.get(i) + "."),
                    new Piece(tensor, i * bytes, shape));
        }
    }

    /**
     * CLIP's vocabulary: each byte as a character, each that ends a word, the merged pairs, the ends of a text.
     *
     * @see <a href="https://github.com/openai/CLIP/blob/main/clip/simple_tokenizer.py">simple_tokenizer.py</a>
     */
    private static ObjectNode vocabulary(String merges) {
        List<String> bytes = new ArrayList<>();
        List<String> unseen = new ArrayList<>();
        for (int b = 0; b < 256; b++) {
            boolean isSeen = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
            if (isSeen) {
                bytes.add(Character.toString(b));
            } else {
                unseen.add(Character.toString(256 + unseen.size()));
            }
        }
        bytes.addAll(unseen);
        ObjectNode vocabulary = JSON.createObjectNode();
        Stream.of(
                        bytes.stream(),
                        bytes.stream().map(text -> text + "</w>"),
                        merges.lines().skip(1).map(pair -> pair.replace(" ", "")),
                        Stream.of("<|startoftext|>", "<|endoftext|>"))
                .flatMap(tokens -> tokens)
                .forEach(token -> vocabulary.put(token, vocabulary.size()));
        return vocabulary;
    }

    private static ObjectNode json(String name) throws IOException {
        return (ObjectNode) JSON.readTree(resource(name));
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = SingleFile.class.getResourceAsStream(RESOURCES + name)) {
            if (in == null) {
                throw new FileNotFoundException("expected " + RESOURCES + name + " in the jar; build it again");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static Map<Pattern, String> others() {
        Map<Pattern, String> others = new LinkedHashMap<>();
        others.put(
                Pattern.compile("conditioner\\.embedders\\.0\\.model\\."),
                "Stable Diffusion XL's refiner; take the base checkpoint");
        others.put(Pattern.compile("edm_(mean|std)"), "Playground 2.5, whose process (EDM) is not supported");
        others.put(
                Pattern.compile("(model\\.diffusion_model\\.)?joint_blocks\\."),
                "Stable Diffusion 3; take that checkpoint in diffusers layout");
        others.put(Pattern.compile("(model\\.diffusion_model\\.)?double_blocks\\."), "FLUX, which is not supported");
        others.put(Pattern.compile("control_model\\."), "a ControlNet, which is not supported");
        others.put(
                Pattern.compile("lora_|.*\\.lora_(up|down|A|B)\\."),
                "a LoRA; name its checkpoint in model.checkpoint, and it in model.loras");
        others.put(
                Pattern.compile("(down_blocks|up_blocks|encoder\\.down_blocks|transformer_blocks|text_model)\\."),
                "a component in diffusers or transformers layout; name the folder that has a "
                        + CheckpointFolder.INDEX);
        return others;
    }
}
