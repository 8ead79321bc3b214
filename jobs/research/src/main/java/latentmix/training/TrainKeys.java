package latentmix.training;

import static latentmix.config.Key.optional;
import static latentmix.config.Key.with;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import latentmix.config.Block;
import latentmix.config.Key;
import latentmix.config.RunKeys;
import latentmix.config.Type;

/** The keys of a training's configuration, each declared once. */
public final class TrainKeys {
    private static final int MOST = 100_000_000;

    static final Key<ObjectNode> WHERE = optional(
            "where",
            new Type.Mapping(),
            "all rows",
            "Which rows of a manifest are taken: for some columns, the texts that they may have.",
            "{split: train, style: [noto, twemoji]}");
    static final Key<String> MIRRORED = optional(
            "mirrored",
            new Type.Text(),
            "no image is mirrored",
            "The column of a manifest that is `true` where a mirror image shows the same thing. Half of the times such"
                    + " an image is shown mirrored.",
            "mirrored");
    static final Key<String> LABEL = optional(
            "label",
            new Type.Text(),
            "no classes",
            "The column of a manifest whose texts are the classes, numbered in alphabetical order. A classifier is"
                    + " trained on them, and the report judges samples by them.",
            "class");
    static final Block INPUT = RunKeys.INPUT
            .without(RunKeys.INPUT_FORMAT)
            .without(RunKeys.COLUMNS)
            .without(RunKeys.LIMIT)
            .without(RunKeys.CONFLICTS)
            .and(WHERE, MIRRORED, LABEL)
            .named("input", "The images to train on, all of them. Nothing else is trained on.");

    static final Key<Double> DROPOUT = with(
            "dropout",
            new Type.Decimal(0, 1),
            "0.1",
            "The share of images that are shown with an empty prompt, so that guidance works.",
            "0.1");
    static final Key<List<String>> ROWS = optional(
            "rows",
            new Type.ListOf<>(new Type.Text()),
            "`template`, by folders",
            "What is told of a row of a manifest, `{column}` standing for its text there. The first says most; the"
                    + " others say less. A CSV file at `input.root` is read as a manifest where this is set.",
            "[\"a {style} emoji of a {name}\", \"an emoji of a {name}\"]");
    static final Key<Double> SHORTER = with(
            "shorter",
            new Type.Decimal(0, 1),
            "0",
            "The share of images that are shown with one of the `rows` that say less.",
            "0.3");
    static final Block PROMPT = RunKeys.CLASS_PROMPT.and(DROPOUT, ROWS, SHORTER);

    static final Key<String> HELD_OUT = optional(
            "held_out",
            RunKeys.LOCATION,
            "curves alone",
            "Images to compare with, `<root>/<class>/<image>`, or a manifest where `prompt.rows` is set. They are never"
                    + " trained on.",
            "data/fashion-mnist/pool");
    static final Key<ObjectNode> HELD_OUT_WHERE = optional(
            "where",
            new Type.Mapping(),
            "the rows that the U-Net sees",
            "Which rows of the manifest `held_out` are taken: what is other than of the rows that the U-Net sees.",
            "{split: test}");
    static final Key<String> SAMPLE_PROMPT = optional(
            "prompt",
            new Type.Text(),
            "the training's prompts, by folders",
            "What samples of a manifest's class are made of, `{column}` standing for the text of `input.label`.",
            "an emoji of a {class}");
    static final Key<String> CLASSIFIER = optional(
            "classifier",
            RunKeys.LOCATION,
            "the one that is trained here, else `builtin:fashion/classifier`",
            "The classifier in whose features Fréchet distances are taken, and whose answers are compared with"
                    + " prompts.",
            "builtin:fashion/classifier");
    static final Key<List<String>> COMPARE = optional(
            "compare",
            new Type.ListOf<>(RunKeys.LOCATION),
            "none",
            "Other checkpoints that are measured beside the trained one.",
            "builtin:fashion");
    static final Key<List<Double>> GUIDANCE = with(
            "guidance",
            new Type.ListOf<>(new Type.Decimal(1, 1000)),
            "2",
            "The guidance scale of the samples, or several.",
            "[1, 2, 4]");
    static final Block REPORT = Block.optional(
            "report",
            "curves alone",
            "What the trained model is compared by.",
            HELD_OUT,
            HELD_OUT_WHERE,
            SAMPLE_PROMPT,
            CLASSIFIER,
            COMPARE,
            GUIDANCE);

    static final Key<Integer> SIZE = with("size", new Type.Count(8, 1024), "32", "Pixels of a side.", "32");
    static final Block MODEL = Block.of("model", "What the parts have in common.", SIZE);

