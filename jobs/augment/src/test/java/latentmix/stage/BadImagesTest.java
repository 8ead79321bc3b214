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
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import latentmix.checkpoint.BuiltIn;
import latentmix.codec.LittleEndian;
import latentmix.config.RunConfig;
import latentmix.plan.ExitCode;
import latentmix.table.GeneratedRow;
import latentmix.table.MixedRow;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.table.StageName;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
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
        Files.writeString(sandals.resolve("notes.png"), "not an image");
        Files.writeString(sandals.resolve("notes.txt"), "no image by its name");
        Files.createSymbolicLink(sandals.resolve("gone.png"), Path.of("nowhere.png"));
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
        JsonNode counts = TinyRun.summary(run).get("counts");
        assertThat(counts.get("files").asLong()).isEqualTo(16 + 6);
        assertThat(counts.get("images").asLong()).isEqualTo(16 + 4);
        assertThat(counts.get("inverted").asLong()).isEqualTo(16);
        assertThat(counts.at("/rejected/images/duplicate").asLong()).isEqualTo(1);
        assertThat(counts.at("/rejected/images/dangling link").asLong()).isEqualTo(1);
        assertThat(counts.at("/ignored/.txt").asLong()).isEqualTo(1);
        assertThat(counts.at("/rejected/invert/truncated").asLong()).isEqualTo(1);
        assertThat(counts.at("/rejected/invert/empty").asLong()).isEqualTo(1);
        assertThat(counts.at("/rejected/invert/not an image").asLong()).isEqualTo(1);
        assertThat(counts.at("/rejected/invert/too large").asLong()).isEqualTo(1);
        assertThat(counts.get("generated").asLong()).isEqualTo(20);

        assertThat(TinyRun.run(2, TinyRun.config(input, "run.max_rejected=0.5"), run))
                .as("rejected rows count as done")
                .isZero();
        assertThat(TinyRun.evaluations(run, "invert")).isZero();
        assertThat(TinyRun.summary(run).get("counts")).isEqualTo(counts);
    }

    @Test
    void infinityFromTheNetworkIsARejectedRow() throws IOException {
        Path input = TinyRun.input(folder.resolve("in"), 8);
        RunConfig config =
                TinyRun.config(input, "model.checkpoint=" + overflowing(folder.resolve("model")), "run.max_rejected=1");
        Path run = folder.resolve("run");
        assertThat(TinyRun.run(2, config, run)).isZero();
        JsonNode counts = TinyRun.summary(run).get("counts");
        assertThat(counts.get("inverted").asLong()).isZero();
        assertThat(counts.at("/rejected/invert/not finite").asLong()).isEqualTo(16);
        assertThat(counts.at("/rejected/mix/pool too small").asLong()).isEqualTo(20);
    }

    @Test
    void oneRowOfAMicroBatchThatGivesNoNumbersIsRejectedAlone() throws IOException {
        RunConfig config = TinyRun.config(TinyRun.input(folder.resolve("in"), 8), "run.max_rejected=1");
        Path undisturbed = folder.resolve("undisturbed");
        assertThat(TinyRun.run(2, config, undisturbed)).isZero();
        Path run = folder.resolve("run");
        try (JavaSparkContext spark = TinyRun.spark(2)) {
            assertThat(Pipeline.run(spark, config, run.toString(), List.of(StageName.INVERT, StageName.MIX)))
                    .isZero();
        }
        String poisoned = poison(new RunFolder(run.toString(), new Configuration(false)));

        assertThat(TinyRun.run(2, config, run)).isZero();
        assertThat(TinyRun.summary(run)
                        .at("/counts/rejected/generate/not finite")
                        .asLong())
                .isEqualTo(1);
        Map<String, byte[]> expected = images(undisturbed);
        Map<String, byte[]> found = images(run);
        assertThat(expected.remove(poisoned)).isNotNull();
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        assertThat(found).as("its neighbours in the micro-batch").allSatisfy((id, bytes) -> assertThat(bytes)
                .isEqualTo(expected.get(id)));
    }

    @Test
    void whatWasRefusedIsTriedAgainWhenAskedAndEndsAsIfItNeverHadBeen() throws IOException {
        Path input = TinyRun.input(folder.resolve("in"), 8);
        RunConfig config = TinyRun.config(input, TinyRun.measured(folder, "run.max_rejected=1"));
        Path undisturbed = folder.resolve("undisturbed");
        assertThat(TinyRun.run(2, config, undisturbed)).isZero();
        RunTerms again = new RunTerms("", Double.POSITIVE_INFINITY, true, Console.SILENT);
        Path run = folder.resolve("run");
        try (JavaSparkContext spark = TinyRun.spark(2)) {
            List<StageName> all = List.of(StageName.values());
            assertThat(Pipeline.run(spark, config, run.toString(), List.of(StageName.INVERT)))
                    .isZero();
            RunFolder tables = new RunFolder(run.toString(), new Configuration(false));
            tables.delete("inverted"); // as if it had got no further than to find the images
            Path image = first(input.resolve("5-sandal"));
            byte[] whole = Files.readAllBytes(image);
            FileTime time = Files.getLastModifiedTime(image);
            Files.write(image, new byte[whole.length]); // behind the back of whoever looks at lengths and times
            Files.setLastModifiedTime(image, time);
            assertThat(rejected(spark, config, run, List.of(StageName.INVERT), RunTerms.NONE, "invert/changed"))
                    .isEqualTo(1);
            Files.write(image, whole);
            Files.setLastModifiedTime(image, time);
            assertThat(rejected(spark, config, run, List.of(StageName.INVERT), RunTerms.NONE, "invert/changed"))
                    .as("refused rows count as done")
                    .isEqualTo(1);
            assertThat(rejected(spark, config, run, List.of(StageName.INVERT), again, "invert/changed"))
                    .isZero();

            assertThat(Pipeline.run(spark, config, run.toString(), List.of(StageName.MIX)))
                    .isZero();
            Path mixed = Path.of(firstMixed(tables).toUri().getPath());
            byte[] sound = Files.readAllBytes(mixed);
            poison(tables);
            assertThat(rejected(spark, config, run, all, RunTerms.NONE, "generate/not finite"))
                    .isEqualTo(1);
            Files.write(mixed, sound);
            assertThat(rejected(spark, config, run, all, again, "generate/not finite"))
                    .isZero();
        }
        TinyRun.assertSameTables(run, undisturbed);
    }

    /** Runs stages; returns how many rows are refused for a reason. */
    private static long rejected(
            JavaSparkContext spark, RunConfig config, Path run, List<StageName> stages, RunTerms terms, String reason)
            throws IOException {
        assertThat(Pipeline.summary(spark, config, run.toString(), stages, terms)
                        .exitCode())
                .isEqualTo(ExitCode.DONE);
        return TinyRun.summary(run).at("/counts/rejected/" + reason).asLong();
    }

    /** Makes one mixture so large that the network overflows; returns its id. */
    private static String poison(RunFolder run) throws IOException {
        var file = firstMixed(run);
        List<MixedRow> rows = RowFile.read(file, run.conf(), MixedRow.class);
        var latent = LittleEndian.wrap(rows.get(0).latent().data()).asFloatBuffer();
        while (latent.hasRemaining()) {
            latent.put(1e38f);
        }
        run.publish(file, RowFile.bytes(MixedRow.class, rows));
        return rows.get(0).mixId();
    }

    private static org.apache.hadoop.fs.Path firstMixed(RunFolder run) throws IOException {
        String classId = TinyRun.CLASSES.get(0);
        return run.chunk(
                Table.MIXED,
                classId,
                run.chunks(Table.MIXED, classId).iterator().next());
    }

    private static Map<String, byte[]> images(Path run) throws IOException {
        return TinyRun.rows(run, "generated", GeneratedRow.class).stream()
                .collect(
                        Collectors.toMap(GeneratedRow::mixId, row -> row.image().bytes()));
    }

    /**
     * The built-in model with a decoder of noise whose last convolution's weights are near float16's largest number.
     */
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
