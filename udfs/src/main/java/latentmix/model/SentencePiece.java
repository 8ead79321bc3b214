package latentmix.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import latentmix.checkpoint.CheckpointException;

/**
 * A {@code spiece.model}, SentencePiece's own file of a unigram model, as the {@code tokenizer.json} that transformers
 * makes of T5's.
 *
 * <p>The file is a message of protocol buffers: pieces with their log probabilities, the training's settings, and a
 * compiled map that normalises characters.
 *
 * @param charsmap of the normalisation, in the library's own format; empty for none
 * @see <a href="https://github.com/google/sentencepiece/blob/v0.2.0/src/sentencepiece_model.proto">the messages</a>
 * @see <a
 *     href="https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/convert_slow_tokenizer.py">transformers'
 *     T5Converter</a>
 */
record SentencePiece(List<Piece> pieces, int unknownId, byte[] charsmap) {
    /** A piece of text and the logarithm of its probability. */
    record Piece(String text, float score) {}

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SPACE = "▁";
    private static final String END = "</s>";
    private static final int UNIGRAM = 1;

    // Fields of the messages.
    private static final int PIECES = 1;
    private static final int TRAINER = 2;
    private static final int NORMALIZER = 3;
    private static final int TEXT = 1;
    private static final int SCORE = 2;
    private static final int MODEL_TYPE = 3;
    private static final int UNKNOWN_ID = 40;
    private static final int CHARSMAP = 2;

    // The ways in which a field is written.
    private static final int VARINT = 0;
    private static final int FIXED_64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED_32 = 5;

    /**
     * Reads a file's bytes.
     *
     * @param path where they come from, for messages
     */
    static SentencePiece of(byte[] bytes, Path path) {
        SentencePiece model;
        try {
            Map<Integer, List<ByteBuffer>> file = fields(ByteBuffer.wrap(bytes));
            Map<Integer, List<ByteBuffer>> trainer = member(file, TRAINER);
            if (number(trainer, MODEL_TYPE, UNIGRAM) != UNIGRAM) {
                throw new CheckpointException(
                        path + " should be a unigram model of SentencePiece, as T5's is, but is of"
                                + " another type; fetch the checkpoint's tokenizer.json");
            }
            model = new SentencePiece(
                    file.getOrDefault(PIECES, List.of()).stream()
                            .map(SentencePiece::piece)
                            .toList(),
                    number(trainer, UNKNOWN_ID, 0),
                    bytes(last(member(file, NORMALIZER), CHARSMAP)));
        } catch (IllegalArgumentException
                | ArithmeticException
                | IndexOutOfBoundsException
                | BufferUnderflowException e) {
            throw new CheckpointException(path + " should be a model of SentencePiece, but is not; fetch it again", e);
        }
        if (model.id(END) < 0 || model.unknownId >= model.pieces.size()) {
            throw new CheckpointException(
                    path + " should have the piece " + END + " and one for what is unknown, as T5's has, but has "
                            + model.pieces.size() + " others; fetch it again");
        }
        return model;
    }

    private static Piece piece(ByteBuffer message) {
        Map<Integer, List<ByteBuffer>> fields = fields(message);
        ByteBuffer score = last(fields, SCORE).order(ByteOrder.LITTLE_ENDIAN);
        return new Piece(
                new String(bytes(last(fields, TEXT)), StandardCharsets.UTF_8),
                score.hasRemaining() ? score.getFloat() : 0);
    }

    private static Map<Integer, List<ByteBuffer>> member(Map<Integer, List<ByteBuffer>> fields, int number) {
        return fields(last(fields, number));
    }

    private static int number(Map<Integer, List<ByteBuffer>> fields, int number, int otherwise) {
        return fields.containsKey(number) ? Math.toIntExact(last(fields, number).getLong()) : otherwise;
    }

    /** The last value of a field, or no bytes. */
    private static ByteBuffer last(Map<Integer, List<ByteBuffer>> fields, int number) {
        List<ByteBuffer> values = fields.getOrDefault(number, List.of(ByteBuffer.allocate(0)));
        return values.get(values.size() - 1);
    }

