package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.RunConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What cannot be inverted or generated becomes a row of {@code rejected}, and nothing else changes. */
class BadImagesTest {
    @TempDir
    Path folder;

    @Test
    void badFilesAreRejectedWithAReasonAndTheGoodOnesAreInverted() throws IOException {
        Path input = TinyRun.input(folder.resolve("in"), 8);
        Path sandals = input.resolve("5-sandal");
        byte[] good = Files.readAllBytes(first(sandals));
        Files.write(sandals.resolve("truncated.png"), Arrays.copyOf(good, good.length / 2));
        Files.write(sandals.resolve("empty.png"), new byte[0]);
        Files.writeString(sandals.resolve("notes.txt"), "not an image");
        Files.write(sandals.resolve("copy.png"), good);
        byte[] bomb = good.clone();
        CRC32 sum = new CRC32();
        ByteBuffer.wrap(bomb).putInt(16, 60_000).putInt(20, 60_000); // IHDR's width and height
        sum.update(bomb, 12, 17);
        ByteBuffer.wrap(bomb).putInt(29, (int) sum.getValue());
        Files.write(sandals.resolve("bomb.png"), bomb);

        Path run = folder.resolve("run");
        assertThat(TinyRun.run(2, TinyRun.config(input, "run.max_rejected=0.1"), run))
                .isEqualTo(3);
        JsonNode counts = PipelineTest.summary(run).get("counts");
        assertThat(counts.get("files").asLong()).isEqualTo(16 + 5);
        assertThat(counts.get("images").asLong()).isEqualTo(16 + 4);
        assertThat(counts.get("inverted").asLong()).isEqualTo(16);
        assertThat(counts.at("/rejected/images/duplicate").asLong()).isEqualTo(1);
        assertThat(counts.at("/rejected/invert/truncated").asLong()).isEqualTo(1);
        assertThat(counts.at("/rejected/invert/empty").asLong()).isEqualTo(1);
        assertThat(counts.at("/rejected/invert/not an image").asLong()).isEqualTo(1);
        assertThat(counts.at("/rejected/invert/too large").asLong()).isEqualTo(1);
        assertThat(counts.get("generated").asLong()).isEqualTo(20);

        assertThat(TinyRun.run(2, TinyRun.config(input, "run.max_rejected=0.5"), run))
                .as("rejected rows count as done")
                .isZero();
        assertThat(PipelineTest.evaluations(run, "invert")).isZero();
        assertThat(PipelineTest.summary(run).get("counts")).isEqualTo(counts);
    }

    @Test
    void infinityFromTheNetworkIsARejectedRow() throws IOException {
        Path input = TinyRun.input(folder.resolve("in"), 8);
        RunConfig config =
                TinyRun.config(input, "model.checkpoint=" + overflowing(folder.resolve("model")), "run.max_rejected=1");
        Path run = folder.resolve("run");
        assertThat(TinyRun.run(2, config, run)).isZero();
        JsonNode counts = PipelineTest.summary(run).get("counts");
        assertThat(counts.get("inverted").asLong()).isZero();
        assertThat(counts.at("/rejected/invert/not finite").asLong()).isEqualTo(16);
        assertThat(counts.at("/rejected/mix/pool too small").asLong()).isEqualTo(20);
    }

    /** The built-in model with a decoder of noise whose last convolution's weights are near float16's largest number. */
    private static Path overflowing(Path model) throws IOException {
        Path builtIn = Path.of(BuiltIn.located("builtin:fashion"));
        try (Stream<Path> files = Files.walk(builtIn)) {
            for (Path file : files.toList()) {
                Path to = model.resolve(builtIn.relativize(file));
                if (Files.isDirectory(file)) {
                    Files.createDirectories(to);
                } else {
                    Files.copy(file, to);
                }
            }
        }
        Path weights = model.resolve("unet/diffusion_pytorch_model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int header = (int) file.getLong(0);
        JsonNode tensors = new ObjectMapper().readTree(bytes, 8, header);
        for (JsonNode tensor : tensors) {
            if (tensor.has("data_offsets") && tensor.get("shape").size() == 4) {
                int from = 8 + header + tensor.get("data_offsets").get(0).asInt();
                int to = 8 + header + tensor.get("data_offsets").get(1).asInt();
                for (int at = from; at < to; at += 2) {
                    file.putShort(at, (short) 0x7bff); // 65504
                }
            }
        }
        try (FileChannel out = FileChannel.open(weights, StandardOpenOption.WRITE)) {
            out.write(file.rewind());
        }
        return model;
    }

    private static Path first(Path classFolder) throws IOException {
        try (Stream<Path> files = Files.list(classFolder)) {
            return files.sorted().findFirst().orElseThrow();
        }
    }
}
