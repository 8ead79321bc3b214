package latentmix.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import latentmix.GoldenCheckpoints;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointFolderTest {
    @TempDir
    Path temporary;

    private Path copy(String name) {
        Path source = BuiltIn.FASHION.folder();
        Path target = temporary.resolve(name);
        try (Stream<Path> files = Files.walk(source)) {
            files.forEach(file -> {
                try {
                    Files.copy(file, target.resolve(source.relativize(file).toString()));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return target;
    }

    @Test
    void theBuiltInCheckpointHasItsComponentsAndConfigs() {
        CheckpointFolder folder = CheckpointFolder.open(BuiltIn.FASHION.folder());
        assertThat(folder.pipeline()).isEqualTo("StableDiffusionPipeline");
        assertThat(folder.components()).containsExactly("scheduler", "text_encoder", "tokenizer", "unet", "vae");
        assertThat(folder.config("unet").get("sample_size").asInt()).isEqualTo(8);
        assertThat(folder.schedulerConfig().get("prediction_type").asText()).isEqualTo("epsilon");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            model_index.json                                 | There is no file
            unet/config.json                                 | There is no file
            unet                                             | names the component unet, but there is no folder
            vae/diffusion_pytorch_model.safetensors          | has neither
            text_encoder/model.safetensors                   | has neither
            scheduler/scheduler_config.json                  | There is no file
            """)
    void whatIsMissingIsNamed(String missing, String message) throws IOException {
        Path folder = copy("model");
        try (Stream<Path> files = Files.walk(folder.resolve(missing))) {
            for (Path file : (Iterable<Path>) files.sorted(Comparator.reverseOrder())::iterator) {
                Files.delete(file);
            }
        }
        assertThatThrownBy(() -> CheckpointFolder.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(message)
                .hasMessageContaining(folder.toString());
    }

    @Test
    void anInfinityIsReadAsPythonWritesIt() throws IOException {
        Path folder = copy("model");
        Files.writeString(folder.resolve("scheduler/scheduler_config.json"), "{\"lambda_min_clipped\": -Infinity}");
        assertThat(CheckpointFolder.open(folder)
                        .schedulerConfig()
                        .get("lambda_min_clipped")
                        .doubleValue())
                .isEqualTo(Double.NEGATIVE_INFINITY);
    }

    /**
     * What StableDiffusionPipeline of diffusers 0.42.1 has in its config after its {@code __init__}, for these configs
     * of a scheduler.
     */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            "_class_name": "DDIMScheduler"                                              | 1 | false | 2
            "_class_name": "DDIMScheduler", "steps_offset": 2, "clip_sample": true      | 1 | false | 2
            "_class_name": "DDIMScheduler", "steps_offset": null, "clip_sample": null   | 1 | false | 2
            "_class_name": "DDIMScheduler", "steps_offset": 1, "clip_sample": false     | 1 | false | 0
            "_class_name": "DDPMScheduler", "steps_offset": 1                           | 1 | false | 1
            "_class_name": "PNDMScheduler"                                              | 1 |       | 1
            "_class_name": "PNDMScheduler", "steps_offset": 2, "clip_sample": true      | 1 | false | 2
            "_class_name": "EulerDiscreteScheduler", "steps_offset": 0                  | 1 |       | 1
            "_class_name": "LCMScheduler", "steps_offset": 1                            | 1 |       | 0
            "steps_offset": 1                                                           | 1 | false | 1
            """)
    void anOldSchedulersConfigIsCorrectedAsThePipelineDoesAndSaid(
            String config, int offset, Boolean clips, int corrections) throws IOException {
        Path folder = copy("model");
        Files.writeString(folder.resolve("scheduler/scheduler_config.json"), "{" + config + "}");
        String fingerprint = CheckpointFolder.open(folder).fingerprint();
        CheckpointFolder opened = CheckpointFolder.open(folder);
        assertThat(opened.schedulerConfig().get("steps_offset").asInt()).isEqualTo(offset);
        assertThat(opened.schedulerConfig().path("clip_sample").asText()).isEqualTo(clips == null ? "" : "" + clips);
        assertThat(opened.corrections())
                .hasSize(corrections)
                .allMatch(
                        line -> line.matches(
                                "scheduler/scheduler_config.json: (steps_offset|clip_sample), .*, is taken for (1|false), as .*"));
        assertThat(opened.fingerprint()).as("that of the files as they are").isEqualTo(fingerprint);
    }

    @ParameterizedTest
    @CsvSource({
        "0.6.0, 32, 64",
        "0.8.1, 63, 64",
        "0.9.0.dev0, 32, 32",
        "0.9.0, 32, 32",
        "0.10.2, 32, 32",
        "0.6.0, 96, 96",
        "0.0.4, 8, 64"
    })
    void aSmallSampleSizeOfAnEarlyVersionIsCorrectedAsThePipelineDoesAndSaid(String version, int side, int corrected)
            throws IOException {
        Path folder = copy("model");
        Path config = folder.resolve("unet/config.json");
        GoldenCheckpoints.edit(config, "{\"_diffusers_version\": \"" + version + "\", \"sample_size\": " + side + "}");
        CheckpointFolder opened = CheckpointFolder.open(folder);
        assertThat(opened.config("unet").get("sample_size").asInt()).isEqualTo(corrected);
        assertThat(opened.corrections()).hasSize(side == corrected ? 0 : 1).allMatch(line -> line.contains(version));
        GoldenCheckpoints.edit(
                folder.resolve("model_index.json"), "{\"_class_name\": \"LatentConsistencyModelPipeline\"}");
        assertThat(CheckpointFolder.open(folder).corrections()).isEmpty();
    }

    @Test
    void aClassThatAConfigDoesNotNameIsThatOfTheIndex() throws IOException {
        Path folder = copy("model");
        for (String component : List.of("unet", "text_encoder")) {
            Path config = folder.resolve(component + "/config.json");
            Files.writeString(
                    config, Files.readString(config).replaceAll("\"(_class_name|architectures)\"", "\"_written_by\""));
        }
        Files.writeString(folder.resolve("scheduler/scheduler_config.json"), "{\"steps_offset\": 1}");
        GoldenCheckpoints.edit(
                folder.resolve("model_index.json"),
                "{\"_class_name\": null, \"scheduler\": [\"diffusers\", \"PNDMScheduler\"]}");
        CheckpointFolder opened = CheckpointFolder.open(folder);
        assertThat(opened.pipeline()).isEqualTo("StableDiffusionPipeline");
        assertThat(opened.config("unet").get("_class_name").asText()).isEqualTo("UNet2DConditionModel");
        assertThat(opened.config("text_encoder").get("architectures").get(0).asText())
                .isEqualTo("CLIPTextModel");
        assertThat(opened.schedulerConfig().get("_class_name").asText()).isEqualTo("PNDMScheduler");
        assertThat(opened.corrections()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            sd-v1-5.ckpt            | which can run code and is never opened; convert it where you trust it
            pytorch_model.bin       | which can run code and is never opened; convert it where you trust it
            unet-Q4_K_M.gguf        | quantised weights are not supported
            model_index.json        | name its folder
            """)
    void aFileInTheFoldersPlaceIsNamedForWhatItIs(String name, String message) throws IOException {
        Path file = Files.write(temporary.resolve(name), new byte[] {1});
        assertThatThrownBy(() -> CheckpointFolder.open(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(message)
                .hasMessageNotContaining("There is no checkpoint folder");
    }

    /** What a clone without LFS, a refused download and a moved cache leave in a file's place. */
    @Test
    void whatStandsInAConfigsPlaceIsNamedWithTheRemedy() throws IOException {
        Path folder = copy("model");
        Path config = folder.resolve("unet/config.json");
        Files.writeString(config, "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 900\n");
        assertThatThrownBy(() -> CheckpointFolder.open(folder))
                .hasMessageContaining(config + " is a pointer of Git LFS and not the file itself; run git lfs pull");
        Files.writeString(config, "<!doctype html><html lang=\"en\">Sign in</html>");
        assertThatThrownBy(() -> CheckpointFolder.open(folder)).hasMessageContaining(config + " is an HTML page");
        Files.delete(config);
        Files.createSymbolicLink(config, Path.of("../../blobs/4d7a"));
        assertThatThrownBy(() -> CheckpointFolder.open(folder))
                .hasMessageContaining(config + " is a link to ../../blobs/4d7a, which is not there");
        Path link = Files.createSymbolicLink(temporary.resolve("link"), temporary.resolve("gone"));
        assertThatThrownBy(() -> CheckpointFolder.open(link))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(link + " is a link to " + temporary.resolve("gone"));
    }

    @Test
    void anIndexWithoutAComponentIsRefused() throws IOException {
        Path folder = copy("model");
        Files.writeString(folder.resolve("model_index.json"), "{\"_class_name\": \"P\", \"unet\": [null, null]}");
        assertThatThrownBy(() -> CheckpointFolder.open(folder)).hasMessageContaining("should name the component");
    }

    @Test
    void theFingerprintIsThatOfTheContentWhereverItLies() throws IOException {
        Path one = copy("one");
        Path two = copy("two");
        String fingerprint = CheckpointFolder.open(one).fingerprint();
        assertThat(fingerprint).matches("[0-9a-f]{64}");
        assertThat(CheckpointFolder.open(two).fingerprint()).isEqualTo(fingerprint);
        Files.writeString(two.resolve("README.md"), "no part of the model");
        assertThat(CheckpointFolder.open(two).fingerprint()).isEqualTo(fingerprint);
        for (String file :
                new String[] {"unet/diffusion_pytorch_model.safetensors", "tokenizer/vocab.json", "tokenizer/merges.txt"
                }) {
            byte[] bytes = Files.readAllBytes(two.resolve(file));
            int at = bytes.length - 1;
            bytes[at] ^= 1;
            Files.write(two.resolve(file), bytes);
            String changed = CheckpointFolder.open(two).fingerprint();
            assertThat(changed).isNotEqualTo(fingerprint);
            fingerprint = changed;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1 << 16, (1 << 16) - 1})
    void aLargeFileThatWasHashedBeforeIsNotReadAgainUntilItChanges(int length) throws IOException {
        Path file = Files.write(temporary.resolve("weights"), new byte[length]);
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(10)));
        FileTime time = Files.getLastModifiedTime(file);
        String hash = Fingerprint.ofFiles(temporary, List.of(file));
        byte[] changed = new byte[length];
        changed[0] = 1;
        Files.write(file, changed, StandardOpenOption.WRITE); // same length, same time
        Files.setLastModifiedTime(file, time);
        boolean kept = Fingerprint.ofFiles(temporary, List.of(file)).equals(hash);
        assertThat(kept).as("only a large file's hash is kept").isEqualTo(length >= 1 << 16);
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(5)));
        assertThat(Fingerprint.ofFiles(temporary, List.of(file))).isNotEqualTo(hash);
    }

    @Test
    void ofATextItIsThePublishedTestVector() {
        assertThat(Fingerprint.ofText("abc"))
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
