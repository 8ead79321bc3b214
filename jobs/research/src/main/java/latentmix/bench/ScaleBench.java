package latentmix.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.report.StageSummary;
import latentmix.stage.Pipeline;
import latentmix.table.StageName;
import latentmix.training.LatentDiffusionTraining;
import latentmix.training.TrainConfig;
import latentmix.training.TrainingImages;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;

/**
 * This bench measures what the job costs beside the network, at ImageNet's number of rows. Image files, tables and
 * stages are real; the network is so small that its own time, measured beside it, is little. A quarter of the classes
 * runs first, then all, then all again with nothing left to do.
 */
public final class ScaleBench {
    private static final int IMAGE = 8; // pixels of a side; latents are (4, 4, 4)
    private static final int BARE_CHUNKS = 256;

    private static final String MODEL =
            """
            input: {}
            prompt: {template: a photo of a thing, dropout: 0.0}
            report: null
            model: {size: 8}
            autoencoder:
              from: null
              config: {in_channels: 3, out_channels: 3, latent_channels: 4, block_out_channels: [4, 4], \
            layers_per_block: 1, norm_num_groups: 2,
                act_fn: silu, down_block_types: [DownEncoderBlock2D, DownEncoderBlock2D], \
            up_block_types: [UpDecoderBlock2D, UpDecoderBlock2D],
                force_upcast: false}
              kl: 5.0e-4
              edges: 0.5
              joint: {steps: 1, batch: 4, learning_rate: 1.0e-3, warmup: 1, weight_decay: 0.0, ema: 0.9}
              decoder: {steps: 1, batch: 4, learning_rate: 1.0e-3, warmup: 1, weight_decay: 0.0, ema: 0.9}
            denoiser:
              from: null
              unet: {block_out_channels: [8], layers_per_block: 1, norm_num_groups: 2, attention_head_dim: 2, \
            cross_attention_dim: 8,
                down_block_types: [CrossAttnDownBlock2D], mid_block_type: UNetMidBlock2DCrossAttn, \
            up_block_types: [CrossAttnUpBlock2D],
                use_linear_projection: true, act_fn: silu, flip_sin_to_cos: true, freq_shift: 0}
              text_encoder: {hidden_size: 8, intermediate_size: 16, num_hidden_layers: 1, \
            num_attention_heads: 2, max_position_embeddings: 16,
                hidden_act: quick_gelu, layer_norm_eps: 1.0e-5, projection_dim: 8}
              scheduler: {_class_name: DDIMScheduler, num_train_timesteps: 1000, beta_start: 0.00085, beta_end: 0.012,
                beta_schedule: scaled_linear, prediction_type: epsilon, timestep_spacing: leading, \
            steps_offset: 1, set_alpha_to_one: false,
                clip_sample: false}
              training: {steps: 1, batch: 4, learning_rate: 1.0e-3, warmup: 1, weight_decay: 0.0, ema: 0.9}
            run: {seed: 0, threads: 1}
            """;

    private static final String RUN =
            """
            model: {batch: 64}
            inversion: {steps: 2}
            generation: {steps: 2, guidance: 1}
            mixing:
              - {name: dataset, methods: nin/chm, inputs: 8, weights: "dirichlet(1)"}
            run: {chunk: 64}
            """;

    private final JavaSparkContext spark;
    private final int classes;
    private final int images;
    private final Path folder;

    /**
     * A measurement in a folder of its own.
     *
     * @param images a class; as many mixtures are made
     */
    public ScaleBench(JavaSparkContext spark, int classes, int images, Path folder) {
        this.spark = spark;
        this.classes = classes;
        this.images = images;
        this.folder = folder;
    }

    /** The time and stages of one run. */
    private record Round(double seconds, List<StageSummary> stages) {
        double inStages() {
            return stages.stream().mapToDouble(StageSummary::seconds).sum();
        }

        long rows() {
            return stages.stream().mapToLong(StageSummary::rows).sum();
        }

        @Override
        public String toString() {
            StringBuilder line = new StringBuilder(String.format(
                    Locale.ROOT,
                    "%,d rows in %.1f s, of which planning, counting and reporting %.1f s",
                    rows(),
                    seconds,
                    seconds - inStages()));
            for (StageSummary stage : stages) {
                line.append(
                        String.format(Locale.ROOT, "; %s %,d in %.1f s", stage.stage(), stage.rows(), stage.seconds()));
            }
            return line.toString();
        }
    }

