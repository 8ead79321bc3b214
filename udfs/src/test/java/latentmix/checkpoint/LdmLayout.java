package latentmix.checkpoint;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import latentmix.codec.LittleEndian;

/**
 * Files in the layout of the original code of Stable Diffusion, the same that {@code golden/single_file.py} makes:
 * names and shapes are those of its modules, bytes follow from a formula.
 */
public final class LdmLayout {
    static final String UNET = "model.diffusion_model.";
    static final String VAE = "first_stage_model.";
    static final String CLIP = "cond_stage_model.transformer.text_model.";
    static final String OPEN_CLIP = "cond_stage_model.model.";
    static final String CLIP_XL = "conditioner.embedders.0.transformer.text_model.";
    static final String OPEN_CLIP_XL = "conditioner.embedders.1.model.";

    private final Map<String, List<Long>> shapes = new LinkedHashMap<>();
    private final ElementType type;
    private final int channels;
    private final int[] mult;
    private final int context;
    private final boolean linear;
    private final Optional<Second> second;
    private boolean isRandom;

    /** Widths of the parts: of the U-Net, its prompt, the text encoder with layers and words, the autoencoder. */
    record Widths(int channels, int[] mult, int context, int text, int layers, int words, int vae) {}

    /** Stable Diffusion XL's second text encoder, the autoencoder's levels and the depths of its transformers. */
    record Second(int text, int layers, int words, int projection, int[] vae, int[] depths) {}

    private LdmLayout(Widths widths, boolean isSecond, Optional<Second> second, ElementType type) {
        this.second = second;
        this.type = type;
        this.channels = widths.channels();
        this.mult = widths.mult();
        this.context = widths.context();
        this.linear = isSecond;
        unet();
        vae(widths.vae(), second.map(Second::vae).orElse(mult));
        if (second.isPresent()) {
            Second other = second.get();
            clip(CLIP_XL, widths.text(), widths.layers(), widths.words());
            openClip(OPEN_CLIP_XL, other.text(), other.layers(), other.words(), other.projection());
        } else if (isSecond) {
            openClip(OPEN_CLIP, widths.text(), widths.layers(), widths.words(), widths.text());
        } else {
            clip(CLIP, widths.text(), widths.layers(), widths.words());
        }
    }

    /** Of the transformers of a level; Stable Diffusion XL has none at its first, the others at their last. */
    private int depth(int level) {
        return second.isPresent()
                ? (level == 0 ? 0 : second.get().depths()[level])
                : (level == mult.length - 1 ? 0 : 1);
    }

    /** A small Stable Diffusion 1 that computes: its numbers are of the sizes that training begins with. */
    public static LdmLayout ofRandomNumbers() {
        LdmLayout layout = first(new Widths(32, new int[] {1, 1, 2, 2}, 64, 64, 2, 49408, 32), ElementType.F16);
        layout.isRandom = true;
        return layout;
    }

    /** A small Stable Diffusion XL that computes. */
    public static LdmLayout xlOfRandomNumbers() {
        LdmLayout layout = xl(
                new Widths(64, new int[] {1, 1, 2}, 192, 64, 2, 49408, 32),
                new Second(128, 2, 49408, 48, new int[] {1, 1, 2, 2}, new int[] {1, 1, 2}),
                ElementType.F16);
        layout.isRandom = true;
        return layout;
    }

    static LdmLayout first(Widths widths, ElementType type) {
        return new LdmLayout(widths, false, Optional.empty(), type);
    }

    static LdmLayout second(Widths widths, ElementType type) {
        return new LdmLayout(widths, true, Optional.empty(), type);
    }

    static LdmLayout xl(Widths widths, Second second, ElementType type) {
        return new LdmLayout(widths, true, Optional.of(second), type);
    }

    /** With a moving average of the U-Net's weights, and what else training leaves. */
    public LdmLayout withEma() {
        put("betas", 1000);
        put("model_ema.decay");
        Map.copyOf(shapes).forEach((name, shape) -> {
            if (name.startsWith(UNET)) {
                shapes.put("model_ema." + name.substring("model.".length()).replace(".", ""), shape);
            }
        });
        return this;
    }

    LdmLayout without(String prefix) {
        shapes.keySet().removeIf(name -> name.startsWith(prefix));
        return this;
    }

    LdmLayout with(String name, long... shape) {
        put(name, shape);
        return this;
    }

    private ElementType type(String name) {
        return name.endsWith("position_ids") ? ElementType.I64 : type;
    }

    /** As the golden file names them: names, types and shapes. */
    String digest() {
        return digest(shapes.entrySet().stream()
                .map(entry -> entry.getKey() + " " + type(entry.getKey()) + " " + entry.getValue()));
    }

    static String digest(Stream<String> lines) {
        return Fingerprint.ofText(lines.sorted().collect(Collectors.joining("\n")));
    }

    static long crc(byte[] bytes) {
        CRC32 crc = new CRC32();
        crc.update(bytes);
        return crc.getValue();
    }

