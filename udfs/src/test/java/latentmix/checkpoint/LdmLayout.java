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

    private final Map<String, List<Long>> shapes = new LinkedHashMap<>();
    private final ElementType type;
    private final int channels;
    private final int[] mult;
    private final int context;
    private final boolean linear;
    private boolean isRandom;

    /** Widths of the parts: of the U-Net, its prompt, the text encoder with layers and words, the autoencoder. */
    record Widths(int channels, int[] mult, int context, int text, int layers, int words, int vae) {}

    private LdmLayout(Widths widths, boolean isSecond, ElementType type) {
        this.type = type;
        this.channels = widths.channels();
        this.mult = widths.mult();
        this.context = widths.context();
        this.linear = isSecond;
        unet();
        vae(widths.vae());
        if (isSecond) {
            openClip(widths.text(), widths.layers(), widths.words());
        } else {
            clip(widths.text(), widths.layers(), widths.words());
        }
    }

    /** A small Stable Diffusion 1 that computes: its numbers are of the sizes that training begins with. */
    public static LdmLayout ofRandomNumbers() {
        LdmLayout layout = first(new Widths(32, new int[] {1, 1, 2, 2}, 64, 64, 2, 49408, 32), ElementType.F16);
        layout.isRandom = true;
        return layout;
    }

    static LdmLayout first(Widths widths, ElementType type) {
        return new LdmLayout(widths, false, type);
    }

    static LdmLayout second(Widths widths, ElementType type) {
        return new LdmLayout(widths, true, type);
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

    private void transformer(String name, int c) {
        long[] projection = linear ? new long[] {c, c} : new long[] {c, c, 1, 1};
        layer(name + "norm", c);
        layer(name + "proj_in", projection);
        String block = name + "transformer_blocks.0.";
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
        layer(name + "proj_out", projection);
    }

    private void unet() {
        int c = channels;
        int last = mult.length - 1;
        layer(UNET + "time_embed.0", 4L * c, c);
        layer(UNET + "time_embed.2", 4L * c, 4L * c);
        layer(UNET + "input_blocks.0.0", c, 4, 3, 3);
        Deque<Integer> skips = new ArrayDeque<>(List.of(c));
        int now = c;
        int i = 1;
        for (int level = 0; level <= last; level++) {
            for (int block = 0; block < 2; block++) {
                res(UNET + "input_blocks." + i + ".0.", now, mult[level] * c);
                now = mult[level] * c;
                if (level != last) {
                    transformer(UNET + "input_blocks." + i + ".1.", now);
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
        transformer(UNET + "middle_block.1.", now);
        res(UNET + "middle_block.2.", now, now);
        i = 0;
        for (int level = last; level >= 0; level--) {
            for (int block = 0; block < 3; block++) {
                res(UNET + "output_blocks." + i + ".0.", now + skips.pop(), mult[level] * c);
                now = mult[level] * c;
                if (level != last) {
                    transformer(UNET + "output_blocks." + i + ".1.", now);
                }
                if (level > 0 && block == 2) {
                    layer(UNET + "output_blocks." + i + "." + (level == last ? 1 : 2) + ".conv", now, now, 3, 3);
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

    private void vae(int c) {
        int last = mult.length - 1;
        String encoder = VAE + "encoder.";
        layer(encoder + "conv_in", c, 3, 3, 3);
        int now = c;
        for (int level = 0; level <= last; level++) {
            for (int block = 0; block < 2; block++) {
                vaeRes(encoder + "down." + level + ".block." + block + ".", now, mult[level] * c);
                now = mult[level] * c;
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
                vaeRes(decoder + "up." + level + ".block." + block + ".", now, mult[level] * c);
                now = mult[level] * c;
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

    private void clip(int width, int layers, int words) {
        put(CLIP + "embeddings.position_ids", 1, 77);
        put(CLIP + "embeddings.token_embedding.weight", words, width);
        put(CLIP + "embeddings.position_embedding.weight", 77, width);
        for (int i = 0; i < layers; i++) {
            String layer = CLIP + "encoder.layers." + i + ".";
            for (String part : List.of("q_proj", "k_proj", "v_proj", "out_proj")) {
                layer(layer + "self_attn." + part, width, width);
            }
            layer(layer + "layer_norm1", width);
            layer(layer + "mlp.fc1", 4L * width, width);
            layer(layer + "mlp.fc2", width, 4L * width);
            layer(layer + "layer_norm2", width);
        }
        layer(CLIP + "final_layer_norm", width);
    }

    private void openClip(int width, int layers, int words) {
        put(OPEN_CLIP + "positional_embedding", 77, width);
        put(OPEN_CLIP + "text_projection", width, width);
        put(OPEN_CLIP + "logit_scale");
        put(OPEN_CLIP + "token_embedding.weight", words, width);
        for (int i = 0; i < layers; i++) {
            String layer = OPEN_CLIP + "transformer.resblocks." + i + ".";
            layer(layer + "ln_1", width);
            put(layer + "attn.in_proj_weight", 3L * width, width);
            put(layer + "attn.in_proj_bias", 3L * width);
            layer(layer + "attn.out_proj", width, width);
            layer(layer + "ln_2", width);
            layer(layer + "mlp.c_fc", 4L * width, width);
            layer(layer + "mlp.c_proj", width, 4L * width);
        }
        layer(OPEN_CLIP + "ln_final", width);
    }
}
