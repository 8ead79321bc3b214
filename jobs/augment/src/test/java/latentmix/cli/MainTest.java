package latentmix.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import latentmix.Golden;
import latentmix.GoldenCheckpoints;
import latentmix.Repository;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.LdmLayout;
import latentmix.checkpoint.Tensors;
import latentmix.plan.ExitCode;
import latentmix.table.FullDisk;
import latentmix.table.Lease;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.s3a.AWSServiceThrottledException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.awscore.exception.AwsServiceException;

class MainTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "demo",
                "run",
                "plan",
                "invert",
                "mix",
                "generate",
                "filter",
                "evaluate",
                "export",
                "trace",
                "doctor",
                "model"
            })
    void everyVerbExplainsItself(String verb) {
        assertThat(run(verb, "--help")).isEqualTo(ExitCode.DONE.code());
        assertThat(out.toString()).contains("Usage: latentmix " + verb);
    }

    @Test
    void aBadConfigurationIsTwoWithAllItsProblemsAndNoStackTrace(@TempDir Path folder) throws Exception {
        Path config = Files.writeString(folder.resolve("bad.yaml"), "input: {rot: a}\nmodel: {batch: 0}");
        assertThat(run("run", "--config", config.toString(), "--run", folder.toString()))
                .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertThat(err.toString().lines().toList())
                .hasSize(4)
                .allMatch(line -> line.matches("(input|model)\\.\\w+: .*"));
    }

    @Test
    void aCheckpointThatIsNotThereIsTwo() {
        assertThat(run("model", "show", "no/such/folder")).isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertThat(err.toString()).contains("no/such/folder").doesNotContain("\tat ");
    }

    @ParameterizedTest
    @CsvSource({
        "https://example.org/model, got a web address",
        "gs://bucket/model, No FileSystem for scheme",
        "s3://bucket/model, No FileSystem for scheme"
    })
    void aLocationThatIsOutOfReachIsTwoInALine(String location, String problem) {
        assertThat(run("model", "show", location)).isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertThat(err.toString().lines()).singleElement().asString().contains(problem);
    }

    @Test
    void anUnknownVerbOptionOrValueIsTwo() {
        assertThat(run("dance")).isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertThat(run("run", "--speed", "9")).isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertThat(run("model", "compile", "builtin:fashion", "--dtype", "float8"))
                .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertThat(err.toString()).contains("dtype must be one of [float32, bfloat16, float16], cannot be: float8");
    }

    @ParameterizedTest
    @CsvSource({
        "ruun,latentmix: unknown verb ruun; did you mean run?",
        "generte,latentmix: unknown verb generte; did you mean generate?",
        "run --confg a.yaml --run r,latentmix run: unknown option --confg; did you mean --config?",
        "model shw builtin:fashion,latentmix model: unknown verb shw; did you mean show?",
        "demo --gpu off,latentmix demo: unknown option --gpu; did you mean --gpus?",
        "run --run r,latentmix run: Missing required option: '--config=FILE'"
    })
    void aMisspeltWordIsAnsweredByTheNearestRightOneInALine(String words, String answer) {
        assertThat(run(words.split(" "))).isEqualTo(2);
        assertThat(err.toString().lines()).hasSize(1).allMatch(line -> line.startsWith(answer));
    }

    @Test
    void aRunFolderThatCannotBeOneIsTwoInALine(@TempDir Path folder) throws Exception {
        Path config = Files.writeString(
                folder.resolve("run.yaml"),
                """
                input: {root: "builtin:fashion-mnist-sample"}
                model: {checkpoint: "builtin:fashion"}
                """);
        for (String run : List.of(config.toString(), config.resolve("below").toString(), "/proc/run")) {
            for (String verb : List.of("run", "invert")) {
                err.getBuffer().setLength(0);
                assertThat(run(verb, "--config", config.toString(), "--run", run))
                        .isEqualTo(2);
                assertThat(err.toString().lines())
                        .hasSize(1)
                        .allMatch(line -> line.startsWith("--run: expected a folder") && line.endsWith("name another"));
            }
        }
        err.getBuffer().setLength(0);
        assertThat(run("demo", "--run", config.toString())).isEqualTo(2);
        assertThat(run("plan", "--config", config.toString(), "--run", config.toString()))
                .isEqualTo(2);
        assertThat(err.toString().lines())
                .hasSize(2)
                .allMatch(line -> line.equals(
                        "--run: expected a folder, got " + config + ", but " + config + " is a file; name another"));
    }

    @Test
    void aConfigurationThatIsNoTextIsTwoInALine(@TempDir Path folder) throws Exception {
        Path bytes = Files.write(folder.resolve("bytes.yaml"), new byte[] {(byte) 0x89, 'P', 'N', 'G', 0, (byte) 0xff});
        Path zeros = Files.write(folder.resolve("zeros.yaml"), new byte[1000]);
        for (Path config : List.of(bytes, zeros, folder)) {
            err.getBuffer().setLength(0);
            assertThat(run(
                            "run",
                            "--config",
                            config.toString(),
                            "--run",
                            folder.resolve("run").toString()))
                    .isEqualTo(2);
            assertThat(err.toString().lines()).hasSize(1).allMatch(line -> line.contains(config.toString()));
        }
    }

    @Test
    void theDoctorSaysWhatEachExecutorHasAndWhatWouldStopARun(@TempDir Path folder) {
        assertThat(run("doctor", folder.toString())).isZero();
        List<String> lines = out.toString().lines().toList();
        assertThat(lines).hasSize(4);
        assertThat(lines.get(0)).startsWith("host").endsWith("clock");
        assertThat(lines.get(1)).contains(" cpu ", " 0 ", " GB ", " UTF-8 ", "same");

        assertThat(run("doctor", folder.resolve("nowhere").toString())).isEqualTo(2);
        assertThat(err.toString().lines())
                .hasSize(1)
                .allMatch(line -> line.contains("nowhere: expected a place that the executor can look into")
                        && line.contains("correct the name"));
    }

    @Test
    void ofRefusalsWithinRefusalsTheOutermostIsSaid() {
        for (int i = 0; i < 100; i++) { // a set of causes has another order each time
            Throwable failure = new CheckpointException("a.pt is a pickle");
            for (int depth = 0; depth < 5; depth++) {
                failure = new CheckpointException("depth " + depth + ": " + failure.getMessage(), failure);
            }
            StringWriter said = new StringWriter();
            assertThat(Failures.report(new RuntimeException("job", failure), new PrintWriter(said)))
                    .isEqualTo(ExitCode.BAD_CONFIGURATION);
            assertThat(said.toString()).startsWith("depth 4: depth 3: ");
        }
    }

    @Test
    void anOverloadedStoreIsATryAgainThoughSparkWrapsIt() {
        AwsServiceException slowDown = AwsServiceException.builder()
                .statusCode(503)
                .message("Slow Down")
                .build();
        Exception failure =
                new RuntimeException("Job aborted", new AWSServiceThrottledException("PUT s3a://bucket/key", slowDown));
        assertThat(Failures.report(failure, new PrintWriter(err))).isEqualTo(ExitCode.TRY_AGAIN);
        assertThat(Failures.report(new IllegalStateException("a fault"), new PrintWriter(err)))
                .isEqualTo(ExitCode.UNEXPECTED);
        assertThat(err.toString()).contains("\tat ");
    }

    @Test
    void aFullDiskIsATryAgainInOneLine(@TempDir(cleanup = CleanupMode.NEVER) Path folder) throws Exception {
        Path config = Files.writeString(
                folder.resolve("run.yaml"),
                """
                input: {root: "builtin:fashion-mnist-sample"}
                model: {checkpoint: "builtin:fashion"}
                inversion: {steps: 1}
                """);
        System.setProperty("spark.hadoop.fs.full.impl", FullDisk.class.getName());
        System.setProperty("spark.hadoop.fs.full.bytes", "3000"); // settings and images fit, embeddings do not
        System.setProperty("spark.master", "local[1]");
        try {
            assertThat(run("run", "--config", config.toString(), "--run", "full://" + folder.resolve("run")))
                    .isEqualTo(ExitCode.TRY_AGAIN.code());
        } finally {
            List.of("spark.hadoop.fs.full.impl", "spark.hadoop.fs.full.bytes", "spark.master")
                    .forEach(System::clearProperty);
        }
        assertThat(err.toString()).contains("No space left on device").doesNotContain("\tat ");
    }

    @Test
    void aFailureIsInTheRunSummaryForWhoeverCannotSeeTheExitCode(@TempDir Path folder) throws Exception {
        Path run = folder.resolve("run");
        assertThat(run(
                        "invert",
                        "--config",
                        folder.resolve("none.yaml").toString(),
                        "--run",
                        run.toString(),
                        "--label",
                        "a"))
                .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        JsonNode summary = new ObjectMapper().readTree(Files.readString(run.resolve("run_summary.json")));
        assertThat(summary.get("exitCode").asInt()).isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertThat(summary.get("label").asText()).isEqualTo("a");
        assertThat(summary.get("failure").asText())
                .contains("none.yaml")
                .isEqualTo(err.toString().strip());
    }

    @Test
    void aRunOnAFolderThatAnotherHoldsIsATryAgainInOneLine(@TempDir Path folder) throws Exception {
        Path config = Files.writeString(
                folder.resolve("run.yaml"),
                """
                input: {root: "builtin:fashion-mnist-sample"}
                model: {checkpoint: "builtin:fashion"}
                """);
        Path run = folder.resolve("run");
        System.setProperty("spark.master", "local[1]");
        try (Lease lease =
                Lease.take(new RunFolder(run.toString(), new Configuration()), Duration.ofSeconds(2), () -> {})) {
            assertThat(run("invert", "--config", config.toString(), "--run", run.toString(), "--max-gpu-hours", "1"))
                    .isEqualTo(ExitCode.TRY_AGAIN.code());
            lease.check();
        } finally {
            System.clearProperty("spark.master");
        }
        assertThat(err.toString().lines())
                .hasSize(1)
                .allMatch(line -> line.contains("another run holds the run folder"));
    }

    @Test
    void aPlanIsATableOfWhatIsToDo(@TempDir Path folder) throws Exception {
        Path config = Files.writeString(
                folder.resolve("run.yaml"),
                """
                input: {root: "builtin:fashion-mnist-sample", limit: 8}
                model: {checkpoint: "builtin:fashion"}
                inversion: {steps: 10}
                """);
        System.setProperty("spark.master", "local[1]");
        try {
            assertThat(run(
                            "plan",
                            "--config",
                            config.toString(),
                            "--run",
                            folder.resolve("run").toString(),
                            "--evaluations-per-second",
                            "100",
                            "--devices",
                            "2",
                            "--price-per-hour",
                            "3"))
                    .isZero();
        } finally {
            System.clearProperty("spark.master");
        }
        assertThat(out.toString())
                .containsPattern("invert +80 +10 +800 +0.002 device")
                .containsPattern("inverted +10 +10 +about [0-9.]+ kB")
                .contains("hours on 2 devices", "at 3.00 an hour");
        assertThat(folder.resolve("run")).doesNotExist();

        assertThat(run("plan", "--config", config.toString(), "--run", "x", "--devices", "0", "--price-per-hour", "-1"))
                .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertThat(err.toString()).contains("--devices: expected", "--price-per-hour: expected");
    }

    @Test
    void gpusThatNoTaskWouldGetAreTwoBeforeSparkStarts(@TempDir Path folder) throws Exception {
        Path config = Files.writeString(
                folder.resolve("run.yaml"),
                "input: {root: \"builtin:fashion-mnist-sample\"}\nmodel: {checkpoint: \"builtin:fashion\"}\n");
        List<String> given = List.of("--config", config.toString(), "--run", folder.toString(), "--gpus");
        for (String verb : List.of("run", "invert", "mix", "generate", "filter", "evaluate", "export")) {
            assertThat(run(Stream.of(List.of(verb), given, List.of("0.5"))
                            .flatMap(List::stream)
                            .toArray(String[]::new)))
                    .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        }
        assertThat(run("demo", "--run", folder.toString(), "--gpus", "all"))
                .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertThat(err.toString().lines().toList())
                .hasSize(8)
                .allMatch(line -> line.startsWith("--gpus: expected auto"));
    }

    @Test
    void theBuiltInModelIsShownWithItsComponents() {
        assertThat(run("model", "show", "builtin:fashion")).isEqualTo(ExitCode.DONE.code());
        assertThat(out.toString())
                .contains("StableDiffusionPipeline", "32 × 32", "4 × 8 × 8", "UNet2DConditionModel, 2.22 M parameters")
                .contains(" from diffusion_pytorch_model.safetensors", " from model.safetensors");
    }

    @Test
    void aCheckpointIsShownAndCompiledWithOverridesAndItsSchedulerIsCheckedAsARunDoes() {
        String set = "--set=model.scheduler={prediction_type: v_prediction}";
        assertThat(run("model", "show", "builtin:fashion", set)).isEqualTo(ExitCode.DONE.code());
        assertThat(run("model", "compile", "builtin:fashion", set)).isEqualTo(ExitCode.DONE.code());
        assertThat(err.toString()).isEmpty();
        for (String verb : List.of("show", "compile")) {
            assertThat(run("model", verb, "builtin:fashion", "--set=model.scheduler={beta_schedule: round}"))
                    .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
            assertThat(run("model", verb, "builtin:fashion", "--set=model.vae=no/such/folder"))
                    .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
            assertThat(run("model", verb, "builtin:fashion", "--set=model.dtype=float16"))
                    .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
            assertThat(run("model", verb, "builtin:fashion/classifier", set))
                    .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        }
        List<String> lines = err.toString().lines().toList();
        assertThat(lines).hasSize(8);
        assertThat(lines.subList(0, 4)).isEqualTo(lines.subList(4, 8));
        assertThat(lines.get(0)).contains("beta_schedule must be linear, scaled_linear or squaredcos_cap_v2");
        assertThat(lines.get(1)).startsWith("with vae = no/such/folder: There is no ");
        assertThat(lines.get(2)).startsWith("model.dtype: unknown key");
        assertThat(lines.get(3)).startsWith("--set: expected a checkpoint, ");
    }

    @Test
    void whatOthersTrainedIsShownCompiledAndVerified(@TempDir Path folder) throws Exception {
        Path checkpoint = GoldenCheckpoints.stableDiffusion15(Files.createDirectory(folder.resolve("checkpoint")));
        Path lora = Golden.folder("lora").resolve("kohya.safetensors").toAbsolutePath();
        Path vectors = new Tensors()
                .put("emb_params", List.of(2L, 32L), new float[64])
                .write(folder.resolve("vectors.safetensors"));
        String loras = "--set=model.loras=[{file: " + lora + ", scale: 0.7}]";
        String embeddings = "--set=model.embeddings=[{file: " + vectors + ", token: <house>}]";
        String reference =
                Golden.folder("lora").resolve("unet-kohya.safetensors").toString();
        for (String verb : List.of("show", "compile")) {
            assertThat(run("model", verb, checkpoint.toString(), loras, embeddings))
                    .isEqualTo(ExitCode.DONE.code());
        }
        assertThat(out.toString())
                .contains("lora           " + lora + ", scale 0.7, 3 layers of text_encoder, 9 layers of unet")
                .contains("token          <house>, 2 vectors, in tokenizer");
        assertThat(run("model", "verify", checkpoint + "/unet", reference, loras))
                .isEqualTo(ExitCode.DONE.code());
        assertThat(run("model", "verify", checkpoint + "/unet", reference)).isEqualTo(ExitCode.UNEXPECTED.code());
        assertThat(err.toString()).isEmpty();
        assertThat(run("model", "verify", "unet", reference, loras)).isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertThat(run("model", "show", checkpoint.toString(), "--set=model.loras=[{file: a.pt}]"))
                .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertThat(err.toString().lines().toList())
                .hasSize(2)
                .satisfiesExactly(
                        line -> assertThat(line).startsWith("--set: expected CHECKPOINT/unet or another component"),
                        line -> assertThat(line).startsWith("with lora = a.pt: expected safetensors, got a pickle"));
    }

    @Test
    void whatIsCorrectedOfAnOldCheckpointIsShown(@TempDir Path folder) throws Exception {
        Path checkpoint = GoldenCheckpoints.stableDiffusion15(Files.createDirectory(folder.resolve("of 2022")));
        GoldenCheckpoints.edit(
                checkpoint.resolve("unet/config.json"), "{\"_diffusers_version\": \"0.6.0\", \"sample_size\": 32}");
        GoldenCheckpoints.edit(checkpoint.resolve("scheduler/scheduler_config.json"), "{\"steps_offset\": 0}");

        assertThat(run("model", "show", checkpoint.toUri().toString())).isEqualTo(ExitCode.DONE.code());
        assertThat(out.toString())
                .contains("512 × 512")
                .contains("unet/config.json: sample_size 32 is taken for 64, as diffusers does where a file is of its"
                        + " version 0.6.0")
                .contains("steps_offset, given as 0, is taken for 1");
        assertThat(run("model", "show", "file:///of 2022")).isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertThat(err.toString()).contains("expected file:///path", "write the path alone");
    }

    @Test
    void tensorsThatTheLibrariesIgnoreAreListed(@TempDir Path folder) throws Exception {
        Path golden = Repository.file("udfs/src/test/resources/golden/clip-text-proj-l");
        Files.copy(golden.resolve("model.safetensors"), folder.resolve("model.safetensors"));
        String config = Files.readString(golden.resolve("config.json"));
        Files.writeString(
                folder.resolve("config.json"), config.replace("CLIPTextModelWithProjection", "CLIPTextModel"));

        assertThat(run("model", "show", folder.toString())).isEqualTo(ExitCode.DONE.code());
        assertThat(out.toString())
                .contains("ClipTextModel, 0.02 M parameters", "of no use, ignored: text_projection.weight\n");
    }

    @Test
    void aCheckpointInOneFileIsShownWithItsNameAndWhatIsOfNoUse(@TempDir Path folder) throws Exception {
        Path file = LdmLayout.ofRandomNumbers().withEma().write(folder.resolve("a model.safetensors"));
        assertThat(run("model", "show", file.toString())).isEqualTo(ExitCode.DONE.code());
        assertThat(out.toString())
                .contains("file           " + file + "\n")
                .contains("Stable Diffusion 1 in one file, the U-Net's weights that are no moving average")
                .contains("of no use, ignored: betas, cond_stage_model.transformer.text_model.embeddings.position_ids,"
                        + " model_ema.decay\n");
        Path pickle = Files.writeString(folder.resolve("model.ckpt"), "a pickle");
        assertThat(run("model", "show", pickle.toString())).isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertThat(err.toString().lines()).singleElement().asString().contains("from_single_file");
    }

    @Test
    void aComponentAloneIsShownCompiledAndVerified() {
        String vision =
                Repository.file("udfs/src/test/resources/golden/clip-vision").toString();
        assertThat(run("model", "show", vision)).isEqualTo(ExitCode.DONE.code());
        assertThat(out.toString()).contains("clip-vision", "ClipVisionModel, 0.03 M parameters as F32");
        assertThat(run("model", "compile", vision)).isEqualTo(ExitCode.DONE.code());
        assertThat(out.toString()).contains("image_encoder");
        assertThat(run("model", "verify", vision, vision + "/golden.safetensors"))
                .isEqualTo(ExitCode.DONE.code());
        assertThat(out.toString()).contains("pre_down", "image_embeds").doesNotContain("OVER");

        assertThat(run("model", "show", "builtin:fashion/classifier")).isEqualTo(ExitCode.DONE.code());
        assertThat(out.toString()).contains("ConvClassifier, 0.26 M parameters");
        assertThat(run("model", "compile", "builtin:fashion/classifier")).isEqualTo(ExitCode.DONE.code());
    }

    @Test
    void verificationIsOneWhereAnOutputIsOverItsBound(@TempDir Path folder) throws Exception {
        Path golden = Repository.file("udfs/src/test/resources/golden/vae-sd15");
        Path reference = golden.resolve("golden.safetensors");
        assertThat(run("model", "verify", golden.toString(), reference.toString()))
                .isEqualTo(ExitCode.DONE.code());
        assertThat(out.toString().lines().toList()).hasSize(4).allMatch(line -> line.startsWith("ok"));

        Path other = Files.createDirectory(folder.resolve("vae"));
        for (String file : List.of("config.json", "diffusion_pytorch_model.safetensors")) {
            Files.copy(golden.resolve(file), other.resolve(file));
        }
        Path weights = other.resolve("diffusion_pytorch_model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length - 1] ^= 1; // the exponent of the last weight
        Files.write(weights, bytes);
        assertThat(run("model", "verify", other.toString(), reference.toString()))
                .isEqualTo(1);
        assertThat(out.toString()).contains("OVER");
    }

    private int run(String... args) {
        return Main.execute(List.of(), new PrintWriter(out, true), new PrintWriter(err, true), args);
    }
}