    /** Makes the images, runs, prints. */
    public void run(PrintStream out) throws IOException {
        Path input = folder.resolve("images");
        int quarter = Math.max(1, classes / 4);
        writeImages(input, 0, quarter);
        RunConfig config = config(input, model(input));
        AtomicLong shuffled = new AtomicLong();
        spark.sc().addSparkListener(new SparkListener() {
            @Override
            public void onTaskEnd(SparkListenerTaskEnd end) {
                if (end.taskMetrics() != null) {
                    shuffled.addAndGet(end.taskMetrics().shuffleWriteMetrics().bytesWritten());
                }
            }
        });
        Round first = round(config, out);
        writeImages(input, quarter, classes);
        Round rest = round(config, out);
        round(config, out);
        double bare = bare(config);
        double slots = spark.defaultParallelism();
        out.printf(
                Locale.ROOT,
                "milliseconds of a core a row, with no class done before and with %,d: %.3f and "
                        + "%.3f; of the network alone: %.3f;"
                        + " outside of tasks (Spark, planning, counting): %.3f and %.3f%n",
                quarter,
                perRow(first, slots),
                perRow(rest, slots),
                bare,
                outsideTasks(first, slots),
                outsideTasks(rest, slots));
        out.printf(
                Locale.ROOT,
                "%,d files in the run folder; %,d bytes shuffled; heap of driver and executor, at most %,d MB%n",
                files(folder.resolve("run")),
                shuffled.get(),
                heapPeak() >> 20);
    }

    /** Milliseconds of a core for each row; a row is an image inverted, or a mixture mixed and generated. */
    private static double perRow(Round round, double slots) {
        return round.seconds() * slots * 1000 / made(round);
    }

    /**
     * The share of those milliseconds that no task had: Spark's own, and the driver's planning, counting and reporting.
     */
    private static double outsideTasks(Round round, double slots) {
        double tasks =
                round.stages().stream().mapToDouble(StageSummary::taskSeconds).sum();
        return (round.seconds() * slots - tasks) * 1000 / made(round);
    }

    private static long made(Round round) {
        return round.stages().stream()
                .filter(stage -> !stage.stage().equals(StageName.MIX.text()))
                .mapToLong(StageSummary::rows)
                .sum();
    }

    private Round round(RunConfig config, PrintStream out) throws IOException {
        List<StageSummary> stages = new ArrayList<>();
        double seconds = Stopwatch.seconds(() -> stages.addAll(Pipeline.summary(
                        spark,
                        config,
                        folder.resolve("run").toString(),
                        List.of(StageName.INVERT, StageName.MIX, StageName.GENERATE))
                .stages()));
        Round round = new Round(seconds, List.copyOf(stages));
        out.println(round);
        return round;
    }

    /** Milliseconds of a core for each row in the bare network. */
    private double bare(RunConfig config) {
        long rows = (long) BARE_CHUNKS * config.run().chunk();
        PipelineBench bench = new PipelineBench(spark, config);
        bench.bare(rows, rows, BARE_CHUNKS); // unmeasured
        return bench.bare(rows, rows, BARE_CHUNKS) * spark.defaultParallelism() * 1000 / (2 * rows);
    }

    private RunConfig config(Path input, Path model) {
        return ConfigFile.parse(
                RUN, "scale", List.of("input.root=" + input, "model.checkpoint=" + model, "mixing.0.count=" + images));
    }

    private static String name(int index) {
        return String.format(Locale.ROOT, "n%05d", index);
    }

    private void writeImages(Path input, int from, int to) {
        IntStream.range(from, to).parallel().forEach(index -> {
            UniformRandomProvider random = RandomSource.XO_RO_SHI_RO_128_PP.create((long) index);
            byte[] rgb = new byte[3 * IMAGE * IMAGE];
            try {
                Path folder = Files.createDirectories(input.resolve(name(index)));
                for (int i = 0; i < images; i++) {
                    random.nextBytes(rgb);
                    Files.write(folder.resolve(i + ".png"), PngEncoder.encode(new Pixels(IMAGE, IMAGE, rgb.clone())));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /**
     * A checkpoint that was trained for one step: what a network of its size costs does not depend on what it learnt.
     */
    private Path model(Path input) throws IOException {
        Path file = folder.resolve("train.yaml");
        Files.writeString(file, MODEL);
        TrainConfig config = TrainConfig.read(file, List.of("input.root=" + input));
        TrainingImages some = TrainingImages.read(
                List.of(new TrainingImages.Source(input.resolve(name(0)), "a photo of a thing")), IMAGE);
        new LatentDiffusionTraining(config.training(), some, folder.resolve("model"), (stage, point, steps) -> {})
                .run();
        return folder.resolve("model/model");
    }

    private static long files(Path run) throws IOException {
        try (Stream<Path> found = Files.walk(run)) {
            return found.filter(Files::isRegularFile).count();
        }
    }

    /** The sum of the memory pools' peaks, in bytes. */
    private static long heapPeak() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP)
                .mapToLong(pool -> pool.getPeakUsage().getUsed())
                .sum();
    }
}
