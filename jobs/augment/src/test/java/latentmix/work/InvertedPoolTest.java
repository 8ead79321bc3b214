package latentmix.work;

import static latentmix.work.TinyWork.noise;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import latentmix.latent.Latent;
import latentmix.latent.Shape;
import latentmix.plan.ClassPool;
import latentmix.table.ContentId;
import latentmix.table.LatentColumn;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InvertedPoolTest {
    @TempDir
    Path folder;

    private final List<Latent> noise = noise(5, "pool");
    private TinyWork work;

    @BeforeEach
    void filesWhoseIdsLieBetweenEachOther() throws IOException {
        work = new TinyWork(folder);
        work.invert("late", List.of("d", "e"), noise.subList(3, 5));
        work.invert("wide", List.of("a", "c"), List.of(noise.get(0), noise.get(2)));
        work.invert("between", List.of("b"), noise.subList(1, 2));
        work.invert("refused", List.of(), List.of());
    }

    private InvertedPool pool(String... chunks) throws IOException {
        return new InvertedPool(work.run(), TinyWork.pool(chunks));
    }

    @Test
    void latentsComeInTheOrderOfTheirIdsHoweverTheyLieInFiles() throws IOException {
        InvertedPool pool = pool("late", "wide", "refused", "between");
        assertThat(pool.imageIds()).containsExactly("a", "b", "c", "d", "e");
        assertThat(pool.size()).isEqualTo(5);
        assertThat(pool.shape()).isEqualTo(TinyWork.SHAPE);
        for (int pass = 0; pass < 2; pass++) {
            List<Integer> visited = new ArrayList<>();
            pool.forEach((index, values) -> {
                assertThat(values).containsExactly(noise.get(index).values(), within(1e-6));
                visited.add(index);
            });
            assertThat(visited).containsExactly(0, 1, 2, 3, 4);
        }
    }

    @Test
    void theNearestImagesAreThoseOfTheNearestEncodedLatents() throws IOException {
        InvertedPool pool = new InvertedPool(
                work.run(), new ClassPool(TinyWork.SANDAL, List.of("late", "wide", "between"), List.of("e")));
        EncodedNeighbours neighbours = new EncodedNeighbours(pool);
        for (int index = 0; index < 4; index++) {
            double[] own = noise.get(index).values();
            int[] expected = IntStream.range(0, 4)
                    .boxed()
                    .sorted(Comparator.comparingDouble(
                            i -> distance(own, noise.get(i).values())))
                    .mapToInt(i -> i)
                    .skip(1) // itself
                    .toArray();
            assertThat(neighbours.nearest(index, 2)).containsExactly(expected[0], expected[1]);
            assertThat(neighbours.nearest(index, 9)).containsExactly(expected);
        }
    }

    private static double distance(double[] one, double[] other) {
        return IntStream.range(0, one.length)
                .mapToDouble(i -> (one[i] - other[i]) * (one[i] - other[i]))
                .sum();
    }

    /** Of 16 × 24 entries a channel, 2 × 3 become one. */
    @Test
    void latentsAreComparedByTheMeansOfEightByEightCells() throws IOException {
        Shape shape = new Shape(1, 16, 24);
        double[] fine = new double[shape.size()]; // up and down inside every cell
        double[] coarse = new double[shape.size()];
        for (int i = 0; i < fine.length; i++) {
            fine[i] = i / 24 % 2 == 0 ? 9 : -9;
            coarse[i] = i / 24 < 8 ? 0.1 : -0.1;
        }
        work.invert(
                "cells",
                List.of("flat", "fine", "coarse"),
                List.of(
                        new Latent(shape, new double[shape.size()]),
                        new Latent(shape, fine),
                        new Latent(shape, coarse)));
        InvertedPool pool = pool("cells");
        assertThat(pool.imageIds()).containsExactly("coarse", "fine", "flat");
        assertThat(new EncodedNeighbours(pool).nearest(2, 1)).containsExactly(1);
    }

    @Test
    void imagesThatAreLeftOutOfTheirChunksAreNoPartOfIt() throws IOException {
        ClassPool some = new ClassPool(TinyWork.SANDAL, List.of("wide", "late"), List.of("a", "d"));
        InvertedPool pool = new InvertedPool(work.run(), some);
        List<String> all = pool("wide", "late").imageIds();
        assertThat(pool.imageIds())
                .isEqualTo(all.stream()
                        .filter(id -> !Set.of("a", "d").contains(id))
                        .toList())
                .hasSize(all.size() - 2);
        pool.forEach((index, values) -> assertThat(values)
                .containsExactly(
                        noise.get("abcde".indexOf(pool.imageIds().get(index))).values(), within(1e-6)));
        assertThat(pool.id("a photo")).isNotEqualTo(pool("wide", "late").id("a photo"));
    }

    @Test
    void itsIdIsThatOfThePromptAndTheImagesAlone() throws IOException {
        String id = pool("late", "wide", "between").id("a photo");
        assertThat(pool("between", "late", "wide", "refused").id("a photo")).isEqualTo(id);
        assertThat(pool("late", "wide", "between").id("a drawing")).isNotEqualTo(id);
        assertThat(pool("late", "wide").id("a photo")).isNotEqualTo(id);
    }

    @Test
    void whatImagesWereToldBesideTheirClassesPromptIsInTheId() throws IOException {
        String prompt = TinyWork.SANDAL.prompt();
        work.told("same", List.of("x", "y"), List.of(prompt, prompt));
        work.told("other", List.of("x", "y"), List.of(prompt, "a heel"));
        work.told("swapped", List.of("x", "y"), List.of("a heel", prompt));
        assertThat(List.of(
                        pool("same").id(prompt),
                        pool("other").id(prompt),
                        pool("swapped").id(prompt)))
                .doesNotHaveDuplicates()
                .startsWith(ContentId.of(prompt, "x", "y"));
    }

    @Test
    void theLatentsThatInversionsBeganWithAreFoundByTheirImages() throws IOException {
        var encoded = pool("late", "wide", "between").encoded(Set.of("b", "e"));
        assertThat(encoded).containsOnlyKeys("b", "e");
        LatentColumn second = encoded.get("b");
        for (int i = 0; i < TinyWork.SHAPE.size(); i++) {
            assertThat(second.latent().values()[i]).isCloseTo(-noise.get(1).values()[i], within(1e-6));
        }
    }
}
