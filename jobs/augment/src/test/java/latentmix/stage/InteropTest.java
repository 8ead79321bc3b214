package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.codec.LittleEndian;
import latentmix.config.RunConfig;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.Resize;
import latentmix.model.AdaptableDenoiser;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.TextEncoder;
import latentmix.plan.LoraTag;
import latentmix.table.AdapterRow;
import latentmix.table.ContentId;
import latentmix.table.GeneratedRow;
import latentmix.table.PromptRow;
import latentmix.table.StageName;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The dataset as Python's readers see it: Hugging Face datasets, WebDataset, torchvision and mlcroissant; and what is
 * learnt of classes as diffusers does.
 */
@Tag("interop")
@Timeout(value = 40, unit = TimeUnit.MINUTES) // gigabytes of PyTorch
class InteropTest {
    /** Names that loaders take for splits, numbers or patterns, or that shells, URLs, JSON and YAML read otherwise. */
    private static final List<String> CLASSES = List.of(
            "train",
            "test",
            "$HOME",
            "dev",
            "val",
            "validation",
            "data",
            "images",
            "metadata",
            "null",
            "true",
            "0001",
            "1e3",
            "a b",
            "it's",
            "say \"a\"",
            "naïve",
            "日本語",
            "😀",
            "50%",
            "100%41",
            "a#b",
            "a?b",
            "a&b=c",
            "[a]",
            "{b,c}",
            "a*b",
            "back\\slash",
            "a|b",
            "<i>",
            "~",
            "-rf",
            "$(ls)",
            "`x`",
            "a;b",
            "a,b",
            "@",
            "!",
            "a+b");

    @TempDir
    static Path folder;

    private static Path input;
    private static Path run;
    private static PythonReaders python;

    @BeforeAll
    static void aRunOfHostileNames() throws Exception {
        input = folder.resolve("in");
        for (String name : CLASSES) {
            TinyRun.copy(input, "5-sandal", 0, 2);
            Files.move(input.resolve("5-sandal"), input.resolve(name));
        }
        run = folder.resolve("run");
        assertThat(TinyRun.run(2, config("[parquet, webdataset, images]"), run)).isZero();
        python = PythonReaders.in(folder);
    }

    private static RunConfig config(String formats) {
        return TinyRun.config(
                input,
                "input.conflicts=keep", // the same images under every name
                "mixing=[{name: all, methods: nin/chm, inputs: 2, count: 2}]",
                "generation.steps=2",
                "inversion.steps=2",
                "export.real=true",
                "export.formats=" + formats);
    }

    /** What must be found: the pixels of the generated table, and of the input's files. */
    private static Path expected(String... formats) throws Exception {
        ObjectMapper json = new ObjectMapper();
        ObjectNode expected = json.createObjectNode();
        List<String> names = CLASSES.stream().sorted().toList();
        expected.set("names", json.valueToTree(names));
        expected.set("formats", json.valueToTree(formats));
        ObjectNode images = expected.putObject("images");
        for (GeneratedRow row : TinyRun.rows(run, "generated", GeneratedRow.class)) {
            put(
                    images,
                    row.mixId(),
                    row.classId(),
                    "made",
                    ImageDecoder.decode(row.image().bytes(), 32 * 32));
        }
        for (String name : names) {
            try (Stream<Path> files = Files.list(input.resolve(name))) {
                for (Path file : files.toList()) {
                    byte[] bytes = Files.readAllBytes(file);
                    Pixels square = Resize.square(ImageDecoder.decode(bytes, 10_000), 32);
                    put(images, "real-" + ContentId.of(name, bytes), name, "real", square);
                }
            }
        }
        return Files.writeString(folder.resolve("expected.json"), json.writeValueAsString(expected));
    }

