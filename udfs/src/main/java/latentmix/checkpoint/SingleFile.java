package latentmix.checkpoint;

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
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import latentmix.codec.LittleEndian;

/**
 * A checkpoint of Stable Diffusion 1 or 2 in one safetensors file, in the layout of the original code, read as the
 * folder in diffusers layout that {@code StableDiffusionPipeline.from_single_file} makes of it.
 *
 * <p>Tensors get other names; OpenCLIP's joint projections are cut in three, and its last layer, which Stable Diffusion
 * 2 does not use, goes. Configurations are those of the published checkpoints, with widths and layers as the file's
 * shapes tell them. The vocabulary is CLIP's own, which both have.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/main/src/diffusers/loaders/single_file_utils.py">The
 *     library's conversion</a>
 */
final class SingleFile implements AutoCloseable {
    static final String ENDING = ".safetensors";

    /** Changes whenever another folder is made of the same file. */
    static final String VERSION = "1";

    /** The variant that means the moving average of a U-Net's weights. */
    static final String EMA = "ema";

    private static final String RESOURCES = "/latentmix/single-file/";
    private static final String DENOISER = "model.diffusion_model.";
    private static final String AUTOENCODER = "first_stage_model.";
    private static final String CLIP = "cond_stage_model.transformer.";
    private static final String OPEN_CLIP = "cond_stage_model.model.";
    private static final int LEAST_EMA = 100; // with fewer tensors of a moving average there is none, as diffusers says
    private static final int HEAD = 64; // channels of an attention head
    private static final long BASE_STEP = 875_000; // of Stable Diffusion 2.0's base model
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The files of other models by what their tensors are called. */
    private static final Map<Pattern, String> OTHERS = others();

    private static final List<Rename> UNET = List.of(
            new Rename("^time_embed\\.0\\.", "time_embedding.linear_1."),
            new Rename("^time_embed\\.2\\.", "time_embedding.linear_2."),
            new Rename("^input_blocks\\.0\\.0\\.", "conv_in."),
            new Rename("^out\\.0\\.", "conv_norm_out."),
            new Rename("^out\\.2\\.", "conv_out."),
            new Rename("^middle_block\\.0\\.", "mid_block.resnets.0."),
            new Rename("^middle_block\\.1\\.", "mid_block.attentions.0."),
            new Rename("^middle_block\\.2\\.", "mid_block.resnets.1."));
    private static final List<Rename> RESNET = List.of(
            new Rename("(?<=\\.resnets\\.\\d\\.)in_layers\\.0\\.", "norm1."),
            new Rename("(?<=\\.resnets\\.\\d\\.)in_layers\\.2\\.", "conv1."),
            new Rename("(?<=\\.resnets\\.\\d\\.)emb_layers\\.1\\.", "time_emb_proj."),
            new Rename("(?<=\\.resnets\\.\\d\\.)out_layers\\.0\\.", "norm2."),
            new Rename("(?<=\\.resnets\\.\\d\\.)out_layers\\.3\\.", "conv2."),
            new Rename("(?<=\\.resnets\\.\\d\\.)skip_connection\\.", "conv_shortcut."));
    private static final Pattern INPUT = Pattern.compile("input_blocks\\.(\\d+)\\.([01])\\.(op\\.)?");
    private static final Pattern OUTPUT = Pattern.compile("output_blocks\\.(\\d+)\\.([012])\\.(conv\\.)?");
    private static final int BLOCKS = 12; // input and output blocks each: 4 levels of 3

