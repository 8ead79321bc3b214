package latentmix.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import latentmix.GoldenCheckpoints;
import latentmix.model.Models;
import org.apache.commons.lang3.SerializationUtils;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Overrides of a checkpoint's parts, on small checkpoints that the library's own code wrote. */
class CheckpointSpecTest {
    private static final String UNET = "unet/diffusion_pytorch_model";
    private static final Configuration CONF = new Configuration();

    @TempDir
    Path folder;

    private Path checkpoint;
    private CheckpointSpec published;

    @BeforeEach
    void aCheckpoint() throws IOException {
        checkpoint = GoldenCheckpoints.stableDiffusion15(Files.createDirectory(folder.resolve("checkpoint")));
        published = CheckpointSpec.of(checkpoint.toString());
    }

    private static ObjectNode json(String text) throws IOException {
        return (ObjectNode) new ObjectMapper().readTree(text);
    }

    private static List<String> files(Path below) throws IOException {
        try (Stream<Path> files = Files.list(below)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void withoutOverridesTheCheckpointIsItself() {
        CheckpointFolder opened = published.open(CONF);
        assertThat(opened.path()).isEqualTo(checkpoint);
        assertThat(published.isAsPublished()).isTrue();
        assertThat(published).hasToString(checkpoint.toString());
    }

    @Test
    void aSchedulersValuesTakeThePlaceOfTheFilesOwn() throws IOException {
        Path file = checkpoint.resolve("scheduler/scheduler_config.json");
        String before = Files.readString(file);
        CheckpointFolder opened = published
                .withScheduler(json("{\"prediction_type\": \"v_prediction\", \"trained_betas\": null}"))
                .open(CONF);
        ObjectNode expected = json(before);
        expected.put("prediction_type", "v_prediction").putNull("trained_betas");
        assertThat(opened.schedulerConfig()).isEqualTo(expected);
        assertThat(Files.readString(file)).isEqualTo(before);
        assertThat(opened.fingerprint())
                .isNotEqualTo(CheckpointFolder.open(checkpoint).fingerprint());
        Models.check(opened);
    }

    @Test
    void anotherAutoencoderIsAsIfItLayInTheCheckpoint() throws IOException {
        Path other = GoldenCheckpoints.stableDiffusion15(Files.createDirectory(folder.resolve("other")));
        GoldenCheckpoints.edit(other.resolve("vae/config.json"), "{\"scaling_factor\": 0.5}");
        Path byHand = GoldenCheckpoints.stableDiffusion15(Files.createDirectory(folder.resolve("by hand")));
        Files.copy(
                other.resolve("vae/config.json"),
                byHand.resolve("vae/config.json"),
                StandardCopyOption.REPLACE_EXISTING);
        String expected = CheckpointFolder.open(byHand).fingerprint();

        for (Path vae : List.of(other, other.resolve("vae"))) {
            CheckpointFolder opened = published.withVae(vae.toString()).open(CONF);
            assertThat(opened.config("vae").get("scaling_factor").asDouble()).isEqualTo(0.5);
            assertThat(opened.fingerprint()).as("the same files").isEqualTo(expected);
        }
        Files.delete(checkpoint.resolve("vae/diffusion_pytorch_model.safetensors"));
        assertThat(published.withVae(other.toString()).open(CONF).fingerprint())
                .as("the checkpoint's own need not be there")
                .isEqualTo(expected);
    }

    @Test
    void aVariantIsReadWhereThereIsOneAndItsFilesAloneCount() throws IOException {
        for (String variant : List.of("fp16", "non_ema")) {
            Files.copy(
                    checkpoint.resolve(UNET + ".safetensors"),
                    checkpoint.resolve(UNET + "." + variant + ".safetensors"));
        }
        CheckpointFolder opened = published.withVariant("non_ema").open(CONF);
        assertThat(files(opened.component("unet")))
                .containsExactly("config.json", "diffusion_pytorch_model.non_ema.safetensors");
        assertThat(files(opened.component("vae"))).contains("diffusion_pytorch_model.safetensors");
        Models.check(opened);
        assertThatThrownBy(() -> published.withVariant("bf16").open(CONF))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("with variant = bf16: no component of " + checkpoint + " has weights")
                .hasMessageNotContaining("\n");
    }

    @Test
    void shardsOfAVariantGoWithTheirIndex() throws IOException {
        Path unet = checkpoint.resolve("unet");
        Path shard = unet.resolve("diffusion_pytorch_model-00001-of-00001.fp16.safetensors");
        Files.copy(checkpoint.resolve(UNET + ".safetensors"), shard);
        ObjectNode index = json("{}");
        ObjectNode map = index.putObject("weight_map");
        try (Safetensors file = Safetensors.open(shard)) {
            file.tensors()
                    .keySet()
                    .forEach(name -> map.put(name, shard.getFileName().toString()));
        }
        String name = "diffusion_pytorch_model.safetensors.index.fp16.json";
        Files.writeString(unet.resolve(name), index.toString());
        Files.writeString(
                unet.resolve("diffusion_pytorch_model.safetensors.index.json"), "{\"weight_map\": {\"a\": \"gone\"}}");

        CheckpointFolder opened = published.withVariant("fp16").open(CONF);
        assertThat(files(opened.component("unet")))
                .containsExactly("config.json", shard.getFileName().toString(), name);
        Models.check(opened);
    }

    @ParameterizedTest
    @CsvSource({
        "stabilityai/sdxl-turbo, true",
        "/models/dreamshaper_xl_lightning.safetensors, true",
        "SimianLuo/LCM_Dreamshaper_v7, true",
        "ByteDance/Hyper-SD, true",
        "/models/turbochargers-xl, false",
        "/turbo/models/stable-diffusion-xl-base-1.0, false",
        "someone/hyper-sdetailed, false"
    })
    void aDistilledCheckpointOrLoraIsKnownByItsName(String location, boolean isDistilled) {
        assertThat(CheckpointSpec.of(location).distilled().isPresent()).isEqualTo(isDistilled);
        assertThat(CheckpointSpec.of("org/base")
                        .withLoras(List.of(new Lora(location, 1)))
                        .distilled()
                        .isPresent())
                .isEqualTo(isDistilled);
    }

    @Test
    void stableDiffusion3RunsWithoutT5WhoseFilesNeedNotBeThere() throws IOException {
        Path sd3 = GoldenCheckpoints.stableDiffusion3(Files.createDirectory(folder.resolve("sd3")));
        CheckpointSpec whole = CheckpointSpec.of(sd3.toString());
        assertThat(whole.open(CONF).hasT5()).isTrue();
        CheckpointFolder without = whole.withoutT5().open(CONF);
        assertThat(without.hasT5()).isFalse();
        Models.check(without);
        Caches.deleteTree(sd3.resolve("text_encoder_3"));
        Caches.deleteTree(sd3.resolve("tokenizer_3"));
        assertThat(whole.withoutT5().open(CONF).fingerprint()).isEqualTo(without.fingerprint());
        assertThatThrownBy(() -> whole.open(CONF)).hasMessageContaining("set model.text_encoder_3: null");
        assertThatThrownBy(() -> published.withoutT5().open(CONF))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("not of the StableDiffusionPipeline");
    }

    @Test
    void anAutoencoderThatIsNoneIsRefusedByName() {
        for (String vae : List.of(folder.resolve("nowhere").toString(), checkpoint + "/tokenizer")) {
            assertThatThrownBy(() -> published.withVae(vae).open(CONF))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageStartingWith("with vae = " + vae + ": ")
                    .hasMessageNotContaining("\n");
        }
    }

    @Test
    void aDamagedViewIsMadeAnew() throws IOException {
        CheckpointSpec spec = published.withScheduler(json("{\"prediction_type\": \"sample\"}"));
        CheckpointFolder opened = spec.open(CONF);
        String fingerprint = opened.fingerprint();
        Files.writeString(opened.path().resolve("scheduler/scheduler_config.json"), "{}");
        Files.delete(opened.path().resolve(UNET + ".safetensors"));
        CheckpointFolder again = spec.open(CONF);
        assertThat(again.path()).isEqualTo(opened.path());
        assertThat(again.fingerprint()).isEqualTo(fingerprint);
    }

    @Test
    void itTravelsToExecutors() throws IOException {
        CheckpointSpec spec = published
                .withScheduler(json("{\"steps_offset\": 1}"))
                .withVae("other")
                .withVariant("fp16")
                .withoutT5();
        assertThat(SerializationUtils.roundtrip(spec)).isEqualTo(spec);
        assertThat(spec)
                .hasToString(checkpoint + " with scheduler {\"steps_offset\":1}, vae other, variant fp16,"
                        + " no text_encoder_3, tokenizer_3");
    }
}
