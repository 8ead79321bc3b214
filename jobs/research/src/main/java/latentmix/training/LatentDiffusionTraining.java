package latentmix.training;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.architecture.Architecture;
import latentmix.architecture.AutoencoderKL;
import latentmix.architecture.ClipTextModel;
import latentmix.architecture.UNet2DConditionModel;
import latentmix.checkpoint.Caches;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.ElementType;
import latentmix.checkpoint.Fingerprint;
import latentmix.checkpoint.SafetensorsWriter;
import latentmix.checkpoint.SafetensorsWriter.Values;
import latentmix.checkpoint.StateDict;
import latentmix.image.Pixels;
import latentmix.model.ClipTokenizer;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.Tokenizer;
import latentmix.model.Vae;
import latentmix.schedule.NoiseSchedule;
import latentmix.schedule.PredictionType;
import latentmix.schedule.TrainingProcess;
import latentmix.torchscript.ScriptModule;
import latentmix.training.TrainingLoop.Point;
import latentmix.training.TrainingLoop.Schedule;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * Trains a latent diffusion model on a folder of images and writes it in diffusers layout: the autoencoder, its decoder
 * once more alone, then the U-Net with its text encoder.
 *
 * <p>Every stage's state lies in the folder {@code state} under a name that hashes its settings, its images and the
 * stages before it; a training that was stopped goes on there, to the same bytes with the same number of threads. The
 * weights so far lie in {@code model} whenever a state was saved.
 */
public final class LatentDiffusionTraining {
    /**
     * The settings of a training: what is trained, and how.
     *
     * @param size pixels of a side
     * @param autoencoder configuration of an AutoencoderKL, without scaling_factor, which is measured
     * @param kl weight of the divergence of latents from a standard normal distribution
     * @param edges weight of the difference of neighbouring pixels' differences
     * @param joint how encoder and decoder are trained together
     * @param decoder how the decoder is trained on alone
     * @param from a checkpoint folder whose autoencoder is taken as it is; none where null
     * @param unet configuration of a UNet2DConditionModel
     * @param unetFrom a checkpoint folder whose U-Net's weights it begins with; none where null
     * @param textEncoder configuration of a CLIPTextModel, without its vocabulary
     * @param scheduler a scheduler_config.json
     * @param denoiser how U-Net and text encoder are trained
     * @param promptDropout share of images that the U-Net sees with an empty prompt, for guidance
     * @param shorterPrompts share of the others that it sees with a prompt that says less
     * @param minSnr γ of the loss's weights min(snr, γ)/snr, with snr = ᾱ_t/(1−ᾱ_t), by <a
     *     href="https://arxiv.org/abs/2303.09556">Hang et al.</a>; all weights are 1 where it is 0
     */
    public record Settings(
            long seed,
            int size,
            int threads,
            JsonNode autoencoder,
            double kl,
            double edges,
            Schedule joint,
            Schedule decoder,
            Path from,
            JsonNode unet,
            Path unetFrom,
            JsonNode textEncoder,
            JsonNode scheduler,
            Schedule denoiser,
            double promptDropout,
            double shorterPrompts,
            double minSnr) {}

    /** A listener that hears of every point of a stage's curve. */
    public interface Progress {
        void at(String stage, Point point, long steps);
    }

    private static final String MAIN_INPUT = "sample_size";
    private static final int ENCODED_AT_ONCE = 100;
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The stages in their order. */
    public static final List<String> STAGES = List.of("autoencoder", "decoder", "denoiser");

    private final Settings settings;
    private final TrainingImages images;
    private final TrainingImages shown;
    private final Path model;
    private final Path state;
    private final Progress progress;
    private final Map<String, List<Point>> curves = new LinkedHashMap<>();

    /** A training into a folder: the checkpoint becomes its {@code model}. */
    public LatentDiffusionTraining(Settings settings, TrainingImages images, Path folder, Progress progress) {
        this(settings, images, images, folder, progress);
    }

    /**
     * A training whose U-Net sees other images than the autoencoder.
     *
     * @param images what the autoencoder sees
     * @param shown what the U-Net sees
     */
    public LatentDiffusionTraining(
            Settings settings, TrainingImages images, TrainingImages shown, Path folder, Progress progress) {
        this.settings = settings;
        this.images = images;
        this.shown = shown;
        this.model = folder.resolve("model");
        this.state = folder.resolve("state");
        this.progress = progress;
    }

