package latentmix.work;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import latentmix.model.TextEncoder;
import latentmix.table.ContentId;
import latentmix.table.PromptRow;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;

/** The prompts table: each distinct prompt is encoded once per checkpoint, before any stage that needs it. */
public final class Prompts {
    private final RunFolder run;
    private final String checkpointFingerprint;
    private final Map<String, PromptRow> rows = new HashMap<>();

    public Prompts(RunFolder run, String checkpointFingerprint) {
        this.run = run;
        this.checkpointFingerprint = checkpointFingerprint;
    }

    /** A prompt's id under this checkpoint. */
    public String id(String text) {
        return ContentId.of(text, checkpointFingerprint);
    }

    /** Encodes a prompt and publishes its row. */
    public void encode(String text, TextEncoder encoder) throws IOException {
        TextEncoder.Embeds embeds = encoder.encode(text);
        ByteBuffer bytes =
                ByteBuffer.allocate(embeds.values().length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(embeds.values());
        PromptRow row =
                new PromptRow(id(text), text, embeds.tokens(), embeds.width(), bytes.array(), checkpointFingerprint);
        run.publish(run.prompt(row.promptId()), RowFile.bytes(PromptRow.class, List.of(row)));
    }

    /** The embeddings of one prompt, or of one prompt a row: float32 (1, L, width) or (B, L, width). */
    NDArray embeds(List<String> texts, NDManager manager) {
        if (texts.stream().distinct().count() == 1) {
            return embeds(texts.get(0), manager);
        }
        return NDArrays.concat(
                new NDList(texts.stream().map(text -> embeds(text, manager)).toList()));
    }

    private NDArray embeds(String text, NDManager manager) {
        PromptRow row = rows.computeIfAbsent(text, this::read);
        float[] values = new float[row.tokens() * row.width()];
        ByteBuffer.wrap(row.embeds())
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer()
                .get(values);
        return manager.create(values, new Shape(1, row.tokens(), row.width()));
    }

    private PromptRow read(String text) {
        try {
            return RowFile.read(run.prompt(id(text)), run.conf(), PromptRow.class)
                    .get(0);
        } catch (IOException e) {
            throw new UncheckedIOException("The prompt \"" + text + "\" must be in the prompts table", e);
        }
    }
}
