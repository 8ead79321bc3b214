package latentmix.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import latentmix.checkpoint.CheckpointSpec;
import latentmix.checkpoint.Embedding;
import latentmix.checkpoint.Lora;
import latentmix.inversion.InversionMethod;
import latentmix.latent.Gate;
import latentmix.latent.InputCount;
import latentmix.latent.Method;
import latentmix.latent.Recipe;
import latentmix.latent.WeightSampler;
import latentmix.metric.Threshold;
import latentmix.model.Dtype;
import latentmix.schedule.Solver;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigFileTest {
    private static final String LEAST =
            """
            input: {root: images}
            model: {checkpoint: "builtin:fashion"}
            """;

    @Test
    void everythingButTheImagesAndTheCheckpointHasADefault() {
        RunConfig config = parse(LEAST);

        assertThat(config)
                .isEqualTo(new RunConfig(
                        new RunConfig.Input(
                                "images",
                                null,
                                100_000_000,
                                List.of(),
                                null,
                                RunConfig.Conflicts.REFUSE,
                                RunConfig.Format.AUTO,
                                Map.of()),
                        new RunConfig.Model(
                                CheckpointSpec.of("builtin:fashion"),
                                Dtype.FLOAT32,
                                32,
                                1,
                                RunConfig.Device.AUTO,
                                null),
                        new RunConfig.Prompt("a photo of a {class}", Map.of(), ""),
                        Optional.empty(),
                        new RunConfig.Inversion(Optional.empty(), Optional.empty(), 50, 1, 0),
                        List.of(new RunConfig.Mixing(
                                "mixing-0",
                                methods("nin/chm"),
                                inputs("8"),
                                weights("dirichlet(1)"),
                                Recipe.Pool.ALL,
                                Gate.OFF,
                                10,
                                true)),
                        new RunConfig.Generation(50, 7.5, List.of(), Optional.empty()),
                        Optional.empty(),
                        new RunConfig.Export(
                                "png",
                                List.of(RunConfig.DatasetFormat.PARQUET, RunConfig.DatasetFormat.IMAGES),
                                256,
                                false,
                                true,
                                "unknown",
                                RunConfig.SoftLabels.REFUSE),
                        null,
                        Optional.empty(),
                        new RunConfig.Run(0, 64, 0.05)));
    }

    @Test
    void nothingIsMeasuredUnlessTheFileSaysSoAndInceptionNeedsItsHash() {
        assertThat(parse(LEAST + "evaluation: {}\n").evaluation())
                .isEqualTo(new RunConfig.Evaluation(null, "auto", null, null, 2000, 5, 64));
        assertThatThrownBy(() -> parse(LEAST + "evaluation: {inception: {file: inception.pt, sha256: abc}}\n"))
                .hasMessageContaining("evaluation.inception.sha256: expected the file's SHA-256, 64 hex digits")
                .hasMessageContaining("got abc");
    }

    @Test
    void imagesAreComparedWithThoseOfTestsWhereThatIsAskedForOrThereIsAFilter() {
        assertThat(parse(LEAST + "evaluation: {reference: held-out}\n").leakage())
                .isEmpty();
        assertThat(parse(LEAST + "leakage: {}\n").leakage()).contains(new RunConfig.Leakage(List.of(), 2));
        assertThat(parse(LEAST + "evaluation: {reference: held-out}\nfilter: {copy: {}}\n")
                        .leakage())
                .contains(new RunConfig.Leakage(List.of("held-out"), 2));
        assertThat(parse(LEAST + "evaluation: {reference: images}\nleakage: {}\n")
                        .leakage())
                .as("the input is no test")
                .contains(new RunConfig.Leakage(List.of(), 2));
        assertThatThrownBy(() -> parse(LEAST + "leakage: {test: [a, images], hash: 65}\n"))
                .isInstanceOfSatisfying(ConfigException.class, e -> assertThat(e.problems())
                        .containsExactly(
                                "leakage.test: expected images other than those of input.root, got images; name those kept"
                                        + " for tests",
                                "leakage.hash: expected a whole number from 0 to 64, got 65; the default is 2"));
    }

    @Test
    void everythingWrongWithAFilterIsSaidInALineEach() {
        assertThatThrownBy(
                        () -> parse(
                                LEAST
                                        + """
                        filter:
                          tries: 0
                          class: {by: vote, threshold: quantile(2)}
                          copy: {hash: few, features: clip}
                          blank: {entropy: quantile(0.7)}
                          text: {threshold: quantile(2)}
                          twins: {}
                        """))
                .isInstanceOfSatisfying(ConfigException.class, refused -> assertThat(refused.problems())
                        .containsExactlyInAnyOrder(
                                "filter.twins: unknown key (did you mean filter.twin?); expected one of tries, class,"
                                        + " copy, twin, text, blank; rename it or take it away",
                                "filter.tries: expected a whole number from 1 to 1000, got 0; the default is 3",
                                "filter.class.by: expected one of mean, neighbours, classifier, got \"vote\"; the"
                                        + " default is mean",
                                "filter.class.threshold: expected a quantile from 0 to 1, got 2; 0.01 is one of a"
                                        + " hundred",
                                "filter.copy.hash: expected a number, quantile(q) or off, got few; write for example"
                                        + " quantile(0.01)",
                                "filter.text.threshold: expected a quantile from 0 to 1, got 2; 0.01 is one of a"
                                        + " hundred",
                                "filter.blank.entropy: expected a quantile from 0 to 0.5, of which there is one at"
                                        + " either end, got quantile(0.7); lower it",
                                "filter: expected an evaluation that names the network that a judge looks by,"
                                        + " evaluation.classifier, got none; write `evaluation: {}` for the built-in"
                                        + " model's own, or name a classifier there",
                                "filter: expected an evaluation that names the network that a judge looks by,"
                                        + " evaluation.clip, got none; name it there, or judge by other features"));
        assertThatThrownBy(() -> parse(LEAST + "filter: {tries: 2}\n"))
                .hasMessage("filter.copy: expected a judge, one of class, copy, twin, text and blank, got none; write"
                        + " for example `copy: {}`, or leave filter out");
        assertThatThrownBy(() ->
                        parse(LEAST + "evaluation: {clip: clip}\nfilter: {class: {by: classifier, features: clip}}\n"))
                .hasMessage("filter.class.features: expected classifier with by: classifier, which alone names a class,"
                        + " got clip; leave it out, or set by: mean");
    }

    @Test
    void everyKeyIsRead() {
        RunConfig config = parse(
                """
                input: {root: "s3a://bucket/images", classes: classes.tsv, max_pixels: 1000, folders: [b, a], limit: 9, conflicts: keep,
                        format: parquet, columns: {label: species}}
                model: {checkpoint: sd, scheduler: {steps_offset: 1}, vae: other, variant: fp16, text_encoder_3: null,
                  loras: [{file: "hf://org/name@v1/a.safetensors", scale: -0.7}, {file: b.safetensors}],
                  embeddings: [{file: "s3a://bucket/c.safetensors", token: <house>}],
                  dtype: bfloat16, batch: 4, threads: 2, device: gpu, size: 512}
                prompt: {template: "{class}", classes: {n01: "a crane, a bird"}, negative: blurry}
                inversion: {method: "fixed-point(5, averaged)", dtype: float32, steps: 10, guidance: 2,
                  forward_first: 3}
                mixing:
                  - {name: a, methods: [lin/0, fix/0], inputs: [8, 2..8], weights: equal, pool: leave-inputs-out,
                     gate: redraw, count: 3, export: false}
                  - {name: b, method: nin/chm, inputs: 3, weights: "fixed(0.5,0.3,0.2)", gate: refuse(6)}
                generation: {steps: 20, guidance: 3.5, guidance_interval: [200, 600], solver: dpm-solver++(2m)}
                filter:
                  tries: 5
                  class: {by: neighbours, features: clip, neighbours: 7}
                  copy: {hash: "off", features: inception, distance: quantile(0.05)}
                  twin: {}
                  text: {threshold: quantile(0.2)}
                  blank: {entropy: 1.5, saturation: "off", sharpness: quantile(0)}
                export: {format: png, formats: webdataset, shard_mb: 64, real: true, mark: false, license: cc-by-4.0}
                evaluation:
                  reference: held-out
                  classifier: none
                  clip: clip
                  inception: {file: inception.pt, sha256: %s}
                  sample: 100
                  neighbours: 3
                  batch: 8
                leakage: {test: [test, val], hash: 5}
                run: {seed: -7, chunk: 8, max_rejected: 0}
                """
                        .formatted("AB".repeat(32)));

        assertThat(config)
                .isEqualTo(new RunConfig(
                        new RunConfig.Input(
                                "s3a://bucket/images",
                                "classes.tsv",
                                1000,
                                List.of("b", "a"),
                                9,
                                RunConfig.Conflicts.KEEP,
                                RunConfig.Format.PARQUET,
                                Map.of("label", "species")),
                        new RunConfig.Model(
                                CheckpointSpec.of("sd")
                                        .withVae("other")
                                        .withVariant("fp16")
                                        .withoutT5()
                                        .withLoras(List.of(
                                                new Lora("hf://org/name@v1/a.safetensors", -0.7),
                                                new Lora("b.safetensors", 1)))
                                        .withEmbeddings(List.of(new Embedding("s3a://bucket/c.safetensors", "<house>")))
                                        .withScheduler(new ObjectMapper()
                                                .createObjectNode()
                                                .put("steps_offset", 1)),
                                Dtype.BFLOAT16,
                                4,
                                2,
                                RunConfig.Device.GPU,
                                512),
                        new RunConfig.Prompt("{class}", Map.of("n01", "a crane, a bird"), "blurry"),
                        Optional.empty(),
                        new RunConfig.Inversion(
                                Optional.of(inversion("fixed-point(5, averaged)")),
                                Optional.of(Dtype.FLOAT32),
                                10,
                                2,
                                3),
                        List.of(
                                new RunConfig.Mixing(
                                        "a",
                                        methods("lin/0", "fix/0"),
                                        inputs("8", "2..8"),
                                        weights("equal"),
                                        Recipe.Pool.LEAVE_INPUTS_OUT,
                                        new Gate(Gate.Action.REDRAW, 4, 8),
                                        3,
                                        false),
                                new RunConfig.Mixing(
                                        "b",
                                        methods("nin/chm"),
                                        inputs("3"),
                                        weights("fixed(0.5,0.3,0.2)"),
                                        Recipe.Pool.ALL,
                                        new Gate(Gate.Action.REFUSE, 6, 1),
                                        10,
                                        true)),
                        new RunConfig.Generation(20, 3.5, List.of(200.0, 600.0), Optional.of(Solver.DPM_SOLVER_2M)),
                        Optional.of(new RunConfig.Filter(
                                5,
                                Optional.of(new RunConfig.ClassJudge(
                                        RunConfig.ClassBy.NEIGHBOURS,
                                        RunConfig.Features.CLIP,
                                        7,
                                        new Threshold.Fixed(0.5))),
                                Optional.of(new RunConfig.NearJudge(
                                        new Threshold.Off(),
                                        Optional.of(RunConfig.Features.INCEPTION),
                                        new Threshold.Quantile(0.05))),
                                Optional.of(new RunConfig.NearJudge(
                                        new Threshold.Quantile(0.01), Optional.empty(), new Threshold.Quantile(0.01))),
                                Optional.of(new Threshold.Quantile(0.2)),
                                Optional.of(new RunConfig.BlankJudge(
                                        new Threshold.Fixed(1.5), new Threshold.Off(), new Threshold.Quantile(0))))),
                        new RunConfig.Export(
                                "png",
                                List.of(RunConfig.DatasetFormat.WEBDATASET),
                                64,
                                true,
                                false,
                                "cc-by-4.0",
                                RunConfig.SoftLabels.REFUSE),
                        new RunConfig.Evaluation(
                                "held-out",
                                "none",
                                "clip",
                                new RunConfig.Inception("inception.pt", "ab".repeat(32)),
                                100,
                                3,
                                8),
                        Optional.of(new RunConfig.Leakage(List.of("test", "val"), 5)),
                        new RunConfig.Run(-7, 8, 0)));
        assertThat(config.mixing().get(0).samplers())
                .extracting(sampler -> sampler.method() + " × " + sampler.inputs())
                .containsExactly("lin/0 × 8", "lin/0 × 2..8", "fix/0 × 8", "fix/0 × 2..8");
    }

    @Test
    void everyProblemIsReportedAtOnceWithItsKey() {
        assertThat(
                        problems(
                                """
                        input: {max_pixels: -1, sise: 3}
                        model: {checkpoint: "builtin:fashon", dtype: float8, batch: 0, size: big}
                        generation: {steps: 1001, guidance: much}
                        mixing:
                          - {name: "a b", inputs: [0, 8..2], count: 1.5, export: maybe}
                          - 7
                        run: 3
                        speed: fast
                        """))
                .containsExactlyInAnyOrder(
                        "input.root: expected a text, got nothing; it has no default: set it in the file or by --set"
                                + " input.root=…",
                        "input.max_pixels: expected a whole number from 1 to 2147483647, got -1; the default is"
                                + " 100000000",
                        "input.sise: unknown key; expected one of root, format, columns, classes, max_pixels, folders, limit, conflicts; rename"
                                + " it or take it away",
                        "model.checkpoint: expected a path or one of builtin:fashion, builtin:fashion-unlabelled,"
                                + " builtin:fashion-mnist-sample, builtin:emoji, builtin:emoji-sample, got builtin:fashon; check the spelling; did you mean"
                                + " builtin:fashion?",
                        "model.dtype: expected one of float32, bfloat16, float16, got \"float8\"; the default is"
                                + " float32",
                        "model.batch: expected a whole number from 1 to 1000000, got 0; the default is 32",
                        "model.size: expected a whole number from 8 to 8192, got \"big\"; leave it out for the"
                                + " model's own",
                        "generation.steps: expected a whole number from 1 to 1000, got 1001; the default is 50",
                        "generation.guidance: expected a number from 0 to 1000, got \"much\"; the default is 7.5",
                        "mixing.0.inputs: Inputs must be a count of at least 0 or a rising range, cannot be: 8..2",
                        "mixing.0.count: expected a whole number from 1 to 1000000000, balance,"
                                + " {to: …}, {ratio: …} or a number for each class, got 1.5; the default is 10",
                        "mixing.0.export: expected true or false, got \"maybe\"; the default is true",
                        "mixing.0.name: expected letters, digits, - and _, got a b; rename it",
                        "mixing.1: expected keys with values, got 7; write one `key: value` a line below it",
                        "run: expected keys with values, got 3; write one `key: value` a line below it",
                        "speed: unknown key; expected one of input, model, prompt, adapt, inversion, mixing, generation,"
                                + " filter, export, evaluation, leakage, run; rename it or take it away");
    }

    @Test
    void whatIsAddedToACheckpointNeedsItsFileAndEmbeddingsATokenWithoutSpaces() {
        String begin = "input: {root: images}\nmodel: {checkpoint: a, ";
        assertThat(problems(begin + "loras: [{scale: much}, {file: a, weight: 1}], embeddings: [{file: b}]}"))
                .containsExactlyInAnyOrder(
                        "model.loras.0.file: expected a text, got nothing; it has no default: set it in the file or by"
                                + " --set model.loras.0.file=…",
                        "model.loras.0.scale: expected a number from -100 to 100, got \"much\"; the default is 1",
                        "model.loras.1.weight: unknown key; expected one of file, scale; rename it or take it away",
                        "model.embeddings.0.token: expected a text, got nothing; it has no default: set it in the file"
                                + " or by --set model.embeddings.0.token=…");
        assertThat(problems(begin + "loras: a.safetensors, embeddings: [{file: b, token: a house}]}"))
                .containsExactlyInAnyOrder(
                        "model.loras: expected a list of entries, got \"a.safetensors\"; begin each entry with `- `",
                        "model.embeddings.0.token: expected a token without spaces, got \"a house\"; write one such as"
                                + " <greenhouse>");
    }

    @Test
    void aChunkMustBeWholeMicroBatches() {
        assertThat(problems(LEAST + "run: {chunk: 40}"))
                .containsExactly("run.chunk: expected whole micro-batches of model.batch = 32 rows, got 40; set it to a"
                        + " multiple of model.batch");
    }

    @Test
    void aCountOfNoFormSaysWhichThereAre() {
        String forms = "expected a whole number from 1 to 1000000000, balance, {to: …}, {ratio: …} or a number for each"
                + " class, got ";
        assertThat(problems(LEAST + "mixing: [{count: balanced}]"))
                .containsExactly("mixing.0.count: " + forms + "\"balanced\"; did you mean balance?");
        assertThat(problems(LEAST + "mixing: [{count: {}}]"))
                .containsExactly("mixing.0.count: " + forms + "{}; the default is 10");
        assertThat(problems(LEAST + "mixing: [{count: {to: 0}}]"))
                .containsExactly(
                        "mixing.0.count: expected a whole number from 1 to 1000000000 for to, got 0; correct it");
        assertThat(problems(LEAST + "mixing: [{count: {ratio: 0}}, {name: b, count: {ratio: -1}}]"))
                .hasSize(2)
                .allMatch(
                        problem -> problem.contains("expected a number above 0 and up to 1000000000 for ratio, got "));
        assertThat(problems(LEAST + "mixing: [{count: {wren: 20, robin: many}}]"))
                .containsExactly("mixing.0.count: expected a whole number from 0 to 1000000000 for robin, got \"many\";"
                        + " correct it");
        assertThat(problems(LEAST + "mixing: [{count: {caf\u00e9: 20, cafe\u0301: 3}}]"))
                .hasSize(1)
                .allMatch(problem -> problem.contains("expected each class once"));
    }

    @Test
    void aRatioThatIsNoNumberIsRefusedAsYamlIs() {
        assertThat(problems(LEAST + "mixing: [{count: {ratio: .nan}}]"))
                .containsExactly("conf.yaml: expected YAML, got .nan in line 3; correct that line");
    }

    @Test
    void aGateIsSetForEveryEntryAndAnUnknownOneIsRefused() {
        String two = LEAST + "mixing: [{name: a, gate: off}, {name: b, gate: refuse}]";
        assertThat(parse(two).mixing())
                .extracting(entry -> entry.gate().toString())
                .containsExactly("off", "refuse(4)");
        assertThat(ConfigFile.parse(two, "test", List.of("mixing.gate=redraw(5, tries=3)"))
                        .mixing())
                .extracting(entry -> entry.gate().toString())
                .containsExactly("redraw(5, tries=3)", "redraw(5, tries=3)");
        assertThat(problems(LEAST + "mixing: [{gate: refuse(-1)}]"))
                .containsExactly("mixing.0.gate: A gate's limit must be above 0 standard deviations, cannot be: -1.0");
    }

    @Test
    void methodsInputsAndWeightsAreThoseOfTheLatentMathematics() {
        assertThat(problems(LEAST + "mixing: [{methods: [nin/chm, lin/0@band], inputs: many, weights: ess}]"))
                .hasSize(3)
                .allMatch(problem -> problem.startsWith("mixing.0."));
        assertThat(problems(LEAST, "mixing.weights=fixed(0.5,0.5)"))
                .containsExactly("mixing.0.weights: Weights fixed(0.5,0.5) need 2 inputs, cannot have: 8");
    }

    @Test
    void everyMethodIsRefusedEveryCountOfInputsThatItDoesNotTake() {
        assertThat(
                        problems(
                                LEAST
                                        + """
                        mixing:
                          - {name: a, methods: [slerp, nin/chm, arc], inputs: [2, 3], weights: equal}
                          - {name: b, methods: [nao, prompt, sdedit(0.5)], inputs: 2..9, weights: equal}
                          - {name: c, methods: [prompt, lin/0], inputs: 0}
                          - {name: d, methods: prompt, inputs: 0, weights: ess(2)}
                        """))
                .containsExactly(
                        "mixing.0.inputs: Method slerp takes exactly 2 inputs, cannot take: 3; use spherical-mean for"
                                + " any number",
                        "mixing.0.inputs: Method arc takes exactly 2 inputs, cannot take: 3; set inputs: 2",
                        "mixing.1.inputs: Method nao takes 1 to 8 inputs, cannot take: 2..9; use spherical-mean for"
                                + " more",
                        "mixing.1.inputs: Method prompt takes exactly 0 inputs, cannot take: 2..9; set inputs: 0",
                        "mixing.1.inputs: Method sdedit(0.5) takes exactly 1 inputs, cannot take: 2..9; set inputs: 1",
                        "mixing.2.inputs: Method lin/0 takes 1 or more inputs, cannot take: 0; use prompt for images"
                                + " without inputs",
                        "mixing.3.weights: Weights ess(2) need at least as many inputs, cannot have: 0; use more"
                                + " inputs or a lower count");
    }

    @Test
    void whatMixturesDrawIsReadAndWhatGoesWithNothingIsRefusedWithTheRemedy() {
        RunConfig.Mixing entry = parse(LEAST
                        + "mixing: [{inputs: 2..4, neighbours: 3, contexts: [at night, '{prompt}, big'],"
                        + " context_share: 0.3, guidance: [2, 7.5]}]")
                .mixing()
                .get(0);
        assertThat(entry.neighbours()).isEqualTo(3);
        assertThat(entry.contexts()).containsExactly("at night", "{prompt}, big");
        assertThat(entry.contextShare()).isEqualTo(0.3);
        assertThat(entry.guidance()).containsExactly(2.0, 7.5);
        assertThat(problems(LEAST + "mixing: [{inputs: [1, 2, 5], neighbours: 3, contexts: ['a {class}'],"
                        + " context_share: 0, guidance: [2, 2]}]"))
                .containsExactlyInAnyOrder(
                        "mixing.0.inputs: expected 2 to 4 inputs with neighbours: 3, a first one and some of its"
                                + " neighbours, got 1; leave neighbours out",
                        "mixing.0.inputs: expected 2 to 4 inputs with neighbours: 3, a first one and some of its"
                                + " neighbours, got 5; raise neighbours, or use fewer inputs",
                        "mixing.0.contexts: expected no placeholder but {prompt}, got {class}; write the words"
                                + " themselves, without braces",
                        "mixing.0.context_share: expected a number above 0 and up to 1, got 0; the default is 1",
                        "mixing.0.guidance: expected each value once, got [2,2]; take the repeated one away");
        assertThat(problems(LEAST + "mixing: [{context_share: 0.3}]"))
                .singleElement(InstanceOfAssertFactories.STRING)
                .startsWith("mixing.0.context_share: expected contexts beside it")
                .endsWith("write contexts, or leave it out");
        String drawing = LEAST + "mixing: [{inputs: 2, contexts: at night, guidance: [2, 4]}]";
        assertThat(problems(drawing, "inversion.method=negative-prompt"))
                .hasSize(2)
                .anyMatch(problem -> problem.startsWith("mixing.0.contexts: expected another inversion than"))
                .anyMatch(problem -> problem.startsWith("mixing.0.guidance: expected no guidance of its own"));
        assertThat(problems(drawing, "inversion.method=bdia"))
                .singleElement(InstanceOfAssertFactories.STRING)
                .startsWith("mixing.0.contexts: expected another inversion than bdia");
        assertThat(problems(drawing, "prompt.from=caption", "prompt.mixture=mix"))
                .singleElement(InstanceOfAssertFactories.STRING)
                .startsWith("mixing.0.contexts: expected prompt.mixture: class with contexts")
                .endsWith("leave prompt.mixture out, or contexts");
        assertThat(problems(LEAST + "mixing: [{inputs: 2, neighbours: 4, across: classes, export: false}]"))
                .containsExactly("mixing.0.neighbours: expected inputs of one class with neighbours, which are the"
                        + " class's own, got across: classes; leave neighbours out, or mix within classes");
    }

    @Test
    void aStrengthThatLeavesNoSamplingStepIsRefused() {
        String edit = LEAST + "mixing: [{methods: sdedit(0.09), inputs: 1}]";
        assertThat(problems(edit, "generation.steps=11"))
                .containsExactly(
                        "mixing.0.methods: Method sdedit(0.09) must take at least 1 of the last sampling steps,"
                                + " cannot take its share of generation.steps = 11; raise one of the two");
        assertThat(parse(edit, "generation.steps=12").mixing()).hasSize(1);
    }

    @Test
    void float16IsRefusedOnACpuWithTheReason() {
        assertThat(problems(LEAST, "model.dtype=float16", "model.device=cpu"))
                .containsExactly(
                        "model.dtype: expected float32 or bfloat16 on a CPU, which computes float16 by converting every"
                                + " number, got float16; use bfloat16, or model.device: gpu");
    }

    @Test
    void solversAndAGuidanceIntervalThatMakeNoSenseAreAllRefused() {
        assertThat(problems(
                        LEAST,
                        "inversion.method=dpm-solver++(2m)",
                        "generation.solver=heun",
                        "generation.guidance_interval=[600, 200]"))
                .containsExactlyInAnyOrder(
                        "inversion.method: An inversion must be spelled like one of ddim; fixed-point(5);"
                                + " fixed-point(5, averaged); fixed-point(20, residual=1e-4); negative-prompt;"
                                + " null-text(10); renoise(4); bdia; euler; euler-at-target; midpoint; fireflow (1 to"
                                + " 1000 iterations), cannot be: dpm-solver++(2m)",
                        "generation.guidance_interval: expected [least, most], two rising numbers from 0 on, got"
                                + " [600,200]; leave it out for all",
                        "generation.solver: expected one of auto, ddim, dpm-solver++(2m), dpm-solver++(3m), euler,"
                                + " midpoint, fireflow, got \"heun\"; the default is auto");
        for (String interval : List.of("200", "[200]", "[a, b]", "[-1, 5]", "[1, 2, 3]", "[1, .inf]")) {
            assertThat(problems(LEAST, "generation.guidance_interval=" + interval))
                    .hasSize(1);
        }
        assertThat(problems(LEAST, "generation.guidance_interval=[200, 600]", "generation.guidance=1"))
                .containsExactly(
                        "generation.guidance_interval: expected a generation.guidance above 1 beside it: at 1 no"
                                + " timestep is guided, got [200.0, 600.0]; raise generation.guidance, or leave the"
                                + " interval out");
    }

    @Test
    void inversionsThatTheWayBackCannotServeAreRefusedWithWhatToDo() {
        assertThat(problems(
                        LEAST,
                        "model.dtype=bfloat16",
                        "inversion.method=null-text(10)",
                        "inversion.guidance=2",
                        "generation.guidance=1",
                        "generation.steps=20"))
                .containsExactlyInAnyOrder(
                        "inversion.guidance: expected 1 with null-text(10), which finds or replaces the unconditional"
                                + " branch afterwards, got 2.0; set it to 1; generation.guidance is another setting",
                        "inversion.method: expected a generation.guidance above 1 with null-text, which finds"
                                + " embeddings for it, got 1.0; set generation.guidance, or use ddim",
                        "inversion.steps: expected generation.steps = 20 with null-text(10), whose way back takes the"
                                + " same steps, got 50; set both to one number",
                        "inversion.dtype: expected float32 with null-text, whose small gradients others lose, got"
                                + " bfloat16; set inversion.dtype: float32");
        assertThat(problems(LEAST, "inversion.method=negative-prompt", "inversion.guidance=2"))
                .singleElement()
                .asString()
                .startsWith("inversion.guidance: expected 1 with negative-prompt");
        assertThat(problems(LEAST, "inversion.method=bdia", "inversion.forward_first=2"))
                .containsExactly(
                        "inversion.forward_first: expected 0 with bdia, which follows the image's own latent from"
                                + " the first step on, got 2; leave it out, or invert by ddim, fixed-point(5) or"
                                + " negative-prompt");
        assertThat(problems(LEAST, "inversion.steps=3", "inversion.forward_first=3"))
                .containsExactly("inversion.forward_first: expected fewer than inversion.steps = 3, of which some must"
                        + " invert, got 3; lower it, or raise inversion.steps");
        assertThat(problems(LEAST, "inversion.method=negative-prompt", "prompt.from=caption"))
                .containsExactly("inversion.method: expected prompt.from: class with negative-prompt, which is for"
                        + " mixtures sampled with the prompt of their inputs, got caption; use another inversion, or"
                        + " leave prompt.from out");
        assertThat(problems(LEAST, "prompt.mixture=mix"))
                .containsExactly("prompt.mixture: expected class without captions, which prompt.from: caption takes,"
                        + " got mix; set prompt.from: caption, or leave prompt.mixture out");
        assertThat(problems(LEAST, "inversion.method=bdia", "inversion.dtype=bfloat16", "inversion.steps=20"))
                .extracting(problem -> problem.substring(0, problem.indexOf(':')))
                .containsExactlyInAnyOrder("inversion.dtype", "inversion.steps");
        assertThat(problems(LEAST, "inversion.method=null-text(10, guidance=3)"))
                .singleElement()
                .asString()
                .contains("generation.guidance = 7.5", "got 3.0");
    }

    @Test
    void nullTextIsToldTheGuidanceThatSamplesLater() {
        RunConfig config = parse(
                LEAST,
                "inversion.method=null-text(10)",
                "generation.guidance=3",
                "model.dtype=bfloat16",
                "inversion.dtype=float32");
        assertThat(config.inversionMethod()).hasToString("null-text(10, guidance=3.0)");
        assertThat(config.inversionDtype()).isEqualTo(Dtype.FLOAT32);
    }

    @Test
    void twoEntriesOfOneNameAreRefused() {
        assertThat(problems(LEAST + "mixing: [{name: a}, {name: a}]"))
                .containsExactly(
                        "mixing.1.name: expected a name of its own for each entry, got a; rename one of the two");
    }

    @Test
    void aKeyThatStandsTwiceAndTextThatIsNotYamlAreRefusedWithTheirLine() {
        assertThat(problems(LEAST + "run: {seed: 1}\nrun: {seed: 2}"))
                .singleElement()
                .asString()
                .contains("conf.yaml", "line 4");
        assertThat(problems(LEAST + "run: [")).singleElement().asString().contains("conf.yaml", "line");
    }

    @Test
    void aliasesRepeatWhatTheirAnchorsNameAndMergeKeysGiveWhatIsNotThere() {
        RunConfig config = parse(
                LEAST
                        + """
                prompt: {template: &t "one {class}", classes: {n01: "*t", n02: &own a crane, n03: *own}}
                mixing:
                  - &base {name: a, methods: &all [lin/0, fix/0], count: 3, inputs: 4}
                  - {<<: *base, name: b}
                  - {name: c, <<: [{count: 5}, *base], methods: *all, inputs: 8}
                inversion: {steps: &steps 7}
                generation: {steps: *steps}
                """);
        assertThat(config.prompt().classes()).isEqualTo(Map.of("n01", "*t", "n02", "a crane", "n03", "a crane"));
        assertThat(config.generation().steps()).isEqualTo(7);
        assertThat(config.mixing()).extracting(RunConfig.Mixing::name).containsExactly("a", "b", "c");
        assertThat(config.mixing()).extracting(entry -> entry.count().number()).containsExactly(3, 3, 5);
        assertThat(config.mixing())
                .extracting(RunConfig.Mixing::methods)
                .containsOnly(methods("lin/0", "fix/0"))
                .hasSize(3);
        assertThat(config.mixing())
                .extracting(RunConfig.Mixing::inputs)
                .containsExactly(inputs("4"), inputs("4"), inputs("8"));
    }

    @Test
    void whatAnAliasRepeatsIsACopyWhichOverridesReachAlone() {
        RunConfig config = parse(LEAST + "mixing: [&a {name: a, count: 3}, {<<: *a, name: b}]", "mixing.0.count=4");
        assertThat(config.mixing()).extracting(entry -> entry.count().number()).containsExactly(4, 3);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "prompt: {template: *t}; found undefined alias t in line 3",
                "run: &r {seed: *r}; got an alias of what it is in in line 3",
                "run: {<<: 3}; got 3 to merge, which has no keys in line 3",
                "run: {seed: 1, seed: 2}; got the key seed twice in line 3",
                "--- {run: {}}; but found another document in line 3"
            })
    void yamlThatMeansNothingIsRefusedWithItsLine(String line, String problem) {
        assertThat(problems(LEAST + line))
                .singleElement()
                .asString()
                .contains("conf.yaml", problem)
                .doesNotContain("\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "template; a {klass}; expected no placeholder but {class}, {index}, got {klass}; did you mean {class}?",
                "template; a {Class}; expected no placeholder but {class}, {index}, got {Class}; did you mean {class}?",
                "template; a { class }; expected no placeholder but {class}, {index}, got { class }; did you mean {class}?",
                "template; a {class; expected no placeholder but {class}, {index}, got {class; did you mean {class}?",
                "template; a class}; expected no placeholder but {class}, {index}, got class}; did you mean {class}?",
                "template; a {}; expected no placeholder but {class}, {index}, got {}; write the words",
                "template; {class}, {species}; expected no placeholder but {class}, {index}, got {species}; write the words",
                "negative; no {class}; expected a prompt without placeholders; write the words",
                "classes.n01; a {class}; expected a prompt without placeholders; write the words"
            })
    void whatLooksLikeAPlaceholderAndIsNoneIsRefused(String key, String prompt, String problem, String advice) {
        assertThat(problems(LEAST, "prompt." + key + "=\"" + prompt + "\""))
                .singleElement()
                .asString()
                .startsWith("prompt." + key.replace(".n01", "") + ": " + problem)
                .contains(advice);
    }

    @Test
    void bracesAroundOtherWordsAreLeftToTheModel() {
        assertThat(parse(LEAST, "prompt.template='a {red, blue} {class}'")
                        .prompt()
                        .template())
                .isEqualTo("a {red, blue} {class}");
    }

    @Test
    void aFileThatIsNotThereIsAProblemOfTheConfiguration() {
        assertThatThrownBy(() -> ConfigFile.read(Path.of("no/such.yaml"), List.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("no/such.yaml");
    }

    @ParameterizedTest
    @CsvSource({
        "inversion: {stepps: 5}, inversion.stepps: unknown key (did you mean inversion.steps?)",
        "promt: {}, promt: unknown key (did you mean prompt?)",
        "checkpoint: a, checkpoint: unknown key (did you mean model.checkpoint?)",
        "generation: {solver: eular}, did you mean euler?",
        "mixing: [{methods: nim/chm}], did you mean nin/chm?",
        "mixing: [{weights: equall}], did you mean equal?",
        "mixing: [{gate: refuze(4)}], did you mean refuse(4)?",
        "inversion: {method: fixd-point(5)}, did you mean fixed-point(5)?"
    })
    void aMisspeltKeyOrWordIsAnsweredByTheNearestRightOne(String line, String answer) {
        assertThat(problems(LEAST + line)).singleElement().asString().contains(answer);
    }

    @Test
    void aWordThatIsNearTwoIsAnsweredByNone() {
        assertThat(problems(LEAST, "model.dtype=float8"))
                .singleElement()
                .asString()
                .doesNotContain("did you mean");
    }

    @Test
    void whatIsNoTextIsRefusedInALine(@TempDir Path folder) throws IOException {
        Path binary = Files.write(folder.resolve("a.png"), new byte[] {(byte) 0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0});
        Path zeros = Files.write(folder.resolve("zeros.yaml"), new byte[64]);
        Path empty = Files.createFile(folder.resolve("empty.yaml"));
        for (Path file : List.of(binary, zeros, empty, folder, folder.resolve("none.yaml"))) {
            assertThat(catchThrowableOfType(ConfigException.class, () -> ConfigFile.read(file, List.of()))
                            .problems())
                    .singleElement()
                    .asString()
                    .startsWith("--config: expected a YAML file, got ")
                    .contains(file.toString())
                    .doesNotContain("\n");
        }
    }

    @Test
    void anOverrideReplacesOneValue() {
        RunConfig config = parse(LEAST, "generation.steps=7", "prompt.negative=", "model.batch=16");
        assertThat(config.generation().steps()).isEqualTo(7);
        assertThat(config.prompt().negative()).isEmpty();
        assertThat(config.model().batch()).isEqualTo(16);
    }

    @Test
    void anOverrideOfMixingWithoutAPositionAppliesToEachEntry() {
        RunConfig config = parse(
                LEAST + "mixing: [{name: a, methods: [lin/0]}, {name: b}]",
                "mixing.method=[fix/0, nin/chm]",
                "mixing.1.count=3");
        assertThat(config.mixing())
                .extracting(RunConfig.Mixing::methods)
                .containsExactly(methods("fix/0", "nin/chm"), methods("fix/0", "nin/chm"));
        assertThat(config.mixing()).extracting(entry -> entry.count().number()).containsExactly(10, 3);
    }

    @Test
    void anOverrideOfMixingMakesTheDefaultEntryWhereTheFileHasNone() {
        assertThat(parse(LEAST, "mixing.method=fix/0").mixing().get(0).methods())
                .isEqualTo(methods("fix/0"));
    }

    @ParameterizedTest
    @CsvSource({"steps", "=3", "mixing.4.count=3", "inversion.steps.first=3", "generation.stepps=3", "run.seed={"})
    void anOverrideThatLeadsNowhereIsRefused(String override) {
        assertThat(problems(LEAST + "mixing: [{name: a}]\ninversion: {steps: 4}", override))
                .hasSize(1);
    }

    private static List<Spelled<Method>> methods(String... names) {
        return Stream.of(names).map(name -> Spelled.parse(name, Method::parse)).toList();
    }

    private static List<Spelled<InputCount>> inputs(String... counts) {
        return Stream.of(counts)
                .map(count -> Spelled.parse(count, InputCount::parse))
                .toList();
    }

    private static Spelled<WeightSampler> weights(String spelling) {
        return Spelled.parse(spelling, WeightSampler::parse);
    }

    private static Spelled<InversionMethod> inversion(String spelling) {
        return Spelled.parse(spelling, text -> InversionMethod.parse(text, 1));
    }

    private static RunConfig parse(String yaml, String... overrides) {
        return ConfigFile.parse(yaml, "conf.yaml", List.of(overrides));
    }

    private static List<String> problems(String yaml, String... overrides) {
        return catchThrowableOfType(ConfigException.class, () -> parse(yaml, overrides))
                .problems();
    }

    @Test
    void whatIsLearntOfClassesIsReadWithItsDefaultsAndRefusedWhereItsTokenHasNoPlace() {
        String yaml = "{input: {root: in}, model: {checkpoint: 'builtin:fashion'}, mixing: [{name: a}]}";
        assertThat(ConfigFile.parse(yaml, "a test", List.of("adapt={}")).adapt())
                .hasValue(new RunConfig.Adapt(
                        RunConfig.AdaptMethod.TEXTUAL_INVERSION,
                        RunConfig.AdaptScope.CLASS,
                        Optional.empty(),
                        500,
                        0.001,
                        4,
                        0,
                        false,
                        Optional.empty()));
        assertThat(ConfigFile.parse(
                                yaml,
                                "a test",
                                List.of("adapt={method: textual-inversion, vectors: 4, steps: 9, learning_rate: 0.1,"
                                        + " batch: 2, min_snr: 5, flip: true}"))
                        .adapt())
                .hasValue(new RunConfig.Adapt(
                        RunConfig.AdaptMethod.TEXTUAL_INVERSION,
                        RunConfig.AdaptScope.CLASS,
                        Optional.of(4),
                        9,
                        0.1,
                        2,
                        5,
                        true,
                        Optional.empty()));
        assertThat(problems(
                        yaml,
                        "adapt={method: dreambooth, vectors: 0}",
                        "prompt={template: a photo, classes: {n01: a crane}, from: caption}"))
                .anySatisfy(line -> assertThat(line)
                        .startsWith("adapt.method: expected one of textual-inversion, lora, both, got \"dreambooth\""))
                .anySatisfy(line -> assertThat(line).startsWith("adapt.vectors: expected"))
                .anySatisfy(line -> assertThat(line).startsWith("prompt.template: expected {class} with adapt"))
                .anySatisfy(line ->
                        assertThat(line).startsWith("prompt.classes: expected no prompts of their own with adapt"))
                .anySatisfy(line -> assertThat(line).startsWith("prompt.from: expected class with adapt"));
    }

    @Test
    void aLoraIsReadWithItsDefaultsAndKeysOfAnotherMethodAreRefused() {
        String yaml = "{input: {root: in}, model: {checkpoint: 'builtin:fashion'}, mixing: [{name: a}]}";
        assertThat(parse(yaml, "adapt={method: lora, rank: 8}")
                        .adapt()
                        .orElseThrow()
                        .lora())
                .hasValue(new RunConfig.AdaptLora(8, 8, 0.0001, 0));
        assertThat(parse(
                                yaml,
                                "adapt={method: both, alpha: 2, lora_learning_rate: 0.01, prompt_dropout: 0.1,"
                                        + " vectors: 3}")
                        .adapt()
                        .orElseThrow()
                        .lora())
                .hasValue(new RunConfig.AdaptLora(4, 2, 0.01, 0.1));
        assertThat(parse(yaml, "adapt={method: lora}", "prompt={template: a photo, classes: {n01: a crane}}")
                        .adapt())
                .as("a LoRA needs no place in the prompt")
                .isPresent();
        assertThat(problems(yaml, "adapt={method: lora, vectors: 2, learning_rate: 0.1}", "prompt.from=caption"))
                .anySatisfy(line -> assertThat(line)
                        .isEqualTo("adapt.vectors: expected no such key with method: lora, which learns no token, got"
                                + " one; leave it out, or set method: both"))
                .anySatisfy(line -> assertThat(line).startsWith("adapt.learning_rate: expected no such key"))
                .anySatisfy(line -> assertThat(line).startsWith("prompt.from: expected class with adapt"));
        assertThat(problems(yaml, "adapt={method: both}", "prompt.template='{class} of {index}'"))
                .containsExactly(
                        "prompt.template: expected {class} alone with adapt, since a class's number is no part of"
                                + " what is learnt, got {class} of {index}; take {index} out of it");
        assertThat(problems(yaml, "adapt={rank: 2, alpha: 1, lora_learning_rate: 1, prompt_dropout: 1}"))
                .filteredOn(line -> line.contains(": textual-inversion, which learns no LoRA, got one"))
                .hasSize(4);
    }
}