    /** Trains what is not trained yet; returns the curve of every stage's loss. */
    public Map<String, List<Point>> run() throws IOException {
        Path vae = model.resolve("vae");
        String trained = settings.from() == null
                ? autoencoder(vae)
                : copied(settings.from().resolve("vae"), vae);
        denoiser(vae, trained);
        return curves;
    }

    // ---- the autoencoder ----

    private String autoencoder(Path folder) throws IOException {
        ObjectNode config = settings.autoencoder().deepCopy();
        config.put("_class_name", "AutoencoderKL").put(MAIN_INPUT, settings.size());
        AutoencoderKL architecture = (AutoencoderKL) Architecture.of(config, "autoencoder");
        ScriptModule module = AutoencoderLoss.of(architecture, settings.kl(), settings.edges());
        int side = settings.size() / architecture.factor();
        Shape latent = new Shape(0, architecture.latentChannels(), side, side);
        String joint =
                id("autoencoder", images.fingerprint(), config, settings.kl(), settings.edges(), settings.joint());
        Map<String, Values> weights = stage(
                joint,
                module,
                Initialization.of(module, settings.seed()),
                key -> true,
                settings.joint(),
                images,
                order -> (step, owner) -> pictures(order, step, latent, owner),
                averages -> writeAutoencoder(folder, config, averages));
        String decoder = id("decoder", joint, settings.decoder());
        weights = stage(
                decoder,
                module,
                weights,
                key -> key.startsWith("decoder.") || key.startsWith("post_quant_conv."),
                settings.decoder(),
                images,
                order -> (step, owner) -> pictures(order, step, latent, owner),
                averages -> writeAutoencoder(folder, config, averages));
        writeAutoencoder(folder, config, weights);
        double scale = 1 / deviation(encoded(folder, images.pixels()));
        write(folder.resolve("config.json"), config.put("scaling_factor", scale));
        return decoder;
    }

    private static void writeAutoencoder(Path folder, ObjectNode config, Map<String, Values> weights)
            throws IOException {
        write(folder, config.put("scaling_factor", 1), "diffusion_pytorch_model.safetensors", weights);
    }

    private NDArray[] pictures(BatchOrder order, long step, Shape latent, NDManager owner) {
        int[] rows = order.rows(step);
        UniformRandomProvider random = BatchOrder.random(~settings.seed(), step);
        return new NDArray[] {
            Vae.images(
                    owner,
                    Arrays.stream(rows)
                            .mapToObj(row -> images.mirrored().get(row) && random.nextBoolean()
                                    ? images.pixels().get(row).mirrored()
                                    : images.pixels().get(row))
                            .toList()),
            noise(random, new Shape(rows.length, latent.get(1), latent.get(2), latent.get(3)), owner)
        };
    }