    static final Key<Integer> STEPS = with("steps", new Type.Count(1, MOST), "10000", "Steps.", "4000");
    static final Key<Integer> BATCH = with("batch", new Type.Count(1, MOST), "64", "Images of a step.", "32");
    static final Key<Double> LEARNING_RATE =
            with("learning_rate", new Type.Decimal(0, 1), "0.001", "The largest learning rate.", "0.002");
    static final Key<Integer> WARMUP =
            with("warmup", new Type.Count(0, MOST), "100", "Steps in which the learning rate rises from 0.", "100");
    static final Key<Double> WEIGHT_DECAY =
            with("weight_decay", new Type.Decimal(0, 1), "0.01", "The weight decay.", "0.01");
    static final Key<Double> EMA = with(
            "ema",
            new Type.Decimal(0, 1 - 1e-9),
            "0.999",
            "The decay of the moving average of the weights, which is what is kept.",
            "0.999");

    static final Block JOINT = schedule("joint", "The training of encoder and decoder together.");
    static final Block DECODER = schedule("decoder", "The training of the decoder alone that follows.");
    static final Block TRAINING = schedule("training", "The training of the denoiser.");

    static final Key<String> FROM = optional(
            "from",
            RunKeys.LOCATION,
            "a new one",
            "A checkpoint that this part comes from. An autoencoder is taken as it is; a denoiser is trained on.",
            "runs/fashion-unlabelled/model");
    static final Key<ObjectNode> CONFIG = optional(
            "config",
            new Type.Mapping(),
            "nothing",
            "As in diffusers' `vae/config.json`. The `scaling_factor` is measured.",
            "{in_channels: 3, latent_channels: 4}");
    static final Key<Double> KL = with(
            "kl",
            new Type.Decimal(0, 1000),
            "0.0005",
            "The weight of the latents' distance from a standard normal distribution.",
            "0.0005");
    static final Key<Double> EDGES = with(
            "edges",
            new Type.Decimal(0, 1000),
            "1",
            "The weight of the differences of neighbouring pixels: sharpness.",
            "0.5");
    static final Block AUTOENCODER =
            Block.of("autoencoder", "The autoencoder.", FROM, CONFIG, KL, EDGES, JOINT, DECODER);

    static final Key<ObjectNode> UNET = optional(
            "unet",
            new Type.Mapping(),
            "nothing",
            "As in diffusers' `unet/config.json`.",
            "{block_out_channels: [48, 96], layers_per_block: 1}");
    static final Key<ObjectNode> TEXT_ENCODER = optional(
            "text_encoder",
            new Type.Mapping(),
            "nothing",
            "As in transformers' `config.json`. The vocabulary is learnt from the prompts.",
            "{hidden_size: 64, num_hidden_layers: 2}");
    static final Key<ObjectNode> SCHEDULER = optional(
            "scheduler",
            new Type.Mapping(),
            "nothing",
            "As in diffusers' `scheduler_config.json`: a scaled linear schedule that predicts the noise.",
            "{_class_name: DDIMScheduler, beta_schedule: scaled_linear}");
    static final Key<Double> MIN_SNR = with(
            "min_snr",
            new Type.Decimal(0, 1000),
            "0",
            "γ of the loss's weights `min(snr, γ)/snr`, which let steps of little noise count less. At 0 all count alike.",
            "5");
    static final Block DENOISER = Block.of(
            "denoiser",
            "The U-Net and what it is told by. `where` narrows `input.where`: it may see fewer images than the"
                    + " autoencoder.",
            FROM,
            WHERE,
            UNET,
            TEXT_ENCODER,
            SCHEDULER,
            MIN_SNR,
            TRAINING);

    static final Key<ObjectNode> LAYERS = optional(
            "config",
            new Type.Mapping(),
            "a small one",
            "As in the component's `config.json`, without its size, channels and classes.",
            "{block_out_channels: [32, 64, 128], strides: 2, feature_dim: 64, normalization: group_norm}");
    static final Key<Double> LABEL_SMOOTHING = with(
            "label_smoothing",
            new Type.Decimal(0, 0.99),
            "0.1",
            "The share of a label that goes to all classes alike.",
            "0.1");
    static final Block CLASSIFIER_TRAINING = schedule("training", "The training of the classifier.");
    static final Block OWN_CLASSIFIER = Block.optional(
            "classifier",
            "none is trained",
            "A classifier of coloured images, trained on what the U-Net sees. It becomes `model/classifier`.",
            LAYERS,
            LABEL_SMOOTHING,
            CLASSIFIER_TRAINING);

    static final Key<Integer> THREADS =
            with("threads", new Type.Count(1, 1024), "1", "CPU threads. They are part of what decides the bytes.", "1");
    static final Block RUN = Block.of("run", "How the training runs.", RunKeys.SEED, THREADS);

    /** A whole training. */
    public static final Block TRAIN = Block.of(
            "",
            "A training's configuration.",
            INPUT,
            PROMPT,
            REPORT,
            MODEL,
            AUTOENCODER,
            DENOISER,
            OWN_CLASSIFIER,
            RUN);

    private TrainKeys() {}

    private static Block schedule(String name, String meaning) {
        return Block.of(name, meaning, STEPS, BATCH, LEARNING_RATE, WARMUP, WEIGHT_DECAY, EMA);
    }
}
