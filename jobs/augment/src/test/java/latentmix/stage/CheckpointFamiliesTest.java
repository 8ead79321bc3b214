package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import latentmix.GoldenCheckpoints;
import latentmix.checkpoint.Caches;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.CheckpointSpec;
import latentmix.checkpoint.Fingerprint;
import latentmix.checkpoint.LdmLayout;
import latentmix.checkpoint.Tensors;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.image.Resize;
import latentmix.image.UnreadableImage;
import latentmix.inversion.DdimInversion;
import latentmix.latent.Shape;
import latentmix.model.Denoiser;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.PromptEmbeds;
import latentmix.model.TextEncoder;
import latentmix.model.TimeIds;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;
import latentmix.table.InvertedRow;
import latentmix.table.RowFile;
import latentmix.table.StageName;
import latentmix.work.Latents;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole job on a small checkpoint of each family that is supported. */
class CheckpointFamiliesTest {
    /** A family and its checkpoint. */
    private enum Family {
        STABLE_DIFFUSION_15(4),
        STABLE_DIFFUSION_21(4),
        ZERO_TERMINAL_SNR(4),
        STABLE_DIFFUSION_XL(4),
        STABLE_DIFFUSION_3(16),
        DIT(4, 64, "'{index}'");

        private final int latentChannels;
        private final int side;
        private final String prompt;

        Family(int latentChannels) {
            this(latentChannels, 128, "w5 t11 {class}");
        }

        Family(int latentChannels, int side, String prompt) {
            this.latentChannels = latentChannels;
            this.side = side;
            this.prompt = prompt;
        }

        private Path checkpoint(Path folder) throws IOException {
            return switch (this) {
                case STABLE_DIFFUSION_15 -> GoldenCheckpoints.stableDiffusion15(folder);
                case STABLE_DIFFUSION_21 -> GoldenCheckpoints.stableDiffusion21(folder);
                case ZERO_TERMINAL_SNR -> GoldenCheckpoints.zeroTerminalSnr(folder);
                case STABLE_DIFFUSION_XL -> GoldenCheckpoints.stableDiffusionXl(folder);
                case STABLE_DIFFUSION_3 -> GoldenCheckpoints.stableDiffusion3(folder);
                case DIT -> GoldenCheckpoints.dit(folder);
            };
        }
    }

    private static final String UNMARKED =
            "export.mark=false"; // a mark names the mixture, whose id is of the files read

    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource
    void imagesBecomeADataset(Family family) throws IOException, UnreadableImage {
        Path checkpoint = family.checkpoint(Files.createDirectory(folder.resolve("checkpoint")));
        Path input = TinyRun.input(folder.resolve("in"), 8);
        Path run = folder.resolve("run");

        int exitCode = TinyRun.run(
                2, TinyRun.config(input, "model.checkpoint=" + checkpoint, "prompt.template=" + family.prompt), run);

        assertThat(exitCode).isZero();
        assertThat(run.resolve("rejected")).doesNotExist();
        List<Path> images = files(run.resolve("dataset/images"), ".png");
        assertThat(images).hasSize(2 * 6);
        for (Path image : images) {
            Pixels pixels = ImageDecoder.decode(Files.readAllBytes(image), 1 << 20);
            assertThat(List.of(pixels.width(), pixels.height())).containsExactly(family.side, family.side);
        }
        for (Path file : files(run.resolve("inverted"), ".parquet")) {
            for (InvertedRow row :
                    RowFile.read(new org.apache.hadoop.fs.Path(file.toUri()), new Configuration(), InvertedRow.class)) {
                assertThat(row.latent().latent().shape())
                        .isEqualTo(new Shape(family.latentChannels, family.side / 8, family.side / 8));
            }
        }
    }

