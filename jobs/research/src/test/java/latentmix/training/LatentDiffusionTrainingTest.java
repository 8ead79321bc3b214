package latentmix.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.Fingerprint;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.TextEncoder;
import latentmix.training.TrainingLoop.Point;
import latentmix.training.TrainingLoop.Schedule;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LatentDiffusionTrainingTest {
    private static final int SIZE = 16;

    @TempDir
    private Path root;

    private TrainingImages images;

    private static JsonNode json(String text) {
        try {
            return new ObjectMapper().readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static LatentDiffusionTraining.Settings settings(int denoiserSteps) {
        return settings(denoiserSteps, 0, 0);
    }

    private static LatentDiffusionTraining.Settings settings(int denoiserSteps, double shorter, double minSnr) {
        return new LatentDiffusionTraining.Settings(
                7,
                SIZE,
                1,
                json(
                        """
                        {"block_out_channels": [8, 16], "layers_per_block": 1, "norm_num_groups": 4,
                         "latent_channels": 4, "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
                         "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"]}"""),
                1e-4,
                0.5,
                new Schedule(60, 8, 5e-3, 5, 0, 0.9),
                new Schedule(10, 8, 1e-3, 0, 0, 0.9),
                null,
                json(
                        """
                        {"block_out_channels": [16, 16], "layers_per_block": 1, "norm_num_groups": 4,
                         "attention_head_dim": 2, "cross_attention_dim": 16,
                         "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
                         "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"]}"""),
                null,
                json(
                        """
                        {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
                         "max_position_embeddings": 12, "hidden_act": "quick_gelu", "projection_dim": 16}"""),
                json(
                        """
                        {"_class_name": "DDIMScheduler", "num_train_timesteps": 1000, "beta_start": 0.00085,
                         "beta_end": 0.012, "beta_schedule": "scaled_linear",
                         "prediction_type": "epsilon", "clip_sample": false,
                         "set_alpha_to_one": false, "steps_offset": 1, "timestep_spacing": "leading"}"""),
                new Schedule(denoiserSteps, 8, 2e-3, 5, 0.01, 0.9),
                0.1,
                shorter,
                minSnr);
    }

    /** Two classes: light upper halves and light left halves, each image of its own brightness. */
    @BeforeEach
    void drawImages() throws IOException {
        for (int i = 0; i < 24; i++) {
            Path folder = Files.createDirectories(root.resolve(i % 2 == 0 ? "up" : "left"));
            byte[] rgb = new byte[3 * SIZE * SIZE];
            for (int at = 0; at < rgb.length; at++) {
                int x = at / 3 % SIZE;
                int y = at / 3 / SIZE;
                rgb[at] = (byte) ((i % 2 == 0 ? y : x) < SIZE / 2 ? 130 + 5 * i : 0);
            }
            Files.write(folder.resolve(i + ".png"), PngEncoder.encode(new Pixels(SIZE, SIZE, rgb)));
        }
        images = TrainingImages.read(
                List.of(
                        new TrainingImages.Source(root.resolve("up"), "a light top"),
                        new TrainingImages.Source(root.resolve("left"), "a light left")),
                SIZE);
    }

    /** The same images by a manifest, the light tops of even places alone to be mirrored. */
    private TrainingManifest manifest() throws IOException {
        StringBuilder rows = new StringBuilder("path,name,tone,mirrored\n");
        for (int i = 0; i < 24; i++) {
            String name = i % 2 == 0 ? "up" : "left";
            rows.append(name)
                    .append('/')
                    .append(i)
                    .append(".png,\"light, ")
                    .append(name)
                    .append("\",")
                    .append(i < 12 ? "dark" : "bright")
                    .append(',')
                    .append(i % 2 == 0)
                    .append('\n');
        }
        return TrainingManifest.read(Files.writeString(root.resolve("manifest.csv"), rows));
    }

    private static TrainingManifest.Choice choice(Map<String, List<String>> where) {
        return new TrainingManifest.Choice(List.of("a {tone} {name}", "a {name}", "{tone}"), where, "mirrored");
    }

    private Map<String, List<Point>> train(LatentDiffusionTraining.Settings settings, Path folder) throws IOException {
        return new LatentDiffusionTraining(settings, images, folder, (stage, point, steps) -> {}).run();
    }

    private static double loss(List<Point> points, int at) {
        return points.get(at).terms().get(0);
    }

    @Test
    void writesACheckpointWhoseLossFell(@TempDir Path folder) throws IOException {
        Map<String, List<Point>> curves = train(settings(120), folder);
        assertThat(curves.keySet()).containsExactly("autoencoder", "decoder", "denoiser");
        List<Point> autoencoder = curves.get("autoencoder");
        assertThat(loss(curves.get("decoder"), 0)).isLessThan(0.6 * loss(autoencoder, 0));
        List<Point> denoiser = curves.get("denoiser");
        assertThat(loss(denoiser, denoiser.size() - 1)).isLessThan(0.8 * loss(denoiser, 0));

        CheckpointFolder checkpoint = CheckpointFolder.open(folder.resolve("model"));
        Models.check(checkpoint);
        assertThat(Models.latentShape(checkpoint)).isEqualTo(new latentmix.latent.Shape(4, 8, 8));
        try (TextEncoder text = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            assertThat(text.encode("a light top").values())
                    .isNotEqualTo(text.encode("a light left").values());
        }
    }

    @Test
    void aTrainingThatWasStoppedEndsInTheSameBytes(@TempDir Path whole, @TempDir Path stopped) throws IOException {
        train(settings(60), whole);
        LatentDiffusionTraining interrupted =
                new LatentDiffusionTraining(settings(60), images, stopped, (stage, point, steps) -> {
                    if (stage.equals("denoiser")) {
                        throw new IllegalStateException("stopped");
                    }
                });
        assertThatThrownBy(interrupted::run).hasMessage("stopped");
        train(settings(60), stopped);
        for (String file : List.of(
                "vae/config.json",
                "vae/diffusion_pytorch_model.safetensors",
                "unet/diffusion_pytorch_model.safetensors",
                "text_encoder/model.safetensors",
                "tokenizer/vocab.json")) {
            assertThat(Fingerprint.ofFile(stopped.resolve("model").resolve(file)))
                    .as(file)
                    .isEqualTo(Fingerprint.ofFile(whole.resolve("model").resolve(file)));
        }
    }

    @Test
    void anAutoencoderIsTakenFromAnotherTraining(@TempDir Path first, @TempDir Path second) throws IOException {
        train(settings(1), first);
        LatentDiffusionTraining.Settings own = settings(1);
        LatentDiffusionTraining.Settings taken = new LatentDiffusionTraining.Settings(
                own.seed(),
                own.size(),
                own.threads(),
                own.autoencoder(),
                own.kl(),
                own.edges(),
                own.joint(),
                own.decoder(),
                first.resolve("model"),
                own.unet(),
                null,
                own.textEncoder(),
                own.scheduler(),
                own.denoiser(),
                own.promptDropout(),
                0,
                0);
        assertThat(train(taken, second).keySet()).containsExactly("denoiser");
        assertThat(Fingerprint.ofFile(second.resolve("model/vae/diffusion_pytorch_model.safetensors")))
                .isEqualTo(Fingerprint.ofFile(first.resolve("model/vae/diffusion_pytorch_model.safetensors")));
        assertThat(Fingerprint.ofFile(second.resolve("model/unet/diffusion_pytorch_model.safetensors")))
                .isEqualTo(Fingerprint.ofFile(first.resolve("model/unet/diffusion_pytorch_model.safetensors")));
    }

    @Test
    void aManifestsRowsAreToldByTheirColumns() throws IOException {
        TrainingImages all = manifest().images(choice(Map.of()), SIZE);
        assertThat(all.pixels()).hasSize(24);
        assertThat(all.prompts())
                .containsExactlyInAnyOrder(
                        "a dark light, up",
                        "a dark light, left",
                        "a bright light, up",
                        "a bright light, left",
                        "a light, up",
                        "a light, left",
                        "dark",
                        "bright");
        assertThat(all.prompts().get(all.prompt().get(13))).isEqualTo("a bright light, left");
        assertThat(all.shorter().get(13).stream().map(all.prompts()::get)).containsExactly("a light, left", "bright");
        assertThat(all.mirrored().subList(0, 2)).containsExactly(true, false);
        TrainingImages some = manifest().images(choice(Map.of("tone", List.of("dark"))), SIZE);
        assertThat(some.pixels()).hasSize(12);
        assertThat(some.fingerprint()).isNotEqualTo(all.fingerprint());
    }

    @Test
    void aManifestWithoutTheNamedColumnOrTextIsRefused() throws IOException {
        TrainingManifest manifest = manifest();
        assertThatThrownBy(() -> manifest.images(choice(Map.of("shade", List.of("dark"))), SIZE))
                .hasMessageContaining("one of path, name, tone, mirrored, got shade");
        assertThatThrownBy(() -> manifest.images(choice(Map.of("tone", List.of("dim"))), SIZE))
                .hasMessageContaining("such as dark, bright, got dim");
        assertThatThrownBy(
                        () -> manifest.images(new TrainingManifest.Choice(List.of("a {shape}"), Map.of(), null), SIZE))
                .hasMessageContaining("prompt.rows: expected a column of")
                .hasMessageContaining("got shape");
    }

    @Test
    void aTrainingOnAManifestThatWasStoppedEndsInTheSameBytes(@TempDir Path whole, @TempDir Path stopped)
            throws IOException {
        TrainingImages all = manifest().images(choice(Map.of()), SIZE);
        TrainingImages shown = manifest().images(choice(Map.of("tone", List.of("dark"))), SIZE);
        LatentDiffusionTraining.Settings settings = settings(60, 0.4, 5);
        new LatentDiffusionTraining(settings, all, shown, whole, (stage, point, steps) -> {}).run();
        LatentDiffusionTraining interrupted =
                new LatentDiffusionTraining(settings, all, shown, stopped, (stage, point, steps) -> {
                    if (stage.equals("denoiser")) {
                        throw new IllegalStateException("stopped");
                    }
                });
        assertThatThrownBy(interrupted::run).hasMessage("stopped");
        new LatentDiffusionTraining(settings, all, shown, stopped, (stage, point, steps) -> {}).run();
        String unet = "model/unet/diffusion_pytorch_model.safetensors";
        assertThat(Fingerprint.ofFile(stopped.resolve(unet))).isEqualTo(Fingerprint.ofFile(whole.resolve(unet)));
        for (LatentDiffusionTraining.Settings other : List.of(settings(60, 0.4, 0), settings(60, 0, 5))) {
            new LatentDiffusionTraining(other, all, shown, stopped, (stage, point, steps) -> {}).run();
            assertThat(Fingerprint.ofFile(stopped.resolve(unet))).isNotEqualTo(Fingerprint.ofFile(whole.resolve(unet)));
        }
    }

    @Test
    void theWeightsSoFarAreACheckpointThatRuns(@TempDir Path folder) throws IOException {
        List<String> seen = new ArrayList<>();
        new LatentDiffusionTraining(settings(600), images, folder, (stage, point, steps) -> {
                    if (stage.equals("denoiser") && point.step() == 550) {
                        Models.check(CheckpointFolder.open(folder.resolve("model")));
                        seen.add(stage);
                    }
                })
                .run();
        assertThat(seen).containsExactly("denoiser");
    }

    @Test
    void fewerImagesThanABatchAreRefused(@TempDir Path folder) {
        TrainingImages few = new TrainingImages(
                images.pixels().subList(0, 7), images.prompts(), images.prompt().subList(0, 7), "few");
        assertThatThrownBy(
                        () -> new LatentDiffusionTraining(settings(1), few, folder, (stage, point, steps) -> {}).run())
                .hasMessageContaining("expected at least a batch of 8 images to train on, got 7");
    }
}
