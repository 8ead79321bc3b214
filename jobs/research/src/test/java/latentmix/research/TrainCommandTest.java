package latentmix.research;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.model.Models;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** A training on a manifest from images to a packed checkpoint; the tests share its run folder. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TrainCommandTest {
    private static final int SIZE = 16;
    private static final String CONFIG =
            """
            input: {root: %1$s/manifest.csv, where: {split: train}, mirrored: mirrored, label: class}
            prompt: {rows: ["a {tone} {class}", "a {class}"], shorter: 0.5}
            report: {held_out: %1$s/manifest.csv, where: {split: test}, prompt: "a {class}", guidance: [1, 2]}
            model: {size: 16}
            autoencoder:
              config: {block_out_channels: [8, 16], layers_per_block: 1, norm_num_groups: 4, latent_channels: 4,
                       down_block_types: [DownEncoderBlock2D, DownEncoderBlock2D],
                       up_block_types: [UpDecoderBlock2D, UpDecoderBlock2D]}
              joint: {steps: 60, batch: 8, learning_rate: 5.0e-3, warmup: 5, ema: 0.9}
              decoder: {steps: 10, batch: 8, learning_rate: 1.0e-3, warmup: 0, ema: 0.9}
            denoiser:
              where: {class: [left, up]}
              unet: {block_out_channels: [16, 16], layers_per_block: 1, norm_num_groups: 4, attention_head_dim: 2,
                     cross_attention_dim: 16, down_block_types: [DownBlock2D, CrossAttnDownBlock2D],
                     up_block_types: [CrossAttnUpBlock2D, UpBlock2D]}
              text_encoder: {hidden_size: 16, intermediate_size: 32, num_hidden_layers: 1, num_attention_heads: 2,
                             max_position_embeddings: 12, hidden_act: quick_gelu, projection_dim: 16}
              scheduler: {_class_name: DDIMScheduler, num_train_timesteps: 1000, beta_start: 0.00085, beta_end: 0.012,
                          beta_schedule: scaled_linear, prediction_type: epsilon, clip_sample: false,
                          set_alpha_to_one: false, steps_offset: 1, timestep_spacing: leading}
              training: {steps: 20, batch: 8, learning_rate: 2.0e-3, warmup: 5, ema: 0.9}
            classifier:
              config: {block_out_channels: [8, 16], strides: 2, feature_dim: 8, normalization: group_norm}
              training: {steps: 60, batch: 8, learning_rate: 5.0e-3, warmup: 5, ema: 0.9}
            """;

    @TempDir
    private static Path folder;

    private static Path config;
    private static Path run;

    /** Light upper and left halves, each of its own tone, and noise, which the U-Net does not see. */
    @BeforeAll
    static void draw() throws IOException {
        StringBuilder rows = new StringBuilder("path,class,tone,split,mirrored\n");
        for (int i = 0; i < 48; i++) {
            String name = List.of("up", "left", "other").get(i % 3);
            byte[] rgb = new byte[3 * SIZE * SIZE];
            for (int at = 0; at < rgb.length; at++) {
                int x = at / 3 % SIZE;
                int y = at / 3 / SIZE;
                boolean light = name.equals("up") ? y < SIZE / 2 : name.equals("left") ? x < SIZE / 2 : x == y;
                rgb[at] = (byte) (light ? 130 + 2 * i + at % 3 : 0);
            }
            Files.write(folder.resolve(i + ".png"), PngEncoder.encode(new Pixels(SIZE, SIZE, rgb)));
            rows.append(i + ".png," + name + "," + (i < 24 ? "dark" : "bright") + "," + (i % 4 == 0 ? "test" : "train")
                    + "," + name.equals("up") + "\n");
        }
        Files.writeString(folder.resolve("manifest.csv"), rows);
        config = Files.writeString(folder.resolve("train.yaml"), CONFIG.formatted(folder));
        run = folder.resolve("run");
    }

    private static String train(int expected, String... arguments) {
        StringWriter out = new StringWriter();
        List<String> line = new ArrayList<>(List.of("train", "--config", config.toString(), "--run", run.toString()));
        line.addAll(Arrays.asList(arguments));
        PrintWriter writer = new PrintWriter(out, true);
        int code = latentmix.cli.Main.execute(Main.verbs(), writer, writer, line.toArray(String[]::new));
        assertThat(code).as(out.toString()).isEqualTo(expected);
        return out.toString();
    }

    /** The column images of the scores. */
    private static List<String> measured() throws IOException {
        return Files.readAllLines(run.resolve("scores.csv")).stream()
                .skip(1)
                .map(line -> line.split(",", -1)[1])
                .toList();
    }

    private static List<String> states() throws IOException {
        try (Stream<Path> files = Files.list(run.resolve("state"))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    @Order(1)
    void aManifestIsTrainedOnJudgedByItsOwnClassifierAndReported() throws IOException {
        assertThat(train(0))
                .contains("36 images of", "the U-Net sees 24 of them", "the classifier sees 24 images of 2 classes")
                .contains("left: ", " of 4 held-out images", " of 8");
        assertThat(measured())
                .containsExactly("held out", "reconstructions", "samples at guidance 1", "samples at guidance 2");
        assertThat(Files.readString(run.resolve("report.html")))
                .contains("samples at guidance 2: trained", "the 4\nheld-out images", "Loss of the classifier");
        assertThat(states().stream().filter(name -> name.endsWith(".safetensors")))
                .hasSize(4);
    }

    @Test
    @Order(2)
    void theReportIsMadeAnewAloneOrWithATrainingThatIsDone() throws IOException {
        List<String> states = states();
        assertThat(train(0, "--only", "report", "--set", "report.guidance=3")).doesNotContain("the U-Net sees");
        assertThat(measured()).containsExactly("held out", "reconstructions", "samples at guidance 3");
        assertThat(Files.readString(run.resolve("report.html"))).contains("Loss of the denoiser");
        train(0, "--set", "report.guidance=1.5", "--set", "report.classifier=" + run.resolve("model/classifier"));
        assertThat(measured()).containsExactly("held out", "reconstructions", "samples at guidance 1.5");
        assertThat(states()).isEqualTo(states); // the report is in no state's name
    }

    @Test
    @Order(3)
    void theCheckpointIsPackedWithItsClassifierAndChecksums() throws IOException {
        Path packed = folder.resolve("packed");
        train(0, "--only", "classifier", "--pack", packed.toString());
        Models.check(CheckpointFolder.open(packed));
        assertThat(Files.readAllLines(packed.resolve("SHA256SUMS")))
                .hasSize(14)
                .anyMatch(line -> line.endsWith("  classifier/model.safetensors"))
                .anyMatch(line -> line.endsWith("  unet/diffusion_pytorch_model.safetensors"));
    }

    @Test
    @Order(4)
    void aCheckpointWithoutAUNetIsMeasuredByItsReconstructions() throws IOException {
        Files.move(run.resolve("model/unet"), folder.resolve("unet"));
        train(0, "--only", "report");
        assertThat(measured()).containsExactly("held out", "reconstructions");
    }

    @Test
    void whatTheReportOfAManifestNeedsIsAskedFor() {
        assertThat(train(2, "--set", "input.label=null"))
                .contains("input.label: expected a column for the report and the classifier");
        assertThat(train(2, "--set", "report.prompt=a picture"))
                .contains("report.prompt: expected a text with {class}, the column of input.label, got a picture");
        assertThat(train(2, "--set", "report.where={split: other}", "--only", "report"))
                .contains("such as test, train, got other");
        assertThat(train(2, "--set", "report.classifier=builtin:fashion/classifier", "--only", "report"))
                .contains("report.classifier: expected a classifier of the 2 classes of the held-out images, got one of"
                        + " 10");
        assertThat(train(2, "--only", "unet")).contains("expected classifier or report, got unet");
    }
}
