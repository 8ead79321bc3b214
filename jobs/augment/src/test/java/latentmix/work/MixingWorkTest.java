package latentmix.work;

import static latentmix.work.TinyWork.SHAPE;
import static latentmix.work.TinyWork.noise;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import latentmix.latent.Latent;
import latentmix.plan.MixingChunk;
import latentmix.plan.RunSettings;
import latentmix.table.MixedRow;
import latentmix.table.RejectedRow;
import latentmix.table.StageName;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mixtures of a pool of latents that are made up: no network, no Spark. */
class MixingWorkTest {
    @TempDir
    Path folder;

    /** The pool's one chunk. A chunk's name stands for its content, so each test has another. */
    private final String chunk = UUID.randomUUID().toString();

    private TinyWork work;

    @BeforeEach
    void anEmptyRunFolder() {
        work = new TinyWork(folder.resolve("run"));
    }

    private void pool(String... ids) throws IOException {
        work.invert(chunk, List.of(ids), noise(ids.length, "pool"));
    }

    private ChunkResult mix(String... overrides) throws IOException {
        List<MixingChunk> chunks = work.missing(work.settings(overrides), 64, chunk);
        assertThat(chunks).hasSize(1);
        return new MixingWork(work.run(), rows -> {}).mix(chunks.get(0));
    }

    private List<MixedRow> mixed() throws IOException {
        return work.rows("mixed", MixedRow.class);
    }

    @Test
    void aLinearMixtureIsTheSumOfItsSourcesByItsWeights() throws IOException {
        pool("a", "b", "c", "d");
        Map<String, double[]> latents = new HashMap<>();
        List<Latent> noise = noise(4, "pool");
        for (int i = 0; i < 4; i++) {
            latents.put(List.of("a", "b", "c", "d").get(i), noise.get(i).values());
        }

        assertThat(mix("mixing.methods=lin/0", "mixing.inputs=3", "mixing.count=5")
                        .rows())
                .isEqualTo(5);

        assertThat(mixed()).hasSize(5).allSatisfy(row -> {
            assertThat(row.sourceIds()).hasSize(3).doesNotHaveDuplicates();
            double[] expected = new double[SHAPE.size()];
            for (int i = 0; i < 3; i++) {
                double[] source = latents.get(row.sourceIds().get(i));
                for (int p = 0; p < expected.length; p++) {
                    expected[p] += row.weights().get(i) * source[p];
                }
            }
            assertThat(row.latent().latent().values()).containsExactly(expected, within(1e-6));
            assertThat(row.ess())
                    .isCloseTo(
                            1 / row.weights().stream().mapToDouble(w -> w * w).sum(), within(1e-12));
            assertThat(row.original().isNone()).isTrue();
        });
        assertThat(mixed()).extracting(MixedRow::k).containsExactly(0, 1, 2, 3, 4);
        assertThat(mixed()).extracting(MixedRow::mixId).doesNotHaveDuplicates();
    }

    @Test
    void methodsAreMixedFromTheSameInputsWithTheSameWeights() throws IOException {
        pool("a", "b", "c", "d", "e", "f");
        mix("mixing.methods=[lin/0, fix/0, nin/chm]", "mixing.inputs=4", "mixing.count=2");
        List<MixedRow> rows = mixed();
        assertThat(rows)
                .extracting(MixedRow::method)
                .containsExactly("lin/0", "fix/0", "nin/chm", "lin/0", "fix/0", "nin/chm");
        for (int repeat = 0; repeat < 2; repeat++) {
            MixedRow first = rows.get(3 * repeat);
            assertThat(rows.subList(3 * repeat, 3 * repeat + 3))
                    .allMatch(row -> row.sourceIds().equals(first.sourceIds())
                            && row.weights().equals(first.weights()));
        }
        assertThat(rows.get(0).weights()).isNotEqualTo(rows.get(3).weights());
    }

    @Test
    void theSamePoolInOtherFilesGivesTheSameBytes() throws IOException {
        List<Latent> noise = noise(4, "pool");
        work.invert(chunk, List.of("a", "b", "c", "d"), noise);
        TinyWork other = new TinyWork(folder.resolve("other"));
        other.invert("odd", List.of("b", "d"), List.of(noise.get(1), noise.get(3)));
        other.invert("even", List.of("a", "c"), List.of(noise.get(0), noise.get(2)));

        mix("mixing.inputs=3");
        MixingChunk planned = other.missing(other.settings("mixing.inputs=3"), 64, "odd", "even")
                .get(0);
        new MixingWork(other.run(), rows -> {}).mix(planned);

        assertThat(work.files("mixed").get(0).getFileName())
                .isEqualTo(other.files("mixed").get(0).getFileName());
        assertThat(work.bytes("mixed").get(0)).isEqualTo(other.bytes("mixed").get(0));
    }

