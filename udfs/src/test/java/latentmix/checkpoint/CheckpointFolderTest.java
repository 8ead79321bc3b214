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
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

    @Test
    void aFileThatWasHashedBeforeIsNotReadAgainUntilItChanges() throws IOException {
        Path file = Files.writeString(temporary.resolve("weights"), "before");
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(10)));
        FileTime time = Files.getLastModifiedTime(file);
        String hash = Fingerprint.ofFiles(temporary, java.util.List.of(file));
        Files.writeString(file, "behind", StandardOpenOption.WRITE); // same length, same time: the memo answers
        Files.setLastModifiedTime(file, time);
        assertThat(Fingerprint.ofFiles(temporary, java.util.List.of(file))).isEqualTo(hash);
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(5)));
        assertThat(Fingerprint.ofFiles(temporary, java.util.List.of(file))).isNotEqualTo(hash);
    }

    @Test
    void ofATextItIsThePublishedTestVector() {
        assertThat(Fingerprint.ofText("abc"))
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
