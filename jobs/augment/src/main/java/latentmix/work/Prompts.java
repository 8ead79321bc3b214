package latentmix.work;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import latentmix.codec.LittleEndian;
import latentmix.model.PromptEmbeds;
import latentmix.model.TextEncoder;
import latentmix.table.ContentId;
import latentmix.table.PromptRow;
import latentmix.table.PromptsTable;
import latentmix.table.RunFolder;

/** Encodes each distinct prompt once per checkpoint, before any stage that needs it, and gives its embeddings. */
public final class Prompts {
    private final PromptsTable table;
    private final String checkpointFingerprint;
    private final Map<String, PromptRow> rows = new HashMap<>();

    public Prompts(RunFolder run, String checkpointFingerprint) {
        this.table = new PromptsTable(run);
        this.checkpointFingerprint = checkpointFingerprint;
    }

    /** A prompt's id under this checkpoint. */
    public String id(String text) {
        return ContentId.of(text, checkpointFingerprint);
    }

    /** Encodes a prompt and publishes its row. */
    public void encode(String text, TextEncoder encoder) throws IOException {
        TextEncoder.Embeds embeds = encoder.encode(text);
        PromptRow row = new PromptRow(
                id(text),
                text,
                embeds.tokens(),
                embeds.width(),
                LittleEndian.bytes(embeds.values()),
                LittleEndian.bytes(embeds.pooled()),
                checkpointFingerprint);
        table.publish(row);
    }

    /** The embeddings of one prompt, or of one prompt a row. */
    PromptEmbeds embeds(List<String> texts, NDManager manager) {
        if (texts.stream().distinct().count() == 1) {
            return embeds(texts.get(0), manager);
        }
        return texts.stream()
                .map(text -> embeds(text, manager))
                .reduce(PromptEmbeds::concat)
                .orElseThrow();
    }

    private PromptEmbeds embeds(String text, NDManager manager) {
        PromptRow row = rows.computeIfAbsent(text, this::read);
        return new TextEncoder.Embeds(
                        row.tokens(), row.width(), LittleEndian.floats(row.embeds()), LittleEndian.floats(row.pooled()))
                .onto(manager);
    }

    private PromptRow read(String text) {
        try {
            return table.row(id(text));
        } catch (IOException e) {
            throw new UncheckedIOException("The prompt \"" + text + "\" must be in the prompts table", e);
        }
    }
}
