package latentmix.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.RunConfig;
import latentmix.model.Denoiser;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.PromptEmbeds;
import latentmix.model.TextEncoder;
import latentmix.model.Vae;
import latentmix.report.StageSummary;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;
import latentmix.stage.Pipeline;
import latentmix.table.StageName;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * This bench compares invert and generate in Spark with the bare model calls of the same work. Both have the same
 * micro-batches on as many threads as there are task slots. The bare calls get decoded images and encoded prompts, and
 * read and write nothing.
 */
public final class PipelineBench {
    private final JavaSparkContext spark;
    private final RunConfig config;
    private final CheckpointFolder checkpoint;
    private final int slots;

    public PipelineBench(JavaSparkContext spark, RunConfig config) {
        this.spark = spark;
        this.config = config;
        this.checkpoint = config.model().checkpoint().open(spark.hadoopConfiguration());
        this.slots = spark.defaultParallelism() / config.model().threads();
    }

    /** Seconds of both ways to do the work, and how many images there were. */
    private record Round(
            double invertSeconds, double generateSeconds, double bareSeconds, long inverted, long generated) {
        double ratio() {
            return (invertSeconds + generateSeconds) / bareSeconds;
        }
    }

    /** Runs the two in turn, once unmeasured, and prints each round and the medians. */
    public void run(int rounds, PrintStream out) throws IOException {
        List<Round> measured = new ArrayList<>();
        for (int i = 0; i <= rounds; i++) {
            Round round = round();
            if (i > 0) {
                measured.add(round);
                out.printf(
                        "round %d: invert %.2f s, generate %.2f s, bare model calls %.2f s, ratio %.3f%n",
                        i, round.invertSeconds(), round.generateSeconds(), round.bareSeconds(), round.ratio());
            }
        }
        out.printf(
                "median of %d: invert + generate over the bare model calls %.3f; %.1f images "
                        + "inverted/s, %.1f generated/s%n",
                rounds,
                Median.of(measured.stream().map(Round::ratio).toList()),
                Median.of(measured.stream()
                        .map(round -> round.inverted() / round.invertSeconds())
                        .toList()),
                Median.of(measured.stream()
                        .map(round -> round.generated() / round.generateSeconds())
                        .toList()));
    }

    private Round round() throws IOException {
        Path run = Files.createTempDirectory("latentmix-bench");
        List<StageSummary> stages = Pipeline.summary(
                        spark, config, run.toString(), List.of(StageName.INVERT, StageName.MIX, StageName.GENERATE))
                .stages();
        StageSummary invert = stages.get(0);
        StageSummary generate = stages.get(2);
        double bare = bare(invert.rows(), generate.rows(), generate.chunks());
        return new Round(invert.seconds(), generate.seconds(), bare, invert.rows(), generate.rows());
    }

    /** Seconds of the bare model calls for so many images, and mixtures in so many chunks. */
    double bare(long images, long mixtures, long mixtureChunks) {
        Dtype dtype = config.model().dtype();
        Denoiser denoiser = Models.denoiser(checkpoint, Device.cpu(), dtype);
        Vae encoder = Models.encoder(checkpoint, Device.cpu(), dtype);
        Vae decoder = Models.decoder(checkpoint, Device.cpu(), dtype);
        JsonNode schedulerConfig = checkpoint.schedulerConfig();
        Scheduler sampler = config.sampler(schedulerConfig);
        DenoisingLoop inversion = new DenoisingLoop(
                Scheduler.of(
                                schedulerConfig,
                                config.inversionMethod(schedulerConfig).solver())
                        .inversion(
                                config.inversion().steps(), config.inversion().forwardFirst()),
                denoiser,
                new Guidance(config.inversion().guidance()));
        DenoisingLoop sampling = new DenoisingLoop(
                sampler.sampling(config.generation().steps()),
                denoiser,
                config.generation().guidance(sampler.trainTimesteps()));
        TextEncoder.Embeds prompt;
        try (TextEncoder encoderOfText = Models.textEncoder(checkpoint, Device.cpu(), dtype)) {
            prompt = encoderOfText.encode("a photo of a bag");
        }
        int side = Models.imageSize(checkpoint);
        latentmix.latent.Shape latent = denoiser.latentShape();
        List<Runnable> calls = new ArrayList<>();
        for (int rows : batches(images, config.model().batch())) {
            calls.add(() -> {
                try (NDManager arrays = NDManager.newBaseManager(Device.cpu())) {
                    PromptEmbeds embeds = prompt.onto(arrays);
                    NDArray batch = arrays.create(new float[rows * 3 * side * side], new Shape(rows, 3, side, side));
                    inversion.run(encoder.encode(batch), embeds, embeds).toFloatArray();
                }
            });
        }
        for (long chunk = 0; chunk < mixtureChunks; chunk++) {
            long chunkRows = mixtures * (chunk + 1) / mixtureChunks - mixtures * chunk / mixtureChunks;
            for (int rows : batches(chunkRows, config.model().batch())) {
                calls.add(() -> {
                    try (NDManager arrays = NDManager.newBaseManager(Device.cpu())) {
                        PromptEmbeds embeds = prompt.onto(arrays);
                        NDArray noise = arrays.create(
                                new float[rows * latent.size()],
                                new Shape(rows, latent.channels(), latent.height(), latent.width()));
                        decoder.decode(sampling.run(noise, embeds, embeds)).toFloatArray();
                    }
                });
            }
        }
        long start = System.nanoTime();
        runAll(calls);
        return (System.nanoTime() - start) / 1e9;
    }

    private void runAll(List<Runnable> calls) {
        ExecutorService threads = Executors.newFixedThreadPool(slots);
        try {
            List<Future<?>> futures = new ArrayList<>();
            calls.forEach(call -> futures.add(threads.submit(call)));
            for (Future<?> future : futures) {
                future.get();
            }
        } catch (InterruptedException | java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException("The bare model calls failed", e);
        } finally {
            threads.shutdown();
        }
    }

    private static List<Integer> batches(long rows, int batch) {
        List<Integer> batches = new ArrayList<>();
        for (long left = rows; left > 0; left -= batch) {
            batches.add((int) Math.min(left, batch));
        }
        return batches;
    }
}
