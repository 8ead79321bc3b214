package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import latentmix.GoldenCheckpoints;
import latentmix.config.ConfigException;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.UnreadableImage;
import latentmix.latent.Shape;
import latentmix.table.InvertedRow;
import latentmix.table.RowFile;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The whole job on a small checkpoint of each family that is supported. */
class CheckpointFamiliesTest {
    /** A family and its checkpoint. */
    private enum Family {
        STABLE_DIFFUSION_15(4),
        STABLE_DIFFUSION_21(4),
        ZERO_TERMINAL_SNR(4),
        STABLE_DIFFUSION_3(16);

        private final int latentChannels;

        Family(int latentChannels) {
            this.latentChannels = latentChannels;
        }

        private Path checkpoint(Path folder) throws IOException {
            return switch (this) {
                case STABLE_DIFFUSION_15 -> GoldenCheckpoints.stableDiffusion15(folder);
                case STABLE_DIFFUSION_21 -> GoldenCheckpoints.stableDiffusion21(folder);
                case ZERO_TERMINAL_SNR -> GoldenCheckpoints.zeroTerminalSnr(folder);
                case STABLE_DIFFUSION_3 -> GoldenCheckpoints.stableDiffusion3(folder);
            };
        }
    }

    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource
    void imagesBecomeADataset(Family family) throws IOException, UnreadableImage {
        Path checkpoint = family.checkpoint(Files.createDirectory(folder.resolve("checkpoint")));
        Path input = TinyRun.input(folder.resolve("in"), 8);
        Path run = folder.resolve("run");

        int exitCode = TinyRun.run(
                2, TinyRun.config(input, "model.checkpoint=" + checkpoint, "prompt.template=w5 t11 {class}"), run);

        assertThat(exitCode).isZero();
        assertThat(run.resolve("rejected")).doesNotExist();
        List<Path> images = files(run.resolve("dataset/images"), ".png");
        assertThat(images).hasSize(2 * 6);
        for (Path image : images) {
            Pixels pixels = ImageDecoder.decode(Files.readAllBytes(image), 1 << 20);
            assertThat(List.of(pixels.width(), pixels.height())).containsExactly(128, 128);
        }
        for (Path file : files(run.resolve("inverted"), ".parquet")) {
            for (InvertedRow row :
                    RowFile.read(new org.apache.hadoop.fs.Path(file.toUri()), new Configuration(), InvertedRow.class)) {
                assertThat(row.latent().latent().shape()).isEqualTo(new Shape(family.latentChannels, 16, 16));
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

    private static List<Path> files(Path folder, String ending) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(ending))
                    .sorted()
                    .toList();
        }
    }
}