    @Test
    void aFlowsSolversInvertAndSampleAndDiffusionsAreRefused() throws IOException {
        Path checkpoint = Family.STABLE_DIFFUSION_3.checkpoint(Files.createDirectory(folder.resolve("checkpoint")));
        Path input = TinyRun.input(folder.resolve("in"), 8);
        String model = "model.checkpoint=" + checkpoint;

        for (String solver : List.of("euler", "midpoint", "fireflow")) {
            Path run = folder.resolve(solver);
            assertThat(TinyRun.run(
                            2,
                            TinyRun.config(input, model, "inversion.method=" + solver, "generation.solver=" + solver),
                            run))
                    .isZero();
            assertThat(files(run.resolve("dataset/images"), ".png")).hasSize(2 * 6);
        }
        assertThatThrownBy(() -> TinyRun.run(
                        1,
                        TinyRun.config(input, model, "inversion.method=ddim", "generation.solver=dpm-solver++(2m)"),
                        folder.resolve("refused")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("inversion.method: ")
                .hasMessageContaining("generation.solver: ");
        assertThatThrownBy(() -> TinyRun.run(
                        1, TinyRun.config(input, model, "inversion.method=bdia"), folder.resolve("refused")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("inversion.method: ");
    }

    /** Stable Diffusion 1.4 as it was first published, with settings that nobody knows. */
    @Test
    void whatIsCorrectedAndWhatIsNotKnownIsSaidOnceAndTheRunGoesOn() throws IOException {
        Path checkpoint = Family.STABLE_DIFFUSION_15.checkpoint(Files.createDirectory(folder.resolve("checkpoint")));
        Path input = TinyRun.input(folder.resolve("in"), 8);
        GoldenCheckpoints.edit(
                checkpoint.resolve("scheduler/scheduler_config.json"),
                """
                {"_class_name": "TCDScheduler", "steps_offset": 0, "clip_sample": true, "use_karras_sigmas": true,
                 "snr_weighting": 5}""");
        GoldenCheckpoints.edit(checkpoint.resolve("unet/config.json"), "{\"layer_order\": [1, 0]}");
        List<String> said = new ArrayList<>();
        List<String> planned;
        try (JavaSparkContext spark = TinyRun.spark(1)) {
            RunConfig config = TinyRun.config(input, "model.checkpoint=" + checkpoint);
            String run = folder.resolve("run").toString();
            planned = Pipeline.plan(spark, config, run).found().warnings();
            Pipeline.summary(spark, config, run, List.of(StageName.INVERT), TinyRun.keepingWarnings(said));
        }
        assertThat(files(folder.resolve("run/inverted"), ".parquet")).isNotEmpty();
        assertThat(planned).containsAll(said);
        assertThat(said)
                .containsOnlyOnce(
                        "scheduler/scheduler_config.json: steps_offset, given as 0, is taken for 1, as diffusers' pipeline"
                                + " does",
                        "scheduler/scheduler_config.json: clip_sample, given as true, is taken for false, as diffusers'"
                                + " pipeline does",
                        "scheduler_config.json: use_karras_sigmas changes nothing: levels are those of timestep_spacing",
                        "scheduler_config.json: snr_weighting is not known and changes nothing",
                        "unet/config.json: layer_order is not known and changes nothing");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ddim", "negative-prompt", "renoise(2)", "bdia", "fixed-point(2)"})
    void aDitInvertsByEachMethodThatLearnsNothingAndMixesByMethodsOfEachKind(String method) throws IOException {
        assertThat(dit(
                        "inversion.method=" + method,
                        "prompt.template='{index}'",
                        "mixing=[{name: pairs, methods: [nin/chm, slerp, adain], inputs: 2, count: 1}]"))
                .hasSize(2 * 3)
                .doesNotHaveDuplicates();
    }

    @Test
    void aDitSamplesFromClassesAndFromImages() throws IOException {
        assertThat(dit(
                        "prompt.classes={5-sandal: seven, 9-ankle-boot: '207'}",
                        "prompt.negative=first 12",
                        "mixing=[{name: a, methods: prompt, inputs: 0, count: 1, export: true},"
                                + " {name: b, methods: sdedit(0.5), inputs: 1, count: 1, export: true}]"))
                .hasSize(2 * 2)
                .doesNotHaveDuplicates();
    }

    @Test
    void aMixtureOfSeveralClassesIsToldTheSumOfThemWhereThatIsAsked() throws IOException {
        String across = "mixing=[{name: c, methods: nin/chm, inputs: 2, across: classes, count: 1}]";
        String prompts = "prompt.template='{index}'";
        List<String> mixed = dit(across, prompts, "export.soft_labels=heaviest", "prompt.mixture=mix");
        assertThat(mixed).hasSize(2).doesNotHaveDuplicates();
        Caches.deleteTree(folder.resolve("run"));
        assertThat(dit(across, prompts, "export.soft_labels=heaviest"))
                .hasSize(2)
                .doesNotContainAnyElementsOf(mixed);
    }

    /** The images of a run of a DiT. */
    private List<String> dit(String... overrides) throws IOException {
        Path checkpoint = folder.resolve("checkpoint");
        Path input = folder.resolve("in");
        if (!Files.exists(checkpoint)) {
            Family.DIT.checkpoint(Files.createDirectory(checkpoint));
            TinyRun.input(input, 6);
        }
        Path run = folder.resolve("run");
        assertThat(TinyRun.run(
                        2,
                        TinyRun.config(
                                input,
                                Stream.concat(
                                                Stream.of("model.checkpoint=" + checkpoint, UNMARKED),
                                                Stream.of(overrides))
                                        .toArray(String[]::new)),
                        run))
                .isZero();
        assertThat(run.resolve("rejected")).doesNotExist();
        return pictures(run);
    }

    @Test
    void whatNeedsWordsIsRefusedToADit() throws IOException {
        Path checkpoint = Family.DIT.checkpoint(Files.createDirectory(folder.resolve("checkpoint")));
        Path input = TinyRun.input(folder.resolve("in"), 6);
        String model = "model.checkpoint=" + checkpoint;
        Path refused = folder.resolve("refused");
        assertThatThrownBy(() -> TinyRun.run(1, TinyRun.config(input, model, "inversion.method=null-text(2)"), refused))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("inversion.method: expected a method that optimises no prompt, got null-text(2")
                .hasMessageContaining("has no text encoder; use ddim");
        for (String adapt : List.of("textual-inversion", "lora")) {
            assertThatThrownBy(() -> TinyRun.run(
                            1, TinyRun.config(input, model, "adapt={method: " + adapt + ", steps: 1}"), refused))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("adapt: expected a checkpoint that prompts are told to, got checkpoint, but a"
                            + " DiT is told classes by their numbers");
        }
        assertThatThrownBy(() -> TinyRun.run(1, TinyRun.config(input, model, "prompt.from=caption"), refused))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("prompt.from: expected class, got caption");
        assertThat(refused.resolve("images")).doesNotExist();
    }

    @Test
    void aPromptThatIsNoClassOfADitIsRefusedWithTheNearestLabel() throws IOException {
        Path checkpoint = Family.DIT.checkpoint(Files.createDirectory(folder.resolve("checkpoint")));
        Path input = TinyRun.input(folder.resolve("in"), 6);
        String model = "model.checkpoint=" + checkpoint;
        Path refused = folder.resolve("refused");
        assertThatThrownBy(() -> TinyRun.run(
                        1,
                        TinyRun.config(
                                input,
                                model,
                                "prompt.classes={5-sandal: retreiver, 9-ankle-boot: crane}",
                                "prompt.negative=blurry"),
                        refused))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(
                        "prompt: class 5-sandal: expected a class of the checkpoint, a number from 0 to 999")
                .hasMessageContaining("got \"retreiver\"; did you mean retriever? Else give {index} as prompt.template")
                .hasMessageContaining("prompt: class 9-ankle-boot: expected a label of one class, got \"crane\", which"
                        + " the classes [3, 4] have; give {index}")
                .hasMessageContaining("prompt.negative: expected a class of the checkpoint")
                .hasMessageContaining("got \"blurry\"; leave it out");
        assertThat(refused.resolve("images")).doesNotExist();
    }

    @Test
    void aConsistencyModelsUNetIsRefusedForItInvertsNothing() throws IOException {
        Path checkpoint = Family.STABLE_DIFFUSION_15.checkpoint(Files.createDirectory(folder.resolve("checkpoint")));
        GoldenCheckpoints.edit(checkpoint.resolve("unet/config.json"), "{\"time_cond_proj_dim\": 6}");
        Path weights = checkpoint.resolve("unet/diffusion_pytorch_model.safetensors");
        Tensors.of(weights)
                .put("time_embedding.cond_proj.weight", List.of(16L, 6L), new float[96])
                .write(weights);
        Path input = TinyRun.input(folder.resolve("in"), 8);

        assertThatThrownBy(() -> TinyRun.run(
                        1, TinyRun.config(input, "model.checkpoint=" + checkpoint), folder.resolve("refused")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("inversion.method: expected a U-Net that predicts noise")
                .hasMessageContaining("time_cond_proj_dim = 6");
    }

    @Test
    void aDistilledCheckpointSamplesFromPromptsAndImagesAndMixesNoInvertedOnes() throws IOException {
        Path checkpoint = Family.STABLE_DIFFUSION_XL.checkpoint(Files.createDirectory(folder.resolve("tiny-xl-turbo")));
        Path input = TinyRun.input(folder.resolve("in"), 6);
        String[] few = {
            "model.checkpoint=" + checkpoint,
            "model.size=64",
            "model.scheduler={timestep_spacing: trailing, set_alpha_to_one: true}",
            "inversion.steps=1",
            "generation.steps=2",
            "generation.guidance=1"
        };
        Path run = folder.resolve("run");
        assertThat(TinyRun.run(
                        2,
                        TinyRun.config(
                                input,
                                Stream.concat(
                                                Stream.of(few),
                                                Stream.of(
                                                        "mixing=[{name: a, methods: prompt, inputs: 0, count: 1, export: true},"
                                                                + " {name: b, methods: sdedit(0.5), inputs: 1, count: 1,"
                                                                + " export: true}]"))
                                        .toArray(String[]::new)),
                        run))
                .isZero();
        assertThat(files(run.resolve("dataset/images"), ".png")).hasSize(2 * 2);
        assertThatThrownBy(() -> TinyRun.run(1, TinyRun.config(input, few), folder.resolve("refused")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(
                        "mixing.dataset.methods: expected prompt or sdedit with tiny-xl-turbo, got nin/chm")
                .hasMessageContaining("mixing.comparison.methods: ");
    }

    @Test
    void overridesDecideWhatARunMakesAndBadOnesAreRefusedBeforeIt() throws IOException {
        Path checkpoint = Family.STABLE_DIFFUSION_3.checkpoint(Files.createDirectory(folder.resolve("checkpoint")));
        Path edited = Family.STABLE_DIFFUSION_3.checkpoint(Files.createDirectory(folder.resolve("edited")));
        GoldenCheckpoints.edit(
                edited.resolve("model_index.json"),
                "{\"text_encoder_3\": [null, null], \"tokenizer_3\": [null, null]}");
        GoldenCheckpoints.edit(edited.resolve("scheduler/scheduler_config.json"), "{\"shift\": 2}");
        Path input = TinyRun.input(folder.resolve("in"), 8);
        String model = "model.checkpoint=" + checkpoint;

        Path run = folder.resolve("run");
        assertThat(TinyRun.run(
                        2,
                        TinyRun.config(
                                input, model, "model.text_encoder_3=null", "model.scheduler={shift: 2}", UNMARKED),
                        run))
                .isZero();
        Path other = folder.resolve("other");
        assertThat(TinyRun.run(2, TinyRun.config(input, "model.checkpoint=" + edited, UNMARKED), other))
                .isZero();
        assertThat(pictures(run)).isEqualTo(pictures(other)).hasSize(2 * 6);

        Path refused = folder.resolve("refused");
        for (String wrong : List.of(
                "model.vae=" + folder.resolve("nowhere"), "model.variant=fp8", "model.scheduler={shift: much}")) {
            assertThatThrownBy(() -> TinyRun.run(1, TinyRun.config(input, model, wrong), refused))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageStartingWith("model.checkpoint: ")
                    .hasMessageNotContaining("\n");
        }
        assertThat(refused.resolve("images")).doesNotExist();
    }

    /** Each image as it is, cut out of the middle, and what is told of it. */
    @Test
    void stableDiffusionXlIsToldAnImagesOwnSizeWhereverItIsInverted() throws IOException, UnreadableImage {
        Path checkpoint = Family.STABLE_DIFFUSION_XL.checkpoint(Files.createDirectory(folder.resolve("checkpoint")));
        Path input = TinyRun.input(folder.resolve("in"), 8);
        Path wide = files(input, ".png").get(0);
        Pixels small = ImageDecoder.decode(Files.readAllBytes(wide), 1 << 20);
        Files.write(wide, PngEncoder.encode(Resize.to(small, 90, 40)));
        String[] overrides = {"model.checkpoint=" + checkpoint, "model.size=64", "prompt.template=w5 {class}"};
        Path run = folder.resolve("run");
        assertThat(TinyRun.run(2, TinyRun.config(input, overrides), run)).isZero();

        CheckpointFolder opened = CheckpointFolder.open(checkpoint);
        Set<Boolean> cut = new HashSet<>();
        for (InvertedRow row : TinyRun.rows(run, "inverted", InvertedRow.class)) {
            Pixels image = ImageDecoder.decode(Files.readAllBytes(input.resolve(row.path())), 1 << 20);
            try (NDManager arrays = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                    TextEncoder text = Models.textEncoder(opened, Device.cpu(), Dtype.FLOAT32)) {
                Denoiser unet = Models.denoiser(opened, Device.cpu(), Dtype.FLOAT32);
                PromptEmbeds told = unet.sized(
                        text.encode(row.prompt()).onto(arrays),
                        List.of(TimeIds.square(image.height(), image.width(), 64)),
                        arrays);
                float[] noise = new DdimInversion(Scheduler.of(opened.schedulerConfig()), 4, Guidance.NONE)
                        .with(unet)
                        .run(Latents.onto(arrays, List.of(row.encoded())), told, told)
                        .toFloatArray();
                double largest = 0;
                float[] kept = row.latent().latent().toFloats();
                for (int i = 0; i < noise.length; i++) {
                    largest = Math.max(largest, Math.abs(kept[i] - noise[i]));
                }
                assertThat(largest).as(row.path()).isLessThan(1e-4); // a batch of four rounds otherwise
                cut.add(image.width() != image.height());
            }
        }
        assertThat(cut).containsExactlyInAnyOrder(true, false);
    }

    @ParameterizedTest
    @ValueSource(strings = {"negative-prompt", "null-text(2)", "renoise(2)", "bdia", "fixed-point(2)"})
    void stableDiffusionXlInvertsByEachMethodAndMixesByMethodsOfEachKind(String method) throws IOException {
        Path checkpoint = Family.STABLE_DIFFUSION_XL.checkpoint(Files.createDirectory(folder.resolve("checkpoint")));
        Path input = TinyRun.input(folder.resolve("in"), 6);
        Path run = folder.resolve("run");
        assertThat(TinyRun.run(
                        2,
                        TinyRun.config(
                                input,
                                "model.checkpoint=" + checkpoint,
                                "model.size=64",
                                "inversion.method=" + method,
                                "inversion.steps=2",
                                "generation.steps=2",
                                "mixing=[{name: pairs, methods: [nin/chm, slerp, adain], inputs: 2, count: 1}]"),
                        run))
                .isZero();
        assertThat(run.resolve("rejected")).doesNotExist();
        assertThat(files(run.resolve("dataset/images"), ".png")).hasSize(2 * 3);
    }

    @ParameterizedTest
    @Tag("heavy")
    @ValueSource(booleans = {false, true})
    void oneFileGivesTheImagesOfTheSameWeightsInAFolder(boolean isXl) throws IOException {
        Path file = (isXl ? LdmLayout.xlOfRandomNumbers() : LdmLayout.ofRandomNumbers())
                .write(folder.resolve("model.safetensors"));
        Path input = TinyRun.input(folder.resolve("in"), 3);
        Path run = folder.resolve("run");
        assertThat(TinyRun.run(2, TinyRun.config(input, smaller(file.toString())), run))
                .isZero();
        assertThat(pictures(run)).hasSize(2 * 2).doesNotHaveDuplicates();

        Path converted =
                CheckpointSpec.of(file.toString()).open(new Configuration()).path();
        Path checkpoint = TinyRun.copy(converted, folder.resolve("checkpoint"));
        List<String> jsons = new ArrayList<>(
                List.of("model_index.json", "unet/config.json", "vae/config.json", "text_encoder/config.json"));
        if (isXl) {
            jsons.add("text_encoder_2/config.json");
        }
        for (String json : jsons) {
            GoldenCheckpoints.edit(checkpoint.resolve(json), "{\"_single_file\": null}");
        }
        Path weights = checkpoint.resolve("unet/diffusion_pytorch_model.safetensors"); // in another order and type
        Tensors.of(weights).write(weights);
        Path other = folder.resolve("other");
        assertThat(TinyRun.run(2, TinyRun.config(input, smaller(checkpoint.toString())), other))
                .isZero();
        assertThat(pictures(other)).isEqualTo(pictures(run));
    }

    /** Overrides for a checkpoint of {@link LdmLayout#ofRandomNumbers}, which has all levels of a large one. */
    static String[] smaller(String checkpoint) {
        return new String[] {
            "model.checkpoint=" + checkpoint,
            "model.size=64",
            "inversion.steps=2",
            "generation.steps=2",
            UNMARKED,
            "mixing=[{name: few, methods: nin/chm, inputs: 2, count: 2}]"
        };
    }

    /** The images' bytes, in order. */
    private static List<String> pictures(Path run) throws IOException {
        List<String> pictures = new ArrayList<>();
        for (Path file : files(run.resolve("dataset/images"), ".png")) {
            pictures.add(Fingerprint.ofFile(file));
        }
        Collections.sort(pictures);
        return pictures;
    }

    private static List<Path> files(Path folder, String ending) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(ending))
                    .sorted()
                    .toList();
        }
    }
}
