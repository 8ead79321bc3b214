package latentmix.work;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import latentmix.codec.LittleEndian;
import latentmix.model.PromptEmbeds;
import latentmix.model.TextEncoder;
import latentmix.table.ContentId;
import latentmix.table.PromptRow;
import latentmix.table.PromptsTable;
import latentmix.table.RunFolder;

/**
 * Encodes each distinct prompt once per checkpoint, before any stage that needs it, and gives its embeddings. Those
 * that were asked for last are kept, as many as have room.
 */
public final class Prompts {
    private static final long ROOM = 64L << 20; // bytes

    private final PromptsTable table;
    private final String checkpointFingerprint;
    private final Map<String, PromptRow> rows = new LinkedHashMap<>(16, 0.75f, true); // by text, the last one last
    private long held; // bytes of the rows

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
        publish(text, encoder.encode(text));
    }

    /** Publishes a prompt's row. */
    void publish(String text, TextEncoder.Embeds embeds) throws IOException {
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
    public PromptEmbeds embeds(List<String> texts, NDManager manager) {
        if (texts.stream().distinct().count() == 1) {
            return embeds(texts.get(0), manager);
        }
        return texts.stream()
                .map(text -> embeds(text, manager))
                .reduce(PromptEmbeds::concat)
                .orElseThrow();
    }

    private PromptEmbeds embeds(String text, NDManager manager) {
        PromptRow row = row(text);
        return new TextEncoder.Embeds(
                        row.tokens(), row.width(), LittleEndian.floats(row.embeds()), LittleEndian.floats(row.pooled()))
                .onto(manager);
    }

    /** Σ weight · embeddings of some prompts, one row. */
    PromptEmbeds sum(Map<String, Double> weights, NDManager manager) {
        double[] embeds = null;
        double[] pooled = null;
        PromptRow row = null;
        for (Map.Entry<String, Double> one : weights.entrySet()) {
            row = row(one.getKey());
            embeds = plus(embeds, one.getValue(), row.embeds());
            pooled = plus(pooled, one.getValue(), row.pooled());
        }
        if (row == null) {
            throw new IllegalArgumentException("A sum must have a prompt");
        }
        return new TextEncoder.Embeds(row.tokens(), row.width(), floats(embeds), floats(pooled)).onto(manager);
    }

    private static double[] plus(double[] sum, double weight, byte[] values) {
        double[] added = LittleEndian.doubles(values);
        double[] total = sum == null ? new double[added.length] : sum;
        for (int i = 0; i < total.length; i++) {
            total[i] += weight * added[i];
        }
        return total;
    }

    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    private PromptRow row(String text) {
        PromptRow row = rows.get(text);
        if (row == null) {
            row = read(text);
            rows.put(text, row);
            held += bytes(row);
            Iterator<PromptRow> oldest = rows.values().iterator();
            while (held > ROOM && rows.size() > 1) {
                held -= bytes(oldest.next());
                oldest.remove();
            }
        }
        return row;
    }

    private static long bytes(PromptRow row) {
        return (long) row.embeds().length + row.pooled().length;
    }

    private PromptRow read(String text) {
        try {
            return table.row(id(text));
        } catch (IOException e) {
            throw new UncheckedIOException("The prompt \"" + text + "\" must be in the prompts table", e);
        }
    }
}