    /** A message's fields by their numbers, in the file's bytes; numbers of variable length as 8 bytes. */
    private static Map<Integer, List<ByteBuffer>> fields(ByteBuffer message) {
        Map<Integer, List<ByteBuffer>> fields = new HashMap<>();
        while (message.hasRemaining()) {
            long tag = varint(message);
            ByteBuffer value =
                    switch ((int) (tag & 7)) {
                        case VARINT -> ByteBuffer.allocate(Long.BYTES).putLong(0, varint(message));
                        case FIXED_64 -> slice(message, Long.BYTES);
                        case FIXED_32 -> slice(message, Integer.BYTES);
                        case BYTES -> slice(message, Math.toIntExact(varint(message)));
                        default -> throw new IllegalArgumentException("No field is written as " + (tag & 7));
                    };
            fields.computeIfAbsent((int) (tag >>> 3), number -> new ArrayList<>())
                    .add(value);
        }
        return fields;
    }

    private static ByteBuffer slice(ByteBuffer message, int length) {
        ByteBuffer slice = message.slice(message.position(), length);
        message.position(message.position() + length);
        return slice;
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    private static long varint(ByteBuffer message) {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            byte next = message.get();
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new IllegalArgumentException("a number of more than 64 bits");
    }

    /**
     * The {@code tokenizer.json} of T5.
     *
     * @param extraIds sentinels after the pieces, the last of them {@code <extra_id_0>}
     */
    ObjectNode tokenizerJson(int extraIds) {
        ObjectNode root = JSON.createObjectNode().put("version", "1.0");
        root.putNull("truncation").putNull("padding");
        ArrayNode added = root.putArray("added_tokens");
        for (String special : List.of("<pad>", END, "<unk>")) {
            int id = id(special);
            if (id >= 0) {
                added.add(special(id, special));
            }
        }
        ArrayNode normalizers =
                root.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
        if (charsmap.length > 0) {
            normalizers
                    .addObject()
                    .put("type", "Precompiled")
                    .put("precompiled_charsmap", Base64.getEncoder().encodeToString(charsmap));
        }
        normalizers.addObject().put("type", "Strip").put("strip_left", false).put("strip_right", true);
        ObjectNode spaces = normalizers.addObject().put("type", "Replace").put("content", SPACE);
        spaces.putObject("pattern").put("Regex", " {2,}");
        metaspace(root.putObject("pre_tokenizer"));
        metaspace(root.putObject("decoder"));
        ObjectNode ending = root.putObject("post_processor").put("type", "TemplateProcessing");
        ArrayNode single = ending.putArray("single");
        text(single, "A");
        ArrayNode pair = ending.putArray("pair");
        text(pair, "A");
        text(pair, "B");
        ObjectNode end = ending.putObject("special_tokens").putObject(END).put("id", END);
        end.putArray("ids").add(id(END));
        end.putArray("tokens").add(END);
        ObjectNode model = root.putObject("model")
                .put("type", "Unigram")
                .put("unk_id", unknownId)
                .put("byte_fallback", false);
        ArrayNode vocab = model.putArray("vocab");
        pieces.forEach(piece -> vocab.addArray().add(piece.text()).add((double) piece.score()));
        for (int i = extraIds - 1; i >= 0; i--) {
            String sentinel = "<extra_id_" + i + ">";
            added.add(special(vocab.size(), sentinel));
            vocab.addArray().add(sentinel).add(0.0);
        }
        return root;
    }

    /** The id of a piece, or -1. */
    private int id(String text) {
        return pieces.stream().map(Piece::text).toList().indexOf(text);
    }

    private static ObjectNode special(int id, String content) {
        ObjectNode token = JSON.createObjectNode().put("id", id).put("content", content);
        for (String rule : List.of("single_word", "lstrip", "rstrip", "normalized")) {
            token.put(rule, false);
        }
        return token.put("special", true);
    }

    private static void metaspace(ObjectNode node) {
        node.put("type", "Metaspace")
                .put("replacement", SPACE)
                .put("prepend_scheme", "always")
                .put("split", true);
    }

    /** A text of the input and the end token after it. */
    private static void text(ArrayNode template, String id) {
        template.addObject().putObject("Sequence").put("id", id).put("type_id", 0);
        template.addObject().putObject("SpecialToken").put("id", END).put("type_id", 0);
    }
}
