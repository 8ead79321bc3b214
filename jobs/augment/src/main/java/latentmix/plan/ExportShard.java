package latentmix.plan;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToLongFunction;
import latentmix.table.ContentId;

/**
 * A file of the dataset that holds whole chunks, of one split.
 *
 * @param id the hash of its chunks' ids: a file of that name has just these images
 */
public record ExportShard(String id, List<ExportChunk> chunks) implements Serializable {
    public ExportShard {
        chunks = List.copyOf(chunks);
    }

    /**
     * Packs chunks into shards. They come in the order of their ids, which are hashes: so a shard has images of many
     * classes, and who reads it from start to end sees them mixed.
     *
     * @param bytes of a chunk, about
     * @param limit bytes that a shard has at most, unless one chunk has more
     */
    public static List<ExportShard> pack(List<ExportChunk> chunks, ToLongFunction<ExportChunk> bytes, long limit) {
        List<ExportShard> shards = new ArrayList<>();
        List<ExportChunk> open = new ArrayList<>();
        long size = 0;
        List<ExportChunk> sorted = chunks.stream()
                .sorted(Comparator.comparing(ExportChunk::split).thenComparing(ExportChunk::id))
                .toList();
        for (ExportChunk chunk : sorted) {
            long more = bytes.applyAsLong(chunk);
            boolean fits = size + more <= limit;
            if (!open.isEmpty() && !(fits && open.get(0).split() == chunk.split())) {
                shards.add(of(open));
                open.clear();
                size = 0;
            }
            open.add(chunk);
            size += more;
        }
        if (!open.isEmpty()) {
            shards.add(of(open));
        }
        return shards;
    }

    private static ExportShard of(List<ExportChunk> chunks) {
        return new ExportShard(ContentId.of(chunks.stream().map(ExportChunk::id).toList()), chunks);
    }

    /** The images that are asked of it. */
    public int rows() {
        return chunks.stream().mapToInt(ExportChunk::rows).sum();
    }

    /** The shard's file in a format. */
    public String file(String suffix) {
        return chunks.get(0).split() + "-" + id + suffix;
    }
}