    private static NDArray noise(UniformRandomProvider random, Shape shape, NDManager owner) {
        ZigguratSampler.NormalizedGaussian normal = ZigguratSampler.NormalizedGaussian.of(random);
        float[] values = new float[(int) shape.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) normal.sample();
        }
        return owner.create(values, shape);
    }

    /** Every image's latent, scaled as a sampler has it. */
    private static float[][] encoded(Path vae, List<Pixels> images) {
        float[][] latents = new float[images.size()][];
        try (Vae encoder = Models.encoder(vae, Device.cpu(), Dtype.FLOAT32);
                NDManager arrays = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            for (int from = 0; from < latents.length; from += ENCODED_AT_ONCE) {
                List<Pixels> batch = images.subList(from, Math.min(from + ENCODED_AT_ONCE, latents.length));
                try (NDManager scope = arrays.newSubManager()) {
                    float[] all = encoder.encode(Vae.images(scope, batch)).toFloatArray();
                    int each = all.length / batch.size();
                    for (int i = 0; i < batch.size(); i++) {
                        latents[from + i] = Arrays.copyOfRange(all, i * each, (i + 1) * each);
                    }
                }
            }
        }
        return latents;
    }

    private static double deviation(float[][] latents) {
        double sum = 0;
        double squares = 0;
        long count = 0;
        for (float[] latent : latents) {
            for (float value : latent) {
                sum += value;
                squares += (double) value * value;
            }
            count += latent.length;
        }
        return Math.sqrt(squares / count - sum / count * (sum / count));
    }

    private String copied(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        for (String name : List.of("config.json", "diffusion_pytorch_model.safetensors")) {
            Caches.publish(
                    to.resolve(name).toAbsolutePath(),
                    part -> Files.write(part, Files.readAllBytes(from.resolve(name))));
        }
        return CheckpointFolder.fingerprint(to);
    }

    // ---- the U-Net and its text encoder ----

    private void denoiser(Path vae, String trained) throws IOException {
        AutoencoderKL autoencoder = (AutoencoderKL) Architecture.of(vae);
        ObjectNode unet = settings.unet().deepCopy();
        unet.put("_class_name", "UNet2DConditionModel")
                .put(MAIN_INPUT, settings.size() / autoencoder.factor())
                .put("in_channels", autoencoder.latentChannels())
                .put("out_channels", autoencoder.latentChannels());
        Prompts prompts = prompts();
        ObjectNode text = settings.textEncoder().deepCopy();
        text.put("model_type", "clip_text_model").putArray("architectures").add("CLIPTextModel");
        text.put("vocab_size", prompts.vocabulary())
                .put("bos_token_id", prompts.vocabulary() - 2)
                .put("eos_token_id", prompts.vocabulary() - 1)
                .put("pad_token_id", prompts.vocabulary() - 1);
        ScriptModule module = DenoiserLoss.of((UNet2DConditionModel) Architecture.of(unet, "unet"), (ClipTextModel)
                Architecture.of(text, "text_encoder"));
        Latents latents = Latents.of(vae, shown);
        TrainingProcess.Diffusion process = new TrainingProcess.Diffusion(noiseSchedule(), PredictionType.EPSILON);
        Shape shape = new Shape(
                autoencoder.latentChannels(),
                unet.get(MAIN_INPUT).asInt(),
                unet.get(MAIN_INPUT).asInt());
        Map<String, Values> weights = stage(
                id(
                        "denoiser",
                        trained,
                        shown.fingerprint(),
                        shown.prompts(),
                        shown.told(),
                        unet,
                        text,
                        settings.scheduler() + (settings.minSnr() == 0 ? "" : " min_snr " + settings.minSnr()),
                        settings.promptDropout()
                                + (settings.shorterPrompts() == 0 ? "" : " shorter " + settings.shorterPrompts()),
                        settings.unetFrom() == null
                                ? ""
                                : CheckpointFolder.fingerprint(
                                        settings.unetFrom().resolve("unet")),
                        settings.denoiser()),
                module,
                initial(module),
                key -> true,
                settings.denoiser(),
                shown,
                order -> (step, owner) -> noised(order, step, latents, shape, process, prompts, owner),
                averages -> writeDenoiser(unet, text, averages));
        writeDenoiser(unet, text, weights);
    }

    private void writeDenoiser(ObjectNode unet, ObjectNode text, Map<String, Values> weights) throws IOException {
        write(model.resolve("unet"), unet, "diffusion_pytorch_model.safetensors", below("unet.", weights));
        write(model.resolve("text_encoder"), text, "model.safetensors", below("text_encoder.", weights));
        index();
    }

    /** Latents of images, and of mirror images; null where there is none. */
    private record Latents(float[][] upright, float[][] mirrored) {
        static Latents of(Path vae, TrainingImages images) {
            int[] rows = IntStream.range(0, images.size())
                    .filter(row -> images.mirrored().get(row))
                    .toArray();
            float[][] encoded = encoded(
                    vae,
                    Arrays.stream(rows)
                            .mapToObj(row -> images.pixels().get(row).mirrored())
                            .toList());
            float[][] mirrored = new float[images.size()][];
            for (int i = 0; i < rows.length; i++) {
                mirrored[rows[i]] = encoded[i];
            }
            return new Latents(encoded(vae, images.pixels()), mirrored);
        }
    }

    /** The first values: drawn ones, or those of another U-Net where one is named. */
    private Map<String, Values> initial(ScriptModule module) {
        Map<String, Values> initial = Initialization.of(module, settings.seed() + 1);
        if (settings.unetFrom() != null) {
            Path component = settings.unetFrom().resolve("unet");
            try (StateDict weights = Architecture.of(component).weights(component)) {
                for (String key : weights.keys()) {
                    Values values = new Values(weights.tensor(key).shape(), weights.floats(key));
                    if (!initial.containsKey("unet." + key)
                            || !initial.get("unet." + key).shape().equals(values.shape())) {
                        throw new IllegalArgumentException("expected a U-Net of the same configuration, but "
                                + component + " has a tensor " + key + " of shape " + values.shape());
                    }
                    initial.put("unet." + key, values);
                }
            }
        }
        return initial;
    }

    private NoiseSchedule noiseSchedule() {
        JsonNode json = settings.scheduler();
        if (!json.path("beta_schedule").asText().equals("scaled_linear")
                || !json.path("prediction_type").asText("epsilon").equals("epsilon")) {
            throw new IllegalArgumentException(
                    "expected a scheduler with beta_schedule scaled_linear and prediction_type "
                            + "epsilon, which is what is trained, got "
                            + json);
        }
        return NoiseSchedule.scaledLinear(
                json.path("beta_start").asDouble(),
                json.path("beta_end").asDouble(),
                json.path("num_train_timesteps").asInt(1000));
    }

    private NDArray[] noised(
            BatchOrder order,
            long step,
            Latents latents,
            Shape shape,
            TrainingProcess.Diffusion process,
            Prompts prompts,
            NDManager owner) {
        int[] rows = order.rows(step);
        int width = (int) shape.size();
        float[] batch = new float[rows.length * width];
        float[] signal = new float[rows.length];
        float[] deviation = new float[rows.length];
        float[] timestep = new float[rows.length];
        float[] weight = new float[rows.length];
        int[] prompt = new int[rows.length];
        UniformRandomProvider random = BatchOrder.random(~settings.seed(), step);
        for (int i = 0; i < rows.length; i++) {
            TrainingProcess.Level level =
                    process.at(random.nextInt(process.schedule().trainTimesteps()), settings.minSnr());
            timestep[i] = (float) level.timestep();
            signal[i] = (float) level.signal();
            deviation[i] = (float) level.deviation();
            weight[i] = (float) level.weight();
            boolean dropped = random.nextDouble() < settings.promptDropout();
            prompt[i] = dropped ? shown.prompts().size() : told(rows[i], random);
            boolean mirrored = shown.mirrored().get(rows[i]) && random.nextBoolean();
            float[] latent = (mirrored ? latents.mirrored() : latents.upright())[rows[i]];
            System.arraycopy(latent, 0, batch, i * width, width);
        }
        Prompts used = prompts.in(prompt);
        Shape whole = new Shape(rows.length).addAll(shape);
        Shape column = new Shape(rows.length, 1, 1, 1);
        return new NDArray[] {
            owner.create(batch, whole),
            noise(random, whole, owner),
            owner.create(signal, column),
            owner.create(deviation, column),
            owner.create(timestep, new Shape(rows.length)),
            owner.create(used.ids(), used.shape()),
            owner.ones(used.shape(), DataType.INT64),
            owner.create(used.places(prompt), new Shape(rows.length)),
            owner.create(weight, column)
        };
    }

    private int told(int row, UniformRandomProvider random) {
        List<Integer> shorter = shown.shorter().get(row);
        return !shorter.isEmpty() && random.nextDouble() < settings.shorterPrompts()
                ? shorter.get(random.nextInt(shorter.size()))
                : shown.prompt().get(row);
    }

    /**
     * Prompts as tokens; of all prompts the empty one is last.
     *
     * @param places which of all prompts they are, in this order
     */
    private record Prompts(int vocabulary, int length, int[] places, long[] ids) {
        Shape shape() {
            return new Shape(places.length, length);
        }

        /** All of them, or those that a batch has where that is fewer: each is encoded once. */
        Prompts in(int[] batch) {
            if (places.length <= batch.length) {
                return this;
            }
            int[] some = Arrays.stream(batch).distinct().sorted().toArray();
            long[] own = Arrays.stream(some)
                    .mapToObj(place -> Arrays.copyOfRange(ids, place * length, (place + 1) * length))
                    .flatMapToLong(Arrays::stream)
                    .toArray();
            return new Prompts(vocabulary, length, some, own);
        }

        /** Where a batch's prompts are among these. */
        long[] places(int[] batch) {
            return Arrays.stream(batch)
                    .mapToLong(place -> Arrays.binarySearch(places, place))
                    .toArray();
        }
    }

    private Prompts prompts() throws IOException {
        Path folder = model.resolve("tokenizer");
        BytePairTraining pairs = BytePairTraining.of(shown.prompts());
        int length = settings.textEncoder().path("max_position_embeddings").asInt(77);
        write(folder.resolve("vocab.json"), JSON.valueToTree(pairs.vocabulary()));
        Caches.publish(
                folder.resolve("merges.txt").toAbsolutePath(),
                part -> Files.writeString(part, "#version: 0.2\n" + String.join("\n", pairs.merges()) + "\n"));
        ObjectNode special = JSON.createObjectNode().put("bos_token", "<|startoftext|>");
        for (String role : List.of("eos_token", "unk_token", "pad_token")) {
            special.put(role, "<|endoftext|>");
        }
        write(folder.resolve("special_tokens_map.json"), special);
        ObjectNode config =
                JSON.createObjectNode().put("tokenizer_class", "CLIPTokenizer").put("model_max_length", length);
        write(
                folder.resolve("tokenizer_config.json"),
                config.put("do_lower_case", true).setAll(special));
        try (Tokenizer tokenizer = ClipTokenizer.open(folder)) {
            long[] ids = Stream.concat(shown.prompts().stream(), Stream.of(""))
                    .peek(prompt -> check(tokenizer, prompt))
                    .flatMapToLong(prompt -> Arrays.stream(tokenizer.encode(prompt)))
                    .toArray();
            int[] places = IntStream.rangeClosed(0, shown.prompts().size()).toArray();
            return new Prompts(pairs.vocabulary().size(), length, places, ids);
        }
    }

    private static void check(Tokenizer tokenizer, String prompt) {
        if (tokenizer.length(prompt) > tokenizer.maxLength()) {
            throw new IllegalArgumentException("expected prompts of at most " + tokenizer.maxLength() + " tokens, got "
                    + tokenizer.length(prompt) + ": " + prompt + "; raise text_encoder's max_position_embeddings");
        }
    }

    // ---- what all stages share ----

    private interface Inputs {
        TrainingLoop.Batches of(BatchOrder order);
    }

    /** Writes averages where they can be looked at: the weights so far, whenever a state is saved. */
    private interface Look {
        void at(Map<String, Values> averages) throws IOException;
    }

    private Map<String, Values> stage(
            String name,
            ScriptModule module,
            Map<String, Values> initial,
            Predicate<String> trained,
            Schedule schedule,
            TrainingImages seen,
            Inputs inputs,
            Look look)
            throws IOException {
        String stage = name.substring(0, name.indexOf('-'));
        try (TrainableNetwork network = TrainableNetwork.load(module, initial, trained, Device.cpu())) {
            BatchOrder order = new BatchOrder(settings.seed(), seen.size(), schedule.batch());
            TrainingLoop loop = new TrainingLoop(state, name, (point, steps) -> progress.at(stage, point, steps));
            curves.put(stage, loop.run(network, schedule, inputs.of(order), () -> look.at(network.averaged())));
            return network.averaged();
        }
    }

    private String id(String stage, Object... parts) {
        return id(settings.seed(), settings.threads(), stage, parts);
    }

    /** A stage's name and the hash of everything that its weights depend on. */
    static String id(long seed, int threads, String stage, Object... parts) {
        StringBuilder text = new StringBuilder().append(seed).append(' ').append(threads);
        for (Object part : parts) {
            text.append('\n').append(part);
        }
        return stage + "-" + Fingerprint.ofText(text.toString()).substring(0, 16);
    }

    /** The weights below a prefix, by what follows it. */
    static Map<String, Values> below(String prefix, Map<String, Values> weights) {
        Map<String, Values> part = new LinkedHashMap<>();
        weights.forEach((key, values) -> {
            if (key.startsWith(prefix)) {
                part.put(key.substring(prefix.length()), values);
            }
        });
        return part;
    }

    /** Publishes a component: its config.json, and its weights in float16. */
    static void write(Path folder, JsonNode config, String file, Map<String, Values> weights) throws IOException {
        write(folder.resolve("config.json"), config);
        SafetensorsWriter.write(folder.resolve(file), ElementType.F16, new TreeMap<>(weights));
    }

    private static void write(Path file, JsonNode json) throws IOException {
        Caches.publish(
                file.toAbsolutePath(),
                part -> Files.writeString(
                        part, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n"));
    }

    private void index() throws IOException {
        write(model.resolve("scheduler").resolve("scheduler_config.json"), settings.scheduler());
        ObjectNode index = JSON.createObjectNode().put("_class_name", "StableDiffusionPipeline");
        index.putArray("scheduler")
                .add("diffusers")
                .add(settings.scheduler().path("_class_name").asText());
        index.putArray("text_encoder").add("transformers").add("CLIPTextModel");
        index.putArray("tokenizer").add("transformers").add("CLIPTokenizer");
        index.putArray("unet").add("diffusers").add("UNet2DConditionModel");
        index.putArray("vae").add("diffusers").add("AutoencoderKL");
        index.putArray("safety_checker").addNull().addNull();
        index.putArray("feature_extractor").addNull().addNull();
        write(model.resolve("model_index.json"), index.put("requires_safety_checker", false));
    }
}
