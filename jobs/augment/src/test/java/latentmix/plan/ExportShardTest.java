package latentmix.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Chunks as shards. */
class ExportShardTest {
    private static ExportChunk chunk(String id, int rows) {
        return new ExportChunk.Made(id, new ClassLabel("cat", 0, "cat", "a cat"), "generated", "mixed", rows, 1);
    }

    private static List<List<String>> pack(List<ExportChunk> chunks) {
        return ExportShard.pack(chunks, ExportChunk::rows, 100).stream()
                .map(shard -> shard.chunks().stream().map(ExportChunk::id).toList())
                .toList();
    }

    @Test
    void aShardHoldsWholeChunksUpToItsSizeAndOneThatIsLargerStandsAlone() {
        assertThat(pack(List.of(chunk("b", 60), chunk("a", 40), chunk("d", 300), chunk("c", 1), chunk("e", 20))))
                .containsExactly(List.of("a", "b"), List.of("c"), List.of("d"), List.of("e"));
        assertThat(pack(List.of())).isEmpty();
    }

    @Test
    void madeAndRealImagesLieInFilesOfTheirOwn() {
        ClassLabel cat = new ClassLabel("cat", 0, "cat", "a cat");
        List<ExportShard> shards = ExportShard.pack(
                List.of(chunk("b", 1), new ExportChunk.Real("a", cat, "inverted", 2, List.of()), chunk("c", 3)),
                ExportChunk::rows,
                100);
        assertThat(shards).extracting(ExportShard::rows).containsExactly(4, 2);
        assertThat(shards.get(0).file(".tar")).matches("made-[0-9a-f]{32}\\.tar");
        assertThat(shards.get(1).file(".tar")).matches("real-[0-9a-f]{32}\\.tar");
    }

    @Test
    void theOrderInWhichChunksComeChangesNothingAndAnIdIsThatOfItsChunks() {
        List<ExportChunk> chunks = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            chunks.add(chunk(String.format("%02d", i), 7 + i % 5));
        }
        List<ExportShard> shards = ExportShard.pack(chunks, ExportChunk::rows, 100);
        assertThat(shards).hasSizeGreaterThan(3).allMatch(shard -> shard.rows() <= 100);
        Collections.shuffle(chunks, new Random(1));
        assertThat(ExportShard.pack(chunks, ExportChunk::rows, 100)).isEqualTo(shards);

        List<ExportShard> fewer = ExportShard.pack(
                chunks.stream().filter(chunk -> !chunk.id().equals("49")).toList(), ExportChunk::rows, 100);
        assertThat(fewer.subList(0, fewer.size() - 1)).isEqualTo(shards.subList(0, fewer.size() - 1));
        assertThat(fewer.get(fewer.size() - 1).id())
                .isNotEqualTo(shards.get(shards.size() - 1).id());
    }
}