    private static void put(ObjectNode images, String key, String classId, String split, Pixels pixels)
            throws Exception {
        images.putObject(key)
                .put("label", CLASSES.stream().sorted().toList().indexOf(classId))
                .put("folder", classId.replace("$", "%24"))
                .put("split", split)
                .put(
                        "pixels",
                        HexFormat.of()
                                .formatHex(MessageDigest.getInstance("SHA-256").digest(pixels.rgb())));
    }

    private static void load(String... formats) throws Exception {
        Path expected = expected(formats);
        System.out.println(python.run("load.py", run.resolve("dataset").toString(), expected.toString()));
    }

    @Test
    void diffusersLoadsATokenAndALoraThatWereLearntAndComputesTheSame() throws Exception {
        Path adapted = folder.resolve("adapted");
        try (JavaSparkContext spark = TinyRun.spark(2)) {
            RunConfig config = TinyRun.config(
                    TinyRun.input(folder.resolve("classes"), 4),
                    "mixing.1.inputs=2",
                    "adapt={method: both, steps: 4, vectors: 3, rank: 2, alpha: 3, lora_learning_rate: 0.01}");
            Pipeline.run(spark, config, adapted.toString(), List.of(StageName.ADAPT));
        }
        ObjectMapper json = new ObjectMapper();
        ArrayNode expected = json.createArrayNode();
        for (AdapterRow row : TinyRun.rows(adapted, "adapters", AdapterRow.class)) {
            PromptRow prompt = TinyRun.rows(adapted, "prompts", PromptRow.class).stream()
                    .filter(one -> one.text().equals(row.prompt()))
                    .findFirst()
                    .orElseThrow();
            ObjectNode one = expected.addObject();
            predicted(row, prompt, adapted, one);
            one.put("file", AdaptTest.learnt(adapted, row).toString())
                    .put("token", row.token())
                    .put("prompt", LoraTag.without(row.prompt()))
                    .put("vectors", row.vectors())
                    .set("embeds", json.valueToTree(LittleEndian.floats(prompt.embeds())));
        }
        assertThat(expected).hasSize(2);
        Path file = Files.writeString(folder.resolve("tokens.json"), expected.toString());
        System.out.println(python.run("adapted.py", BuiltIn.FASHION.folder().toString(), file.toString()));
    }

    /** What the U-Net says with a LoRA of some sample. */
    private static void predicted(AdapterRow row, PromptRow prompt, Path run, ObjectNode into) {
        CheckpointFolder checkpoint = CheckpointFolder.open(BuiltIn.FASHION.folder());
        AdaptableDenoiser adaptable = Models.adaptableDenoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
        latentmix.latent.Shape shape = adaptable.latentShape();
        float[] sample = new float[shape.size()];
        for (int i = 0; i < sample.length; i++) {
            sample[i] = (float) Math.sin(i);
        }
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            NDArray output = adaptable
                    .with(LittleEndian.floats(row.lora()), manager)
                    .predict(
                            manager.create(sample, new Shape(1, shape.channels(), shape.height(), shape.width())),
                            481,
                            new TextEncoder.Embeds(
                                            prompt.tokens(),
                                            prompt.width(),
                                            LittleEndian.floats(prompt.embeds()),
                                            new float[0])
                                    .onto(manager));
            ObjectMapper json = new ObjectMapper();
            into.put("lora", AdaptLoraTest.learnt(run, row).toString()).put("timestep", 481);
            into.set("sample", json.valueToTree(sample));
            into.set("shape", json.valueToTree(output.getShape().getShape()));
            into.set("output", json.valueToTree(output.toFloatArray()));
        }
    }

    @Test
    void everyReaderGivesTheImagesThatWereMadeWithTheirLabels() throws Exception {
        load("parquet", "webdataset", "images");
        for (String format : List.of("webdataset", "images")) { // whose card is another
            try (JavaSparkContext spark = TinyRun.spark(2)) {
                assertThat(Pipeline.run(spark, config(format), run.toString(), List.of(StageName.EXPORT)))
                        .isZero();
            }
            load(format);
        }
    }
}