    private static final List<Rename> VAE = List.of(
            new Rename("^(encoder|decoder)\\.norm_out\\.", "$1.conv_norm_out."),
            new Rename("^(encoder|decoder)\\.mid\\.block_1\\.", "$1.mid_block.resnets.0."),
            new Rename("^(encoder|decoder)\\.mid\\.block_2\\.", "$1.mid_block.resnets.1."),
            new Rename("^(encoder|decoder)\\.mid\\.attn_1\\.norm\\.", "$1.mid_block.attentions.0.group_norm."),
            new Rename("^(encoder|decoder)\\.mid\\.attn_1\\.([qkv])\\.", "$1.mid_block.attentions.0.to_$2."),
            new Rename("^(encoder|decoder)\\.mid\\.attn_1\\.proj_out\\.", "$1.mid_block.attentions.0.to_out.0."),
            new Rename("^encoder\\.down\\.(\\d)\\.block\\.(\\d)\\.", "encoder.down_blocks.$1.resnets.$2."),
            new Rename("^encoder\\.down\\.(\\d)\\.downsample\\.", "encoder.down_blocks.$1.downsamplers.0."),
            new Rename("^decoder\\.up\\.(\\d)\\.block\\.(\\d)\\.", "decoder.up_blocks.$1.resnets.$2."),
            new Rename("^decoder\\.up\\.(\\d)\\.upsample\\.", "decoder.up_blocks.$1.upsamplers.0."),
            new Rename("(?<=\\.resnets\\.\\d\\.)nin_shortcut\\.", "conv_shortcut."));
    private static final Pattern UP_BLOCK = Pattern.compile("(?<=^decoder\\.up_blocks\\.)(\\d)");
    private static final Pattern OF_AUTOENCODER = Pattern.compile("(encoder|decoder|quant_conv|post_quant_conv)\\..*");

    private static final List<Rename> OPEN_CLIP_TEXT = List.of(
            new Rename("^positional_embedding$", "embeddings.position_embedding.weight"),
            new Rename("^token_embedding\\.", "embeddings.token_embedding."),
            new Rename("^ln_final\\.", "final_layer_norm."),
            new Rename("^transformer\\.resblocks\\.", "encoder.layers."),
            new Rename("(?<=layers\\.\\d{1,2}\\.)ln_1\\.", "layer_norm1."),
            new Rename("(?<=layers\\.\\d{1,2}\\.)ln_2\\.", "layer_norm2."),
            new Rename("(?<=layers\\.\\d{1,2}\\.)mlp\\.c_fc\\.", "mlp.fc1."),
            new Rename("(?<=layers\\.\\d{1,2}\\.)mlp\\.c_proj\\.", "mlp.fc2."),
            new Rename("(?<=layers\\.\\d{1,2}\\.)attn\\.", "self_attn."));
    private static final Pattern OF_TEXT =
            Pattern.compile("(embeddings\\.(token|position)_embedding|encoder\\.layers|final_layer_norm)\\..*");
    private static final Pattern LAYER = Pattern.compile("encoder\\.layers\\.(\\d+)\\..*");

    /** The first occurrence of a pattern in a name has another text. */
    private record Rename(Pattern pattern, String text) {
        Rename(String pattern, String text) {
            this(Pattern.compile(pattern), text);
        }

        static String all(List<Rename> renames, String name) {
            String renamed = name;
            for (Rename rename : renames) {
                renamed = rename.pattern.matcher(renamed).replaceFirst(rename.text);
            }
            return renamed;
        }
    }