    @Test
    void aPoolThatIsTooSmallIsARowOfRejectedForEachMixture() throws IOException {
        pool("a", "b", "c");
        ChunkResult result = mix("mixing.inputs=[3, 4]", "mixing.count=2");
        assertThat(result.rows()).isEqualTo(2);
        assertThat(result.rejected()).isEqualTo(2);
        assertThat(mixed()).extracting(row -> row.sourceIds().size()).containsExactly(3, 3);
        assertThat(work.rejected(StageName.MIX)).hasSize(2).allSatisfy(row -> {
            assertThat(row.reason()).isEqualTo("pool too small");
            assertThat(row.classId()).isEqualTo(TinyWork.SANDAL.classId());
            assertThat(row.detail()).contains("4", "3");
        });
        assertThat(work.rejected(StageName.MIX))
                .extracting(RejectedRow::id)
                .doesNotContainAnyElementsOf(
                        mixed().stream().map(MixedRow::mixId).toList());
    }

    @Test
    void inputsThatCancelEachOtherAreARowOfRejected() throws IOException {
        Latent latent = noise(1, "one").get(0);
        double[] negative = Arrays.stream(latent.values()).map(value -> -value).toArray();
        work.invert(chunk, List.of("a", "b"), List.of(latent, new Latent(SHAPE, negative)));
        ChunkResult result = mix("mixing.methods=fix/0", "mixing.inputs=2", "mixing.weights=equal", "mixing.count=1");
        assertThat(result.rows()).isZero();
        assertThat(work.files("mixed")).as("the mark that the chunk is done").hasSize(1);
        assertThat(work.rejected(StageName.MIX))
                .singleElement()
                .extracting(RejectedRow::detail)
                .isEqualTo("method fix/0 is not defined on these 2 inputs, which cancel each other");
    }

