package latentmix.export;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import latentmix.config.RunConfig;
import latentmix.config.RunConfig.DatasetFormat;
import latentmix.config.Spelled;
import latentmix.plan.ByHand;
import latentmix.plan.RunSettings;
import latentmix.report.Counts;
import latentmix.report.FilterSummary;
import latentmix.report.Leakage;
import latentmix.table.MetricRow;
import latentmix.work.ExportWork.ClassCount;

/**
 * What a dataset says of itself: {@code README.md} with the front matter that Hugging Face reads (<a
 * href="https://huggingface.co/docs/hub/datasets-cards">dataset cards</a>), and {@link Croissant}. It says nothing of
 * when or where it was made: the same dataset has the same card.
 *
 * @param classes what each class has, by label
 * @param byHand what a person decided of its images
 * @param filter what a filter made of each entry's mixtures; empty without one
 * @param leakage how near images come to real ones; empty where nobody asks
 * @param metrics what was measured; empty where nothing was
 */
public record DatasetCard(
        RunConfig config,
        RunSettings settings,
        List<ClassCount> classes,
        ByHand byHand,
        List<FilterSummary> filter,
        List<Leakage> leakage,
        List<MetricRow> metrics) {
    private static final int MOST_CLASSES = 100;

    private static final String COLUMNS =
            """
            | column | what it is |
            |---|---|
            | `image` | the PNG file |
            | `label`, `class_name` | the class |
            | `split` | `made` or `real` |
            | `mix_id`, `method` | which mixture it is, and how it was mixed; empty for a real image |
            | `source_ids`, `weights` | the images that it was made of, and how much of each |""";

    private static final String SOFT_COLUMNS =
            """

            | `labels`, `label_weights` | the classes of the soft label, the row's own first, and the share of each |""";

    public DatasetCard {
        classes = List.copyOf(classes);
        filter = List.copyOf(filter);
        leakage = List.copyOf(leakage);
        metrics = List.copyOf(metrics);
    }

    /** The dataset's description for programs, as JSON-LD. */
    public String croissant() {
        return Croissant.json(config.export(), summary(), config.hasSoftLabels());
    }

    /** The card. */
    public String markdown() {
        List<String> parts = new ArrayList<>();
        parts.add(frontMatter());
        parts.add("# Made by Latentmix");
        parts.add(summary());
        parts.add("**These images are synthetic.** A model made them. They show nothing that was seen by a camera."
                + (config.export().mark()
                        ? " Each says so in an XMP packet, with IPTC's digital source type `trainedAlgorithmicMedia`"
                                + " and its mix id."
                        : "")
                + (config.export().real() ? " Rows whose `split` is `real` are the source images." : ""));
        parts.add("## How they were made");
        parts.add(method());
        parts.add("## How many there are");
        parts.add(counts());
        if (!filter.isEmpty()) {
            parts.add("## What was filtered out");
            parts.add(filtered());
        }
        if (!leakage.isEmpty()) {
            parts.add("## How near they come to real images");
            parts.add(near());
        }
        if (!metrics.isEmpty()) {
            parts.add("## What was measured");
            parts.add(measured());
        }
        parts.add("## How to load it");
        parts.add(loading());
        parts.add("## What a row holds");
        parts.add(config.hasSoftLabels() ? COLUMNS + SOFT_COLUMNS : COLUMNS);
        return String.join("\n\n", parts) + "\n";
    }

    private String frontMatter() {
        List<String> lines = new ArrayList<>(List.of(
                "---",
                "pretty_name: Made by Latentmix",
                "license: " + config.export().license() + " # export.license",
                "task_categories:",
                "- image-classification",
                "annotations_creators:",
                "- machine-generated",
                "source_datasets:",
                "- extended",
                "size_categories:",
                "- " + size(made() + real()),
                "tags:",
                "- synthetic",
                "- image",
                "- diffusion",
                "- latentmix",
                "configs:",
                "- config_name: default",
                "  data_files:",
                "  - split: train",
                "    path: \"" + path("*") + "\""));
        if (config.export().real() && first() != DatasetFormat.IMAGES) {
            for (String split : List.of("made", "real")) {
                lines.add("- config_name: " + split);
                lines.add("  data_files:");
                lines.add("  - split: train");
                lines.add("    path: \"" + path(split + "-*") + "\"");
            }
        }
        lines.add("---");
        return String.join("\n", lines);
    }

    private DatasetFormat first() {
        return config.export().formats().get(0);
    }

    /** The files of the first format; without them Hugging Face takes a class called train for a split. */
    private String path(String name) {
        return switch (first()) {
            case PARQUET -> "parquet/" + name + ".parquet";
            case WEBDATASET -> "webdataset/" + name + ".tar";
            case IMAGES -> "images/**";
        };
    }

    /** Hugging Face's word for how many rows there are. */
    static String size(long rows) {
        String[] words = {"n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B"};
        long limit = 1_000;
        for (int i = 0; i < words.length; i++) {
            if (rows < limit) {
                return words[i];
            }
            limit *= 10;
        }
        return "1B<n<10B";
    }

    private long made() {
        return classes.stream().mapToLong(ClassCount::made).sum();
    }

    private long real() {
        return classes.stream().mapToLong(ClassCount::real).sum();
    }

    private String summary() {
        return String.format(
                Locale.ROOT,
                "%d synthetic images%s of %d classes, mixed from the latents of real images of %s and generated by %s.",
                made(),
                real() > 0 ? " and " + real() + " real ones" : "",
                classes.size(),
                config.hasSoftLabels() ? "the same class or of several, whose labels are soft," : "the same class",
                config.model().checkpoint().name());
    }

    private String method() {
        List<String> lines = new ArrayList<>(List.of("| | |", "|---|---|"));
        line(lines, "base model", config.model().checkpoint().name());
        config.model().checkpoint().additions().forEach(added -> line(lines, "with", added));
        line(lines, "its fingerprint", settings.inversion().checkpointFingerprint());
        line(
                lines,
                "image size",
                settings.inversion().size() + "×" + settings.inversion().size());
        line(
                lines,
                "inversion",
                settings.inversion().method() + ", " + settings.inversion().steps() + " steps, guidance "
                        + number(settings.inversion().guidance())
                        + (settings.inversion().forwardFirst() == 0
                                ? ""
                                : ", the first " + settings.inversion().forwardFirst() + " the forward process"));
        line(
                lines,
                "generation",
                settings.generation().solver() + ", " + settings.generation().steps() + " steps, guidance "
                        + number(settings.generation().guidance()));
        line(lines, "prompt", config.prompt().template());
        config.adapt().ifPresent(adapt -> line(lines, "class", learnt(adapt)));
        line(lines, "seed", Long.toString(config.run().seed()));
        config.mixing().stream()
                .filter(RunConfig.Mixing::export)
                .forEach(entry -> line(
                        lines,
                        "mixtures " + entry.name(),
                        spelled(entry.methods()) + " of " + spelled(entry.inputs()) + " images, weights "
                                + entry.weights().text() + drawn(entry) + ", "
                                + entry.count().words()));
        return String.join("\n", lines);
    }

    /** What the mixtures of an entry draw beside their inputs and weights. */
    private static String drawn(RunConfig.Mixing entry) {
        String share = entry.contextShare() < 1 ? " for " + entry.contextShare() + " of the steps" : "";
        return (entry.neighbours() == 0 ? "" : ", drawn among the " + entry.neighbours() + " nearest of the first")
                + (entry.contexts().isEmpty()
                        ? ""
                        : ", in one of the contexts " + String.join("; ", entry.contexts()) + share)
                + (entry.guidance().isEmpty()
                        ? ""
                        : ", at one of the guidances "
                                + entry.guidance().stream()
                                        .map(DatasetCard::number)
                                        .collect(Collectors.joining(", ")));
    }

    private static String learnt(RunConfig.Adapt adapt) {
        String token = adapt.method().learnsToken()
                ? "a token learnt of its images by " + RunConfig.AdaptMethod.TEXTUAL_INVERSION
                : "";
        String lora = adapt.lora()
                .map(how -> (token.isEmpty() ? "" : " with ") + "a LoRA of rank " + how.rank()
                        + (adapt.scope() == RunConfig.AdaptScope.CLASS
                                ? " learnt of its images"
                                : " learnt of the images of all classes")
                        + " at the rate " + how.learningRate())
                .orElse("");
        return token + lora + ", " + adapt.steps() + " steps of " + adapt.batch() + " images"
                + (token.isEmpty() ? "" : ", rate " + adapt.learningRate());
    }

    private static <T> String spelled(List<Spelled<T>> values) {
        return values.stream().map(Spelled::text).collect(Collectors.joining(", "));
    }

    private static void line(List<String> lines, String name, String value) {
        lines.add("| " + plain(name) + " | " + plain(value) + " |");
    }

    private String counts() {
        List<String> lines = new ArrayList<>();
        lines.add(config.export().real() ? "| label | class | made | real |" : "| label | class | made |");
        lines.add(config.export().real() ? "|---|---|---|---|" : "|---|---|---|");
        for (ClassCount count : classes.subList(0, Math.min(MOST_CLASSES, classes.size()))) {
            lines.add("| " + count.label().label() + " | " + plain(count.label().className()) + " | " + count.made()
                    + " |" + (config.export().real() ? " " + count.real() + " |" : ""));
        }
        if (classes.size() > MOST_CLASSES) {
            lines.add("");
            lines.add("And " + (classes.size() - MOST_CLASSES) + " more classes.");
        }
        if (!byHand.isNothing()) {
            lines.add("");
            lines.add("A person looked at images: " + byHand.dropped().size() + " were dropped and "
                    + byHand.kept().size() + " were kept by hand.");
        }
        return String.join("\n", lines);
    }

    private String filtered() {
        Set<String> exported = config.mixing().stream()
                .filter(RunConfig.Mixing::export)
                .map(RunConfig.Mixing::name)
                .collect(Collectors.toSet());
        List<String> lines = new ArrayList<>(List.of("| judge | keeps |", "|---|---|"));
        judges(config.filter().orElseThrow()).forEach((judge, keeps) -> line(lines, judge, keeps));
        lines.addAll(List.of(
                "", "| mixtures | asked for | made | kept | dropped, by the first judge |", "|---|---|---|---|---|"));
        for (FilterSummary of : filter) {
            if (exported.contains(of.entry())) {
                lines.add("| " + plain(of.entry()) + " | " + of.asked() + " | " + of.made() + " | " + of.kept() + " | "
                        + Counts.listed(of.dropped()) + " |");
            }
        }
        return String.join("\n", lines);
    }

    /** What each judge of a filter keeps, in words. */
    private static Map<String, String> judges(RunConfig.Filter filter) {
        Map<String, String> judges = new LinkedHashMap<>();
        filter.ofClass()
                .ifPresent(judge -> judges.put(
                        "class",
                        "images taken for their own class by " + judge.by() + " in features of " + judge.features()
                                + ", score at least " + judge.threshold()));
        filter.copy().ifPresent(judge -> judges.put("copy", "images farther from real ones than " + near(judge)));
        filter.twin().ifPresent(judge -> judges.put("twin", "images farther from earlier ones than " + near(judge)));
        filter.text().ifPresent(judge -> judges.put("text", "images whose CLIP score is at least " + judge));
        filter.blank()
                .ifPresent(judge -> judges.put(
                        "blank",
                        "images within the range of real ones: entropy " + judge.entropy() + ", saturation "
                                + judge.saturation() + ", sharpness " + judge.sharpness()));
        return judges;
    }

    private String near() {
        int bound = leakage.get(0).bound();
        List<String> lines = new ArrayList<>(List.of(
                "Bits of 64 by which the dHash of an image differs from that of the nearest real image of its class."
                        + " Input are the images that the dataset is made of; the others are kept for tests. Where made"
                        + " images are much nearer than real ones are to each other, they are copies. Near are"
                        + " images within " + bound + " bits; same are those whose file has the same bytes, in any"
                        + " class.",
                "",
                "| images | how many | among | how many | same | near | the nearest | one of 100 | one of 10 | median |",
                "|---|---|---|---|---|---|---|---|---|---|"));
        for (Leakage of : leakage) {
            lines.add(String.format(
                    Locale.ROOT,
                    "| %s | %d | %s | %d | %d | %d | %d | %d | %d | %d |",
                    of.split(),
                    of.images(),
                    plain(of.among()),
                    of.others(),
                    of.same(),
                    of.near(),
                    of.least(),
                    of.hundredth(),
                    of.tenth(),
                    of.median()));
        }
        return String.join("\n", lines);
    }

    private static String near(RunConfig.NearJudge judge) {
        return judge.hash() + " bits of dHash"
                + judge.features()
                        .map(network -> " and " + judge.distance() + " in features of " + network)
                        .orElse("");
    }

    private String measured() {
        List<String> lines = new ArrayList<>(List.of(
                "Over all classes. Many metrics depend on the number of images: compare equal numbers only.",
                "",
                "| images of | method | inputs | metric | value | 95 % interval | images |",
                "|---|---|---|---|---|---|---|"));
        List<MetricRow> sorted = metrics.stream()
                .filter(row -> row.scope().equals(MetricRow.ALL))
                .sorted(Comparator.comparing(MetricRow::entry)
                        .thenComparing(MetricRow::sourceCount)
                        .thenComparing(MetricRow::weights)
                        .thenComparing(MetricRow::method)
                        .thenComparing(MetricRow::metric))
                .toList(); // whatever the files are called that they come from
        for (MetricRow row : sorted) {
            lines.add(String.format(
                    Locale.ROOT,
                    "| %s | %s | %s | %s | %s | %s | %d |",
                    plain(row.entry()),
                    plain(row.method()),
                    row.sourceCount() == 0 ? "" : row.sourceCount(),
                    row.metric(),
                    number(row.value()),
                    Double.isNaN(row.low()) ? "" : number(row.low()) + " to " + number(row.high()),
                    row.images()));
        }
        return String.join("\n", lines);
    }

    private String loading() {
        List<String> parts = new ArrayList<>();
        parts.add("With Hugging Face datasets, where `dataset` is the folder of this file:");
        parts.add(code("from datasets import load_dataset", "", "data = load_dataset(\"dataset\", split=\"train\")"));
        for (DatasetFormat format : config.export().formats()) {
            parts.add(
                    switch (format) {
                        case PARQUET -> "The Parquet files alone:";
                        case WEBDATASET -> "The tar files with WebDataset:";
                        case IMAGES -> "The image files with torchvision:";
                    });
            parts.add(
                    switch (format) {
                        case PARQUET ->
                            code("data = load_dataset(\"parquet\", data_files=\"dataset/parquet/*.parquet\","
                                    + " split=\"train\")");
                        case WEBDATASET ->
                            code(
                                    "import glob",
                                    "import webdataset",
                                    "",
                                    "shards = sorted(glob.glob(\"dataset/webdataset/*.tar\"))",
                                    "data = webdataset.WebDataset(shards, shardshuffle=False).decode(\"pil\")"
                                            + ".to_tuple(\"png\", \"cls\")");
                        case IMAGES ->
                            code(
                                    "from torchvision.datasets import ImageFolder",
                                    "",
                                    "data = ImageFolder(\"dataset/images\")");
                    });
        }
        if (config.hasSoftLabels() && first() != DatasetFormat.IMAGES) {
            parts.add("Labels are soft. `cross_entropy` takes the share of each class as its target:");
            parts.add(code(
                    "import torch",
                    "",
                    "def target(row):",
                    "    shares = torch.zeros(" + classes.size() + ")",
                    "    shares[row[\"labels\"]] = torch.tensor(row[\"label_weights\"], dtype=torch.float)",
                    "    return shares"));
        }
        if (config.export().real() && first() != DatasetFormat.WEBDATASET) {
            parts.add("A batch with a share p of made images. Papers take 0.1 where real images abound, and 0.3 to 0.7"
                    + " where a class has few:");
            parts.add(code(
                    "import torch",
                    "from torch.utils.data import DataLoader, WeightedRandomSampler",
                    "",
                    "p = 0.5",
                    "made = torch.tensor([split == \"made\" for split in data[\"split\"]])",
                    "weights = torch.where(made, p / made.sum(), (1 - p) / (~made).sum())",
                    "sampler = WeightedRandomSampler(weights, num_samples=len(data))",
                    "images = data.select_columns([\"image\", \"label\"]).with_format(\"torch\")",
                    "loader = DataLoader(images, batch_size=64, sampler=sampler)"));
        } else if (!config.export().real()) {
            parts.add("There are made images alone. `export.real: true` adds the real ones, and lines that sample a"
                    + " batch with a share of each.");
        }
        return String.join("\n\n", parts);
    }

    private static String code(String... lines) {
        return "```python\n" + String.join("\n", lines) + "\n```";
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e9
                ? String.format(Locale.ROOT, "%.0f", value)
                : String.format(Locale.ROOT, "%.4g", value);
    }

    /** A text as Markdown shows it in a cell of a table, whatever is in it. */
    static String plain(String text) {
        return text.replaceAll("[\\p{Cntrl}\\u2028\\u2029]", " ").replaceAll("([\\\\`*_\\[\\]<>&|#~$])", "\\\\$1");
    }
}
