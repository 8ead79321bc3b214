package latentmix.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import latentmix.Golden;
import latentmix.inversion.DdimInversion;
import latentmix.model.Denoiser;
import latentmix.model.PromptEmbeds;
import latentmix.schedule.Scheduler;
import latentmix.schedule.Step;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DenoisingLoopTest {
    private static final Golden GOLDEN = Golden.open("schedulers-ddim");

    /** A network of one line, which records what it was asked. */
    @FunctionalInterface
    private interface Toy extends Denoiser {
        @Override
        default latentmix.latent.Shape latentShape() {
            return new latentmix.latent.Shape(4, 16, 16);
        }

        @Override
        default void close() {}
    }

    private NDManager manager;

    private static PromptEmbeds prompt(NDArray hiddenStates) {
        return PromptEmbeds.of(hiddenStates);
    }

    @BeforeEach
    void openManager() {
        manager = NDManager.newBaseManager();
    }

    @AfterEach
    void closeManager() {
        manager.close();
    }

    static List<String> traces() {
        return GOLDEN.names(".*\\.0\\.model_out").stream()
                .map(name -> name.replace(".0.model_out", ""))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("traces")
    void theModelOutputsOfDiffusersLeadToItsLatents(String trace) throws IOException {
        boolean inverts = trace.contains(".invert_");
        String variant = trace.substring(0, trace.indexOf('.'));
        Scheduler scheduler = Scheduler.of(new ObjectMapper()
                .readTree(Golden.folder("schedulers-ddim")
                        .resolve(variant + "/scheduler/scheduler_config.json")
                        .toFile()));
        int[] asked = {0};
        Toy replay = (sample, timestep, embeds) ->
                GOLDEN.array(sample.getManager(), trace + "." + asked[0]++ + ".model_out");
        DenoisingLoop loop = inverts
                ? new DdimInversion(scheduler, 10, Guidance.NONE).with(replay)
                : new DenoisingLoop(scheduler.sampling(10), replay, Guidance.NONE);
        NDArray start = GOLDEN.array(manager, inverts ? "x0" : variant + ".invert_g1.9.latent");
        NDArray embeds = GOLDEN.array(manager, "cond");

        NDArray last = loop.run(
                start,
                prompt(embeds),
                prompt(embeds),
                (step, output, latents) -> Golden.assertForward(
                        trace + " step " + step,
                        latents.toFloatArray(),
                        GOLDEN.floats(trace + "." + step + ".latent")));

        Golden.assertForward(trace, last.toFloatArray(), GOLDEN.floats(trace + ".9.latent"));
        assertThat(asked[0]).isEqualTo(10);
    }

    @Test
    void bothBranchesRunAsOneBatchWithTheUnconditionalFirst() {
        NDArray latents = manager.create(new float[] {1, 2}, new Shape(2, 1, 1, 1));
        NDArray conditional = manager.create(new float[] {10, 20}, new Shape(2, 1, 1));
        NDArray unconditional = manager.create(new float[] {3}, new Shape(1, 1, 1));
        List<float[]> seen = new ArrayList<>();
        Toy network = (sample, timestep, embeds) -> {
            seen.add(sample.toFloatArray());
            seen.add(embeds.hiddenStates().toFloatArray());
            return embeds.hiddenStates().reshape(-1, 1, 1, 1).mul(timestep);
        };
        DenoisingLoop loop = new DenoisingLoop(List.of(Step.of(5, 1, 0.1)), network, new Guidance(7.5));

        NDArray next = loop.run(latents, prompt(conditional), prompt(unconditional));

        assertThat(seen).containsExactly(new float[] {1, 2, 1, 2}, new float[] {3, 3, 10, 20});
        // x + 0.1 · 5 · (u + 7.5 · (c − u))
        assertThat(next.toFloatArray())
                .containsExactly(new float[] {1 + 0.5f * (3 + 7.5f * 7), 2 + 0.5f * (3 + 7.5f * 17)}, within(1e-5f));
        assertThat(loop.evaluations(2)).isEqualTo(4);
    }

    @Test
    void atGuidanceOneOnlyTheConditionalBranchRuns() {
        NDArray latents = manager.create(new float[] {1, 2}, new Shape(2, 1, 1, 1));
        NDArray conditional = manager.create(new float[] {10}, new Shape(1, 1, 1));
        NDArray wrong = manager.create(new float[7], new Shape(7, 1, 1));
        Toy network = (sample, timestep, embeds) ->
                embeds.hiddenStates().reshape(-1, 1, 1, 1).sub(sample);

        DenoisingLoop loop = new DenoisingLoop(List.of(Step.of(5, 1, 1)), network, Guidance.NONE);

        assertThat(loop.run(latents, prompt(conditional), prompt(wrong)).toFloatArray())
                .containsExactly(10, 10);
        assertThat(loop.evaluations(2)).isEqualTo(2);
        assertThat(new Guidance(0).branches(5)).isEqualTo(1);
    }

    @Test
    void theFirstStepsMayBeToldAnotherPromptThanTheRest() {
        NDArray latents = manager.create(new float[] {1, 2}, new Shape(2, 1, 1, 1));
        NDArray first = manager.create(new float[] {10, 20}, new Shape(2, 1, 1));
        NDArray then = manager.create(new float[] {5}, new Shape(1, 1, 1));
        NDArray unconditional = manager.create(new float[] {3}, new Shape(1, 1, 1));
        List<float[]> told = new ArrayList<>();
        Toy network = (sample, timestep, embeds) -> {
            told.add(embeds.hiddenStates().toFloatArray());
            return sample;
        };
        List<Step> table = List.of(Step.of(9, 1, 1), Step.of(5, 1, 1), Step.of(1, 1, 1));
        Conditioning conditioning = new Conditioning(prompt(first), 2, prompt(then));

        new DenoisingLoop(table, network, new Guidance(2, 4, 6)).run(latents, conditioning, prompt(unconditional));

        assertThat(told)
                .as("guided at the second step alone")
                .containsExactly(new float[] {10, 20}, new float[] {3, 3, 10, 20}, new float[] {5, 5});
        assertThatThrownBy(conditioning::only).hasMessageContaining("one prompt on the whole way");
    }

    @Test
    void outsideItsIntervalOfTimestepsGuidanceIsOff() {
        NDArray latents = manager.create(new float[] {1}, new Shape(1, 1, 1, 1));
        List<Integer> rows = new ArrayList<>();
        Toy network = (sample, timestep, embeds) -> {
            rows.add((int) embeds.rows());
            return embeds.hiddenStates().reshape(-1, 1, 1, 1);
        };
        List<Step> table = List.of(Step.of(9, 1, 1), Step.of(5, 1, 1), Step.of(1, 1, 1));
        DenoisingLoop loop = new DenoisingLoop(table, network, new Guidance(3, 4, 6));
        PromptEmbeds conditional = prompt(manager.create(new float[] {10}, new Shape(1, 1, 1)));
        PromptEmbeds unconditional = prompt(manager.create(new float[] {4}, new Shape(1, 1, 1)));

        // 1 + 10 + (4 + 3 · (10 − 4)) + 10
        assertThat(loop.run(latents, conditional, unconditional).toFloatArray()).containsExactly(43);
        assertThat(rows).containsExactly(1, 2, 1);
        assertThat(loop.evaluations(1)).isEqualTo(4);
        assertThatThrownBy(() -> new Guidance(3, 6, 4)).hasMessageContaining("a rising range from 0 on");
    }

    @Test
    void aPooledEmbeddingGoesWithItsPrompt() {
        NDArray latents = manager.create(new float[] {1, 2}, new Shape(2, 1, 1, 1));
        List<float[]> pooled = new ArrayList<>();
        Toy network = (sample, timestep, embeds) -> {
            pooled.add(embeds.pooled().toFloatArray());
            return sample;
        };
        NDArray hidden = manager.zeros(new Shape(1, 1, 1));
        PromptEmbeds conditional = PromptEmbeds.of(hidden, manager.create(new float[] {7}, new Shape(1, 1)));
        PromptEmbeds unconditional = PromptEmbeds.of(hidden, manager.create(new float[] {5}, new Shape(1, 1)));

        new DenoisingLoop(List.of(Step.of(1, 1, 1)), network, new Guidance(2)).run(latents, conditional, unconditional);

        assertThat(pooled).containsExactly(new float[] {5, 5, 7, 7});
        assertThatThrownBy(prompt(hidden)::pooled).hasMessageContaining("no pooled part");
        assertThatThrownBy(() -> prompt(manager.zeros(new Shape(2, 1)))).hasMessageContaining("must be (B, L, width)");
    }

    @Test
    void aMultistepTableSeesTheSamplesAndOutputsBefore() {
        List<Step> table = List.of(
                Step.of(3, 0.9, 0.5),
                new Step(2, List.of(0.8, 0.1), List.of(0.7, -0.2), 0),
                new Step(1, List.of(0.6), List.of(0.5, -0.4, 0.3), 0));
        Toy network = (sample, timestep, embeds) -> sample.mul(timestep).add(1);
        NDArray one = manager.create(new float[] {2}, new Shape(1, 1, 1, 1));
        NDArray embeds = manager.zeros(new Shape(1, 1, 1));
        double x0 = 2;
        double m0 = 3 * x0 + 1;
        double x1 = 0.9 * x0 + 0.5 * m0;
        double m1 = 2 * x1 + 1;
        double x2 = 0.8 * x1 + 0.1 * x0 + 0.7 * m1 - 0.2 * m0;
        double m2 = x2 + 1;
        double x3 = 0.6 * x2 + 0.5 * m2 - 0.4 * m1 + 0.3 * m0;

        float last = new DenoisingLoop(table, network, Guidance.NONE)
                .run(one, prompt(embeds), prompt(embeds))
                .getFloat();

        assertThat((double) last).isCloseTo(x3, within(1e-5));
    }

    @Test
    void everyStepClosesWhatItMade() {
        List<Integer> open = new ArrayList<>();
        Toy network = (sample, timestep, embeds) -> {
            NDManager step = sample.getManager();
            NDManager loop = step.getParentManager();
            open.add(step.getManagedArrays().size() + loop.getManagedArrays().size());
            sample.mul(2).add(1); // left open on purpose
            return sample.mul(0.5);
        };
        NDArray latents = manager.ones(new Shape(2, 4, 8, 8));
        NDArray embeds = manager.ones(new Shape(1, 3, 5));
        int before = manager.getManagedArrays().size();

        NDArray last =
                new DenoisingLoop(table(20), network, new Guidance(2)).run(latents, prompt(embeds), prompt(embeds));

        assertThat(open.subList(3, 20)).containsOnly(open.get(2));
        assertThat(manager.getManagedArrays()).hasSize(before + 1).contains(last);
        assertThat(latents.toFloatArray()).containsOnly(1);
        assertThat(embeds.toFloatArray()).containsOnly(1);
    }

    @Test
    void nativeMemoryStaysFlatOverManySteps() throws IOException {
        NDArray latents = manager.ones(new Shape(4, 4, 256, 256)); // 4 MB
        NDArray embeds = manager.ones(new Shape(1, 3, 5));
        Toy network = (sample, timestep, ignored) -> sample.mul(0.5);
        new DenoisingLoop(table(10), network, new Guidance(2))
                .run(latents, prompt(embeds), prompt(embeds))
                .close();
        long before = residentMegabytes();

        new DenoisingLoop(table(200), network, new Guidance(2))
                .run(latents, prompt(embeds), prompt(embeds))
                .close();

        assertThat(residentMegabytes() - before).isLessThan(300); // one array a step left open: 800 MB
    }

    @Test
    void aFailingNetworkLeavesNothingOpen() {
        Toy network = (sample, timestep, embeds) -> {
            throw new IllegalStateException("device lost");
        };
        NDArray latents = manager.ones(new Shape(1, 1, 1, 1));
        NDArray embeds = manager.ones(new Shape(1, 1, 1));
        int before = manager.getManagedArrays().size();

        assertThatThrownBy(() -> new DenoisingLoop(table(3), network, Guidance.NONE)
                        .run(latents, prompt(embeds), prompt(embeds)))
                .hasMessage("device lost");

        assertThat(manager.getManagedArrays()).hasSize(before);
        assertThat(latents.toFloatArray()).containsExactly(1);
    }

    @Test
    void anEmptyTableReturnsACopyOfTheLatents() {
        NDArray latents = manager.ones(new Shape(1, 1, 1, 1));
        PromptEmbeds embeds = prompt(manager.ones(new Shape(1, 1, 1)));
        NDArray last = new DenoisingLoop(List.of(), (Toy) (sample, timestep, prompt) -> sample, Guidance.NONE)
                .run(latents, embeds, embeds);
        latents.close();
        assertThat(last.toFloatArray()).containsExactly(1);
    }

    @Test
    void whatDoesNotFitIsRefused() {
        Toy network = (sample, timestep, embeds) -> sample.concat(sample, 1);
        DenoisingLoop loop = new DenoisingLoop(table(1), network, Guidance.NONE);
        NDArray latents = manager.ones(new Shape(2, 1, 1, 1));
        NDArray embeds = manager.ones(new Shape(3, 1, 1));
        NDArray one = manager.ones(new Shape(1, 1, 1));

        assertThatThrownBy(() -> loop.run(latents, prompt(embeds), prompt(embeds)))
                .hasMessage("Embeddings must have 1 row or the latents' 2, cannot have: 3");
        assertThatThrownBy(() -> loop.run(latents, prompt(one), prompt(one)))
                .hasMessageContaining(
                        "must predict the shape of its sample, (2, 1, 1, 1), cannot predict: (2, 2, 1, 1)");
        assertThatThrownBy(() -> loop.run(latents.toType(DataType.FLOAT64, true), prompt(embeds), prompt(embeds)))
                .hasMessageContaining("Latents must be float32 (B, C, H, W), cannot be: float64");
        assertThatThrownBy(() -> new DenoisingLoop(
                        List.of(new Step(1, List.of(1.0), List.of(1.0, 1.0), 0)), network, Guidance.NONE))
                .hasMessage("Step 0 can look back at most 0 steps, cannot look back: 1");
        assertThatThrownBy(() -> new DenoisingLoop(
                        List.of(new Step(1, List.of(1.0), List.of(1.0), 0.5)), network, Guidance.NONE))
                .hasMessageContaining("cannot run a stochastic table");
        assertThatThrownBy(() -> new Guidance(-1)).hasMessageContaining("at least 0, cannot be: -1.0");
        assertThatThrownBy(() -> new Guidance(Double.NaN)).hasMessageContaining("at least 0, cannot be: NaN");
        assertThatThrownBy(() -> Step.of(1, Double.NaN, 1)).hasMessageContaining("must be finite");
    }

    private static List<Step> table(int steps) {
        List<Step> table = new ArrayList<>();
        for (int i = 0; i < steps; i++) {
            table.add(i == 0 ? Step.of(i, 0.5, 0.5) : new Step(i, List.of(0.5, 0.1), List.of(0.5, 0.1), 0));
        }
        return table;
    }

    private static long residentMegabytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
                .findFirst()
                .orElseThrow();
    }
}