    public Path write(Path file) throws IOException {
        Map<String, ElementType> types = new TreeMap<>();
        shapes.keySet().forEach(name -> types.put(name, type(name)));
        Safetensors.write(
                file,
                types,
                shapes,
                (tensor, out) -> out.write(isRandom && tensor.type().isFloating() ? random(tensor) : bytes(tensor)));
        return file;
    }

    /** Of element i and the name's CRC-32 c: the bits of i * 2654435761 + c that make a finite number. */
    private static ByteBuffer bytes(Safetensors.Tensor tensor) {
        ByteBuffer buffer = LittleEndian.buffer((int) (tensor.end() - tensor.begin()));
        long c = crc(tensor.name().getBytes(StandardCharsets.UTF_8));
        for (long i = 0; i < tensor.size(); i++) {
            long bits = i * 2654435761L + c;
            switch (tensor.type()) {
                case I64 -> buffer.putLong(i);
                case F32 -> buffer.putInt((int) (bits & 0x3FFFFFFF));
                default -> buffer.putShort((short) (bits & 0x3BFF));
            }
        }
        return buffer.flip();
    }

    /** Gaussian numbers: of matrices, such that an output is as large as an input; of biases small; else about 1. */
    private static ByteBuffer random(Safetensors.Tensor tensor) {
        Random random = new Random(crc(tensor.name().getBytes(StandardCharsets.UTF_8)));
        int size = Math.toIntExact(tensor.size());
        boolean isMatrix = tensor.shape().size() > 1;
        double deviation = isMatrix ? Math.sqrt((double) tensor.shape().get(0) / size) : 0.1;
        double mean = isMatrix || tensor.name().endsWith("bias") ? 0 : 1;
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) (mean + deviation * random.nextGaussian());
        }
        ByteBuffer buffer = LittleEndian.buffer((int) (tensor.end() - tensor.begin()));
        tensor.type().encode(values, size, buffer);
        return buffer.flip();
    }

    /** A file of this length and header whose numbers are a hole in it: it takes no space. */
    Path writeSparse(Path file) throws IOException {
        Map<String, ElementType> types = new TreeMap<>();
        shapes.keySet().forEach(name -> types.put(name, type(name)));
        List<String> header = new ArrayList<>();
        long end = 0;
        for (Map.Entry<String, ElementType> entry : types.entrySet()) {
            List<Long> shape = shapes.get(entry.getKey());
            long size = shape.stream().reduce((long) entry.getValue().bytes(), Math::multiplyExact);
            header.add("\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                    .formatted(entry.getKey(), entry.getValue(), shape, end, end + size));
            end += size;
        }
        byte[] json = ("{" + String.join(",", header) + "}").getBytes(StandardCharsets.UTF_8);
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.write(LittleEndian.buffer(8).putLong(json.length).array());
            out.write(json);
            out.setLength(8 + json.length + end);
        }
        return file;
    }

    private void put(String name, long... shape) {
        shapes.put(name, Arrays.stream(shape).boxed().toList());
    }

    private void layer(String name, long... weight) {
        put(name + ".weight", weight);
        put(name + ".bias", weight[0]);
    }

    private void res(String name, int before, int after) {
        layer(name + "in_layers.0", before);
        layer(name + "in_layers.2", after, before, 3, 3);
        layer(name + "emb_layers.1", after, 4L * channels);
        layer(name + "out_layers.0", after);
        layer(name + "out_layers.3", after, after, 3, 3);
        if (before != after) {
            layer(name + "skip_connection", after, before, 1, 1);
        }
    }

    private void transformer(String name, int c, int depth) {
        long[] projection = linear ? new long[] {c, c} : new long[] {c, c, 1, 1};
        layer(name + "norm", c);
        layer(name + "proj_in", projection);
        for (int i = 0; i < depth; i++) {
            block(name + "transformer_blocks." + i + ".", c);
        }
        layer(name + "proj_out", projection);
    }

    private void block(String block, int c) {
        for (String attention : List.of("attn1.", "attn2.")) {
            long keys = attention.equals("attn1.") ? c : context;
            put(block + attention + "to_q.weight", c, c);
            put(block + attention + "to_k.weight", c, keys);
            put(block + attention + "to_v.weight", c, keys);
            layer(block + attention + "to_out.0", c, c);
        }
        layer(block + "ff.net.0.proj", 8L * c, c);
        layer(block + "ff.net.2", c, 4L * c);
        for (int i = 1; i <= 3; i++) {
            layer(block + "norm" + i, c);
        }
    }

    private void unet() {
        int c = channels;
        int last = mult.length - 1;
        layer(UNET + "time_embed.0", 4L * c, c);
        layer(UNET + "time_embed.2", 4L * c, 4L * c);
        second.ifPresent(other -> {
            layer(UNET + "label_emb.0.0", 4L * c, other.projection() + 6L * 256);
            layer(UNET + "label_emb.0.2", 4L * c, 4L * c);
        });
        layer(UNET + "input_blocks.0.0", c, 4, 3, 3);
        Deque<Integer> skips = new ArrayDeque<>(List.of(c));
        int now = c;
        int i = 1;
        for (int level = 0; level <= last; level++) {
            for (int block = 0; block < 2; block++) {
                res(UNET + "input_blocks." + i + ".0.", now, mult[level] * c);
                now = mult[level] * c;
                if (depth(level) > 0) {
                    transformer(UNET + "input_blocks." + i + ".1.", now, depth(level));
                }
                skips.push(now);
                i++;
            }
            if (level != last) {
                layer(UNET + "input_blocks." + i + ".0.op", now, now, 3, 3);
                skips.push(now);
                i++;
            }
        }
        res(UNET + "middle_block.0.", now, now);
        transformer(UNET + "middle_block.1.", now, Math.max(1, depth(last)));
        res(UNET + "middle_block.2.", now, now);
        i = 0;
        for (int level = last; level >= 0; level--) {
            for (int block = 0; block < 3; block++) {
                res(UNET + "output_blocks." + i + ".0.", now + skips.pop(), mult[level] * c);
                now = mult[level] * c;
                if (depth(level) > 0) {
                    transformer(UNET + "output_blocks." + i + ".1.", now, depth(level));
                }
                if (level > 0 && block == 2) {
                    layer(UNET + "output_blocks." + i + "." + (depth(level) > 0 ? 2 : 1) + ".conv", now, now, 3, 3);
                }
                i++;
            }
        }
        layer(UNET + "out.0", c);
        layer(UNET + "out.2", 4, c, 3, 3);
    }

    private void vaeRes(String name, int before, int after) {
        layer(name + "norm1", before);
        layer(name + "conv1", after, before, 3, 3);
        layer(name + "norm2", after);
        layer(name + "conv2", after, after, 3, 3);
        if (before != after) {
            layer(name + "nin_shortcut", after, before, 1, 1);
        }
    }

    private void vaeMid(String name, int c) {
        vaeRes(name + "block_1.", c, c);
        layer(name + "attn_1.norm", c);
        for (String part : List.of("q", "k", "v", "proj_out")) {
            layer(name + "attn_1." + part, c, c, 1, 1);
        }
        vaeRes(name + "block_2.", c, c);
    }

    private void vae(int c, int[] levels) {
        int last = levels.length - 1;
        String encoder = VAE + "encoder.";
        layer(encoder + "conv_in", c, 3, 3, 3);
        int now = c;
        for (int level = 0; level <= last; level++) {
            for (int block = 0; block < 2; block++) {
                vaeRes(encoder + "down." + level + ".block." + block + ".", now, levels[level] * c);
                now = levels[level] * c;
            }
            if (level != last) {
                layer(encoder + "down." + level + ".downsample.conv", now, now, 3, 3);
            }
        }
        vaeMid(encoder + "mid.", now);
        layer(encoder + "norm_out", now);
        layer(encoder + "conv_out", 8, now, 3, 3);
        String decoder = VAE + "decoder.";
        layer(decoder + "conv_in", now, 4, 3, 3);
        vaeMid(decoder + "mid.", now);
        for (int level = last; level >= 0; level--) {
            for (int block = 0; block < 3; block++) {
                vaeRes(decoder + "up." + level + ".block." + block + ".", now, levels[level] * c);
                now = levels[level] * c;
            }
            if (level > 0) {
                layer(decoder + "up." + level + ".upsample.conv", now, now, 3, 3);
            }
        }
        layer(decoder + "norm_out", now);
        layer(decoder + "conv_out", 3, now, 3, 3);
        layer(VAE + "quant_conv", 8, 8, 1, 1);
        layer(VAE + "post_quant_conv", 4, 4, 1, 1);
    }

    private void clip(String prefix, int width, int layers, int words) {
        put(prefix + "embeddings.position_ids", 1, 77);
        put(prefix + "embeddings.token_embedding.weight", words, width);
        put(prefix + "embeddings.position_embedding.weight", 77, width);
        for (int i = 0; i < layers; i++) {
            String layer = prefix + "encoder.layers." + i + ".";
            for (String part : List.of("q_proj", "k_proj", "v_proj", "out_proj")) {
                layer(layer + "self_attn." + part, width, width);
            }
            layer(layer + "layer_norm1", width);
            layer(layer + "mlp.fc1", 4L * width, width);
            layer(layer + "mlp.fc2", width, 4L * width);
            layer(layer + "layer_norm2", width);
        }
        layer(prefix + "final_layer_norm", width);
    }

    private void openClip(String prefix, int width, int layers, int words, int projection) {
        put(prefix + "positional_embedding", 77, width);
        put(prefix + "text_projection", width, projection);
        put(prefix + "logit_scale");
        put(prefix + "token_embedding.weight", words, width);
        for (int i = 0; i < layers; i++) {
            String layer = prefix + "transformer.resblocks." + i + ".";
            layer(layer + "ln_1", width);
            put(layer + "attn.in_proj_weight", 3L * width, width);
            put(layer + "attn.in_proj_bias", 3L * width);
            layer(layer + "attn.out_proj", width, width);
            layer(layer + "ln_2", width);
            layer(layer + "mlp.c_fc", 4L * width, width);
            layer(layer + "mlp.c_proj", width, 4L * width);
        }
        layer(prefix + "ln_final", width);
    }
}