    /** A tensor of the folder: a part of one of the file, from a byte of it on. */
    private record Piece(Safetensors.Tensor source, long offset, List<Long> shape) {
        static Piece whole(Safetensors.Tensor source) {
            return new Piece(source, 0, source.shape());
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
        long length = tensor.end() - tensor.begin();
        for (long at = 0; at < length; at += buffer.capacity()) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), length - at));
            file.read(piece.source(), piece.offset() + at, buffer);
            buffer.flip();
            while (buffer.hasRemaining()) {
                out.write(buffer);
            }
        }
    }

    private static long bytes(Piece piece) {
        return piece.shape().stream().reduce((long) piece.source().type().bytes(), Math::multiplyExact);
    }

    @Override
    public void close() {
        file.close();
    }

    private void read(CheckpointSpec spec) throws IOException {
        Set<String> names = file.tensors().keySet();
        for (Map.Entry<Pattern, String> other : OTHERS.entrySet()) {
            if (names.stream().anyMatch(name -> other.getKey().matcher(name).lookingAt())) {
                throw refused(other.getValue());
            }
        }
        if (!spec.reads("unet") || names.stream().noneMatch(name -> name.startsWith(DENOISER))) {
            if (names.contains("encoder.conv_in.weight") || names.contains(AUTOENCODER + "encoder.conv_in.weight")) {
                autoencoder("");
                return;
            }
            throw refused("the tensors " + StateDict.abbreviate(List.copyOf(names)) + "; take the file of a whole"
                    + " checkpoint, or name the folder that has a " + CheckpointFolder.INDEX);
        }
        List<Long> first = file.tensor(DENOISER + "input_blocks.0.0.weight").shape();
        long channels = first.size() == 4 ? first.get(1) : 0;
        if (channels != 4) {
            throw refused(
                    "a U-Net of " + channels + " input channels, as inpainting (9), instruct-pix2pix (8), upscaling"
                            + " (7) and depth (5) have; take the checkpoint that generates from a prompt");
        }
        if (names.stream().noneMatch(name -> name.startsWith(CLIP) || name.startsWith(OPEN_CLIP))) {
            throw refused("none of its text encoder's tensors, " + CLIP + "… or " + OPEN_CLIP + "…; take the whole"
                    + " checkpoint, not its U-Net alone");
        }
        boolean hasOpenClip = names.stream().anyMatch(name -> name.startsWith(OPEN_CLIP));
        String family = hasOpenClip ? "sd2" : "sd1";
        boolean isBase = hasOpenClip && isBase();
        unet(family, isBase, spec.variant());
        if (names.stream().anyMatch(name -> name.startsWith(AUTOENCODER))) {
            autoencoder("vae/");
        } else if (spec.reads("vae")) {
            throw refused("none of an autoencoder's tensors, " + AUTOENCODER + "…; name one in model.vae");
        }
        textEncoder(family);
        for (String name : List.of("tokenizer/tokenizer_config.json", "tokenizer/special_tokens_map.json")) {
            texts.put(name, resource(family + "/" + name));
        }
        String merges = resource("merges.txt");
        texts.put("tokenizer/merges.txt", merges);
        texts.put("tokenizer/vocab.json", vocabulary(merges).toString());
        ObjectNode scheduler = json(family + "/scheduler/scheduler_config.json");
        if (isBase) {
            scheduler.put("prediction_type", "epsilon");
        }
        texts.put("scheduler/scheduler_config.json", scheduler.toPrettyString());
        ObjectNode index = json(family + "/" + CheckpointFolder.INDEX);
        index.put(CheckpointFolder.ORIGIN, origin(family, spec.variant()));
        texts.put(CheckpointFolder.INDEX, index.toPrettyString());
    }

    /** What is made of the file, for people. */
    private String origin(String family, String variant) {
        String weights = !hasEma()
                ? ""
                : variant.equals(EMA)
                        ? ", the U-Net's weights that are a moving average (model_ema)"
                        : ", the U-Net's weights that are no moving average (model.variant: ema takes the others)";
        return family.equals("sd1")
                ? "Stable Diffusion 1 in one file" + weights
                : "Stable Diffusion 2 in one file" + weights + ", taken for a 768-v model as diffusers does; for a base"
                        + " model of 512 pixels set model.scheduler: {prediction_type: epsilon} and model.size: 512";
    }

    private CheckpointException refused(String came) {
        return new CheckpointException(
                "expected a checkpoint of Stable Diffusion 1 or 2 in the file " + file.path() + ", got " + came);
    }

    /** The extent of one axis of a tensor that the folder must have. */
    private long extent(Map<String, Piece> pieces, String name, int axis) {
        Piece piece = pieces.get(name);
        if (piece == null || piece.shape().size() <= axis) {
            throw refused("no tensor that becomes " + name + "; take the whole checkpoint, in its original layout");
        }
        return piece.shape().get(axis);
    }

    private boolean hasEma() {
        return file.tensors().keySet().stream()
                        .filter(name -> name.startsWith("model_ema."))
                        .count()
                > LEAST_EMA;
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
        Map<String, Piece> pieces = new TreeMap<>();
        for (Safetensors.Tensor tensor : file.tensors().values()) {
            if (tensor.name().startsWith(DENOISER)) {
                String name = tensor.name().substring(DENOISER.length());
                pieces.put(
                        unetName(name),
                        Piece.whole(
                                variant.equals(EMA)
                                        ? file.tensor("model_ema.diffusion_model" + name.replace(".", ""))
                                        : tensor));
            }
        }
        weights.put("unet/diffusion_pytorch_model." + (variant.isEmpty() ? "" : variant + ".") + "safetensors", pieces);
        ObjectNode config = json(family + "/unet/config.json");
        ArrayNode channels = config.putArray("block_out_channels");
        for (int level = 0; level < 4; level++) {
            channels.add(extent(pieces, "down_blocks." + level + ".resnets.1.conv2.weight", 0));
        }
        config.put(
                "cross_attention_dim",
                extent(pieces, "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight", 1));
        if (family.equals("sd2")) {
            ArrayNode heads = config.putArray("attention_head_dim");
            channels.forEach(width -> heads.add(width.asInt() / HEAD));
        }
        if (isBase) {
            config.put("sample_size", 64);
        }
        texts.put("unet/config.json", config.toPrettyString());
    }

    private String unetName(String name) {
        Matcher input = INPUT.matcher(name);
        Matcher output = OUTPUT.matcher(name);
        String renamed = Rename.all(UNET, name);
        if (renamed.equals(name) && input.lookingAt() && Integer.parseInt(input.group(1)) < BLOCKS) {
            int block = Integer.parseInt(input.group(1)) - 1;
            renamed = "down_blocks." + block / 3
                    + (input.group(3) != null
                            ? ".downsamplers.0.conv."
                            : (input.group(2).equals("0") ? ".resnets." : ".attentions.") + block % 3 + ".")
                    + name.substring(input.end());
        } else if (renamed.equals(name) && output.lookingAt() && Integer.parseInt(output.group(1)) < BLOCKS) {
            int block = Integer.parseInt(output.group(1));
            renamed = "up_blocks." + block / 3
                    + (output.group(3) != null
                            ? ".upsamplers.0.conv."
                            : (output.group(2).equals("0") ? ".resnets." : ".attentions.") + block % 3 + ".")
                    + name.substring(output.end());
        }
        if (renamed.equals(name)) {
            throw refused("the U-Net's tensor " + DENOISER + name + ", which neither has; an unCLIP model is not"
                    + " supported");
        }
        return Rename.all(RESNET, renamed);
    }

    /**
     * The autoencoder.
     *
     * @param folder of the component, with a slash; empty where it is the file's one component
     */
    private void autoencoder(String folder) throws IOException {
        boolean isPrefixed = file.tensors().keySet().stream().anyMatch(name -> name.startsWith(AUTOENCODER));
        String prefix = isPrefixed ? AUTOENCODER : "";
        Map<String, Piece> pieces = new TreeMap<>();
        for (Safetensors.Tensor tensor : file.tensors().values()) {
            if (tensor.name().startsWith(prefix)) {
                String name = Rename.all(VAE, tensor.name().substring(prefix.length()));
                Matcher up = UP_BLOCK.matcher(name);
                boolean isMatrix = tensor.shape().size() > 2 && name.contains(".attentions.");
                if (OF_AUTOENCODER.matcher(name).matches()) {
                    pieces.put(
                            up.find() ? up.replaceFirst(Integer.toString(3 - Integer.parseInt(up.group()))) : name,
                            new Piece(tensor, 0, isMatrix ? tensor.shape().subList(0, 2) : tensor.shape()));
                }
            }
        }
        weights.put(folder + "diffusion_pytorch_model.safetensors", pieces);
        boolean isOfSecond = file.tensors().keySet().stream().anyMatch(name -> name.startsWith(OPEN_CLIP));
        ObjectNode config = json((isOfSecond ? "sd2" : "sd1") + "/vae/config.json");
        ArrayNode channels = config.putArray("block_out_channels");
        for (int level = 0; level < 4; level++) {
            channels.add(extent(pieces, "encoder.down_blocks." + level + ".resnets.1.conv2.weight", 0));
        }
        config.put("latent_channels", extent(pieces, "decoder.conv_in.weight", 1));
        texts.put(folder + "config.json", config.toPrettyString());
    }

    private void textEncoder(String family) throws IOException {
        String prefix = family.equals("sd2") ? OPEN_CLIP : CLIP;
        Map<String, Piece> pieces = new TreeMap<>();
        long layers = 0;
        for (Safetensors.Tensor tensor : file.tensors().values()) {
            if (!tensor.name().startsWith(prefix)) {
                continue;
            }
            String name = tensor.name().substring(prefix.length());
            name = family.equals("sd2") ? Rename.all(OPEN_CLIP_TEXT, name) : name.replaceFirst("^text_model\\.", "");
            Matcher layer = LAYER.matcher(name);
            if (layer.matches()) {
                layers = Math.max(layers, 1 + Integer.parseInt(layer.group(1)));
            }
            if (name.contains(".in_proj_")) {
                split(tensor, name, pieces);
            } else if (OF_TEXT.matcher(name).matches()) {
                pieces.put("text_model." + name, Piece.whole(tensor));
            }
        }
        if (family.equals("sd2")) {
            layers--; // the prompt is what the last layer but one makes of it
            String last = "text_model.encoder.layers." + layers + ".";
            pieces.keySet().removeIf(name -> name.startsWith(last));
        }
        String tokens = "text_model.embeddings.token_embedding.weight";
        long width = extent(pieces, tokens, 1);
        weights.put("text_encoder/model.safetensors", pieces);
        ObjectNode config = json(family + "/text_encoder/config.json");
        config.put("vocab_size", extent(pieces, tokens, 0));
        config.put("hidden_size", width);
        config.put("intermediate_size", 4 * width);
        config.put("num_attention_heads", width / HEAD);
        config.put("num_hidden_layers", layers);
        texts.put("text_encoder/config.json", config.toPrettyString());
    }

    /** Queries, keys and values of one tensor. */
    private static void split(Safetensors.Tensor tensor, String name, Map<String, Piece> pieces) {
        List<Long> shape = new ArrayList<>(tensor.shape());
        shape.set(0, shape.get(0) / 3);
        long bytes = (tensor.end() - tensor.begin()) / 3;
        String[] parts = {"q_proj.", "k_proj.", "v_proj."};
        for (int i = 0; i < parts.length; i++) {
            pieces.put("text_model." + name.replace("in_proj_", parts[i]), new Piece(tensor, i * bytes, shape));
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
        others.put(Pattern.compile("conditioner\\.embedders\\."), "Stable Diffusion XL, which is not supported");
        others.put(
                Pattern.compile("(model\\.diffusion_model\\.)?joint_blocks\\."),
                "Stable Diffusion 3; take that checkpoint in diffusers layout");
        others.put(Pattern.compile("(model\\.diffusion_model\\.)?double_blocks\\."), "FLUX, which is not supported");
        others.put(Pattern.compile("control_model\\."), "a ControlNet, which is not supported");
        others.put(
                Pattern.compile("lora_|.*\\.lora_(up|down|A|B)\\."),
                "a LoRA; merge it into its checkpoint first: pipeline.fuse_lora() and save_pretrained of diffusers");
        others.put(
                Pattern.compile("(down_blocks|up_blocks|encoder\\.down_blocks|transformer_blocks|text_model)\\."),
                "a component in diffusers or transformers layout; name the folder that has a "
                        + CheckpointFolder.INDEX);
        return others;
    }
}
