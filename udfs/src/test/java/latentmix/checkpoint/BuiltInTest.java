package latentmix.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.DeflaterOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BuiltInTest {
    @ParameterizedTest
    @EnumSource
    void everyFileOfTheSourceTreeIsUnpackedAndNoOther(BuiltIn builtIn) throws IOException {
        Path folder = builtIn.folder();
        String name = folder.getFileName().toString().replaceFirst("-[0-9a-f]{12}$", "");
        Path source = Path.of("src/main/resources/latentmix/builtin", name);
        List<String> own = filesBelow(source);
        own.remove("SHA256SUMS");
        List<String> shared = builtIn == BuiltIn.FASHION_UNLABELLED
                ? List.of("vae/config.json", "vae/diffusion_pytorch_model.safetensors")
                : List.of();

        assertThat(filesBelow(folder))
                .containsExactlyInAnyOrderElementsOf(
                        Stream.concat(own.stream(), shared.stream()).toList());
        for (String file : own) {
            assertThat(folder.resolve(file)).hasSameBinaryContentAs(source.resolve(file));
        }
        for (String file : shared) {
            assertThat(folder.resolve(file))
                    .hasSameBinaryContentAs(BuiltIn.FASHION.folder().resolve(file));
        }
    }

    @Test
    void theSampleHasSixtyFourImagesInEachOfTenClasses() throws IOException {
        Path folder = BuiltIn.FASHION_MNIST_SAMPLE.folder();
        try (Stream<Path> classes = Files.list(folder)) {
            List<Path> folders = classes.filter(Files::isDirectory).toList();
            assertThat(folders).hasSize(10);
            for (Path one : folders) {
                assertThat(filesBelow(one)).hasSize(64).allMatch(file -> file.endsWith(".png"));
            }
        }
    }

    @Test
    void theSampleInColourHasThirtyTwoImagesInEachOfTwentyClasses() throws IOException {
        Path folder = BuiltIn.EMOJI_SAMPLE.folder();
        try (Stream<Path> classes = Files.list(folder)) {
            List<Path> folders = classes.filter(Files::isDirectory).toList();
            assertThat(folders).hasSize(20);
            for (Path one : folders) {
                assertThat(filesBelow(one))
                        .hasSize(32)
                        .allMatch(file -> file.matches(
                                ".+\\.(noto|noto-v1|fluent-emoji|fluent-emoji-flat|fxemoji|twemoji)\\.png"));
            }
        }
        assertThat(folder.resolve("NOTICE")).content().contains("Apache-2.0", "MIT", "CC-BY-4.0");
    }

    @Test
    void theModelInColourAndItsSampleTakeLessThanTwentyFiveMegabytesOfTheJar() throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (DeflaterOutputStream jar = new DeflaterOutputStream(packed)) {
            for (BuiltIn builtIn : List.of(BuiltIn.EMOJI, BuiltIn.EMOJI_SAMPLE)) {
                for (String file : filesBelow(builtIn.folder())) {
                    Files.copy(builtIn.folder().resolve(file), jar);
                }
            }
        }
        assertThat(packed.size()).isLessThan(25_000_000);
    }

    @Test
    void theWeightsInGreyThatAreShippedStayUnderTwelveMegabytes() throws IOException {
        long bytes = 0;
        for (BuiltIn model : List.of(BuiltIn.FASHION, BuiltIn.FASHION_UNLABELLED)) {
            for (String file : filesBelow(model.folder())) {
                boolean counted = model == BuiltIn.FASHION && file.startsWith("vae/");
                bytes += file.endsWith(".safetensors") && !counted
                        ? Files.size(model.folder().resolve(file))
                        : 0;
            }
        }
        assertThat(bytes).isLessThan(12_000_000);
    }

    @Test
    void aDamagedFolderIsUnpackedAgain() throws IOException {
        Path config = BuiltIn.FASHION.folder().resolve("unet/config.json");
        byte[] good = Files.readAllBytes(config);
        Files.writeString(config, "{}");
        assertThat(BuiltIn.FASHION.folder().resolve("unet/config.json")).hasBinaryContent(good);

        Path extra = Files.writeString(BuiltIn.FASHION.folder().resolve("extra"), "");
        BuiltIn.FASHION.folder();
        assertThat(extra).doesNotExist();
    }

    @Test
    void otherLocationsStayWhatTheyAre() {
        assertThat(BuiltIn.located("s3a://bucket/model")).isEqualTo("s3a://bucket/model");
    }

    @Test
    void aFileInsideABuiltInHasALocationToo() {
        assertThat(Path.of(BuiltIn.located("builtin:fashion-mnist-sample/classes.tsv")))
                .content()
                .startsWith("index\tfolder\tname\n0\t0-t-shirt\tt-shirt\n");
    }

    @Test
    void anUnknownBuiltInIsRefusedWithTheNamesThereAre() {
        assertThat(BuiltIn.resolvable("builtin:fashon")).isFalse();
        assertThatThrownBy(() -> BuiltIn.located("builtin:fashon"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("expected one of [builtin:fashion, builtin:fashion-unlabelled,"
                        + " builtin:fashion-mnist-sample, builtin:emoji, builtin:emoji-sample], got builtin:fashon");
    }

    @Test
    void aModelsClassifierLiesBesideItOrBesideTheModelThatItComesFrom() {
        assertThat(BuiltIn.classifier("builtin:fashion")).contains("builtin:fashion/classifier");
        assertThat(BuiltIn.classifier("builtin:fashion-unlabelled")).contains("builtin:fashion/classifier");
        assertThat(BuiltIn.classifier("builtin:emoji")).contains("builtin:emoji/classifier");
        assertThat(BuiltIn.classifier("runs/fashion/model")).isEmpty();
    }

    @Test
    void aModelIsPackedAsTheBuiltInOnesLieInTheSources(@TempDir Path folder) throws IOException {
        Path builtIn = BuiltIn.FASHION.folder();
        Path source = Path.of("src/main/resources/latentmix/builtin/fashion-ldm");
        Files.copy(source.resolve("README.md"), folder.resolve("README.md"));
        for (int times = 0; times < 2; times++) { // the second time over the first
            BuiltIn.pack(builtIn, folder);
            assertThat(folder.resolve("SHA256SUMS")).hasSameBinaryContentAs(source.resolve("SHA256SUMS"));
        }
        assertThat(filesBelow(folder)).containsExactlyElementsOf(filesBelow(source));
    }

    private static List<String> filesBelow(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return new ArrayList<>(files.filter(Files::isRegularFile)
                    .map(file -> folder.relativize(file).toString())
                    .sorted()
                    .toList());
        }
    }
}