    /** Eleven images of noise and one that is a bright plane. */
    private void poolWithAnOddOne() throws IOException {
        List<Latent> latents = new ArrayList<>(noise(11, "pool"));
        double[] plane = new double[SHAPE.size()];
        Arrays.fill(plane, 5);
        latents.add(new Latent(SHAPE, plane));
        work.invert(chunk, List.of("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "odd"), latents);
    }

    private static String[] single(String gate) {
        return new String[] {
            "mixing.methods=lin/0", "mixing.inputs=1", "mixing.weights=equal", "mixing.count=24", "mixing.gate=" + gate
        };
    }

    @Test
    void aGateRefusesWhatIsNoLongerNoiseAndSaysByWhichScore() throws IOException {
        poolWithAnOddOne();
        mix(single("refuse(2.9)"));
        List<RejectedRow> refused = work.rejected(StageName.MIX);
        assertThat(refused).isNotEmpty().allSatisfy(row -> {
            assertThat(row.reason()).startsWith("degenerate ");
            assertThat(row.detail()).contains("lin/0 of 1 inputs", "mixing.gate allows refuse(2.9)");
        });
        assertThat(mixed())
                .hasSize(24 - refused.size())
                .allMatch(row -> !row.sourceIds().contains("odd") && row.attempt() == 0);
    }

    @Test
    void aGateThatRedrawsTakesOtherInputsAndLeavesTheOtherMixturesAsTheyAre() throws IOException {
        poolWithAnOddOne();
        mix(single("refuse(2.9)"));
        Map<Integer, List<String>> first = new HashMap<>();
        mixed().forEach(row -> first.put(row.k(), row.sourceIds()));
        int refused = work.rejected(StageName.MIX).size();

        work = new TinyWork(folder.resolve("redrawn"));
        poolWithAnOddOne();
        mix(single("redraw(2.9, tries=9)"));

        assertThat(work.rejected(StageName.MIX)).isEmpty();
        assertThat(mixed()).hasSize(24).noneMatch(row -> row.sourceIds().contains("odd"));
        assertThat(mixed().stream().filter(row -> row.attempt() > 0)).hasSize(refused);
        assertThat(mixed()).filteredOn(row -> row.attempt() == 0).allMatch(row -> row.sourceIds()
                .equals(first.get(row.k())));
    }

    @Test
    void whatEveryDrawLeavesDegenerateIsRefusedAfterTheLastOne() throws IOException {
        pool("a", "b", "c", "d");
        ChunkResult result =
                mix("mixing.methods=lin/0", "mixing.inputs=4", "mixing.count=3", "mixing.gate=redraw(1e-9, tries=3)");
        assertThat(result.rejected()).isEqualTo(3);
        assertThat(work.rejected(StageName.MIX)).allMatch(row -> row.detail().endsWith(", and this was the last draw"));
    }

    @Test
    void imageToImageKeepsTheEncodedOriginalBesideItsNoise() throws IOException {
        pool("a", "b");
        mix("mixing.methods=sdedit(0.5)", "mixing.inputs=1", "mixing.count=2");
        List<Latent> noise = noise(2, "pool");
        assertThat(mixed()).hasSize(2).allSatisfy(row -> {
            assertThat(row.strength()).isEqualTo(0.5);
            double[] original = noise.get("ab".indexOf(row.sourceIds().get(0))).values();
            assertThat(row.original().latent().values())
                    .containsExactly(
                            Arrays.stream(original).map(value -> -value).toArray(), within(1e-6));
            assertThat(row.latent().latent().values()).isNotEqualTo(original);
        });
    }

    @Test
    void inputsBesideTheFirstAreItsNeighboursWhateverFilesTheyLieIn() throws IOException {
        List<Latent> latents = new ArrayList<>(); // a row of points
        for (int i = 0; i < 8; i++) {
            double[] point = new double[SHAPE.size()];
            Arrays.fill(point, 1 + i);
            latents.add(new Latent(SHAPE, point));
        }
        List<String> ids = List.of("a", "b", "c", "d", "e", "f", "g", "h");
        work.invert(chunk, ids, latents);
        String[] near = {"mixing.inputs=2..3", "mixing.methods=lin/0", "mixing.neighbours=2", "mixing.count=40"};
        mix(near);
        assertThat(mixed()).hasSize(40).allSatisfy(row -> {
            int first = ids.indexOf(row.sourceIds().get(0));
            int nearest = Math.max(1, Math.min(6, first)); // in the middle of three
            assertThat(row.sourceIds().subList(1, row.sourceIds().size()))
                    .isSubsetOf(ids.subList(nearest - 1, nearest + 2));
        });
        assertThat(mixed().stream().map(row -> row.sourceIds().get(0)).distinct())
                .hasSize(8);

        TinyWork other = new TinyWork(folder.resolve("other"));
        other.invert(
                "odd",
                List.of("b", "d", "f", "h"),
                List.of(1, 3, 5, 7).stream().map(latents::get).toList());
        other.invert(
                "even",
                List.of("a", "c", "e", "g"),
                List.of(0, 2, 4, 6).stream().map(latents::get).toList());
        MixingChunk planned =
                other.missing(other.settings(near), 64, "odd", "even").get(0);
        new MixingWork(other.run(), rows -> {}).mix(planned);
        assertThat(work.bytes("mixed").get(0)).isEqualTo(other.bytes("mixed").get(0));
    }

    @Test
    void aRowSaysTheContextAndTheGuidanceThatWereDrawnAndItsPromptStaysTheClasses() throws IOException {
        pool("a", "b", "c");
        mix(
                "mixing.methods=[lin/0, fix/0]",
                "mixing.inputs=2",
                "mixing.count=8",
                "mixing.contexts=[at night, in snow]",
                "mixing.context_share=0.3",
                "mixing.guidance=[2, 4]");
        List<MixedRow> rows = mixed();
        assertThat(rows).hasSize(16).allSatisfy(row -> {
            assertThat(row.prompt()).isEqualTo("a photo of a sandal");
            assertThat(row.prompts()).hasSize(2).endsWith("a photo of a sandal");
            assertThat(row.promptShares()).containsExactly(0.3, 0.7);
            assertThat(row.guidance()).hasSize(1).isSubsetOf(2.0, 4.0);
        });
        assertThat(rows.stream().map(row -> row.prompts().get(0)).distinct())
                .containsExactlyInAnyOrder("a photo of a sandal at night", "a photo of a sandal in snow");
        for (int k = 0; k < 16; k += 2) {
            assertThat(rows.get(k + 1).prompts()).isEqualTo(rows.get(k).prompts());
            assertThat(rows.get(k + 1).guidance()).isEqualTo(rows.get(k).guidance());
        }
    }

    @Test
    void aPoolThatChangedSinceItWasPlannedForIsAnError() throws IOException {
        pool("a", "b", "c");
        MixingChunk planned =
                work.missing(work.settings("mixing.inputs=2"), 64, chunk).get(0);
        pool("a", "b", "d");
        assertThatThrownBy(() -> new MixingWork(work.run(), rows -> {}).mix(planned))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("must be those that were planned for")
                .hasMessageContaining("run again");
        assertThat(work.files("mixed")).isEmpty();
    }

    @Test
    void whatIsMixedOrRefusedIsNotPlannedAgainAndALargerCountOnlyAdds() throws IOException {
        pool("a", "b", "c");
        RunSettings some = work.settings("mixing.inputs=[3, 4]", "mixing.count=3");
        List<MixingChunk> chunks = work.missing(some, 2, chunk);
        assertThat(chunks).extracting(MixingChunk::ks).containsExactly(List.of(0, 1), List.of(2, 3), List.of(4, 5));
        for (MixingChunk planned : chunks) {
            new MixingWork(work.run(), rows -> {}).mix(planned);
        }
        assertThat(work.missing(some, 2, chunk)).isEmpty();
        RunSettings more = work.settings("mixing.inputs=[3, 4]", "mixing.count=4");
        assertThat(work.missing(more, 2, chunk)).extracting(MixingChunk::ks).containsExactly(List.of(6, 7));
    }
}
