package latentmix.research;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.plan.ExitCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Morphs on the built-in model, few steps. */
class MorphCommandTest {
    private static final Path SAMPLE = Path.of(BuiltIn.located("builtin:fashion-mnist-sample"));
    private static final Pattern LARGEST_STEP = Pattern.compile("neighbours ([0-9.]+) times");

    @TempDir
    Path out;

    private final StringWriter printed = new StringWriter();
    private final StringWriter err = new StringWriter();

    @ParameterizedTest
    @ValueSource(strings = {"nin/chm", "slerp", "nao", "adain"})
    void aPathLeadsFromTheFirstImageThroughOthersToTheLast(String method) throws Exception {
        List<Path> images = List.of(image("5-sandal", 0), image("9-ankle-boot", 1), image("8-bag", 0));
        assertThat(morph(
                        images,
                        "--frames",
                        "5",
                        "--steps",
                        "20",
                        "--method",
                        method,
                        "--prompt",
                        "a photo of a sandal",
                        "--prompt",
                        "a photo of an ankle boot",
                        "--prompt",
                        "a photo of a bag"))
                .as(err.toString())
                .isEqualTo(ExitCode.DONE.code());

        assertThat(files())
                .containsExactly(
                        "frame-000.png",
                        "frame-001.png",
                        "frame-002.png",
                        "frame-003.png",
                        "frame-004.png",
                        "morph.gif");
        for (int i = 0; i < 3; i++) {
            Pixels image = ImageDecoder.decode(Files.readAllBytes(images.get(i)), 1 << 20);
            double[] distances = new double[5];
            for (int f = 0; f < 5; f++) {
                distances[f] = distance(frame(f), image);
            }
            for (int f = 0; f < 5; f++) {
                if (f != 2 * i) {
                    assertThat(distances[2 * i])
                            .as("%s image %d frame %d", method, i, f)
                            .isLessThan(0.8 * distances[f]);
                }
            }
        }
    }

    @Test
    void theSamePathAgainIsTheSameBytesAndAShorterOneLeavesNoFrameOfALongerOne() throws Exception {
        List<Path> images = List.of(image("5-sandal", 0), image("9-ankle-boot", 1));
        morph(images, "--frames", "6", "--steps", "4");
        byte[] first = Files.readAllBytes(out.resolve("morph.gif"));
        morph(images, "--frames", "3", "--steps", "4");
        assertThat(files()).containsExactly("frame-000.png", "frame-001.png", "frame-002.png", "morph.gif");
        morph(images, "--frames", "6", "--steps", "4");
        assertThat(Files.readAllBytes(out.resolve("morph.gif"))).isEqualTo(first);
    }

    @ParameterizedTest
    @CsvSource({"'', 0.7", "--features builtin:fashion/classifier, 0.8"}) // a classifier's features change abruptly
    void evenSpacingMakesStepsMoreEven(String space, double bound) throws Exception {
        List<Path> images = List.of(image("1-trouser", 0), image("8-bag", 0), image("5-sandal", 2));
        String options = ("--frames 9 --steps 12 " + space).strip();
        morph(images, options.split(" "));
        double uniform = largestStep();
        morph(images, (options + " --even").split(" "));
        double even = largestStep();
        assertThat(uniform).isGreaterThan(1.25);
        assertThat(even - 1).isLessThan(bound * (uniform - 1));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--method tint(0.3) | A morph must have a method that needs two images alone, cannot have: tint(0.3)",
                "--method nin/cmm | which takes the mean of a class; use nin/chm, slerp",
                "--method slurp | A method must be norm/split",
                "--frames 1 | --frames: expected a whole number from 2 to 1000, got 1",
                "--steps 0 | --steps: expected a whole number from 1 to 1000, got 0",
                "--device tpu | --device: expected cpu, gpu",
                "--prompt a --prompt b --prompt c | one for each of the 2 images, got 3; repeat --prompt"
            })
    void settingsThatMakeNoSenseAreRefused(String options, String message) throws Exception {
        List<Path> images = List.of(image("5-sandal", 0), image("9-ankle-boot", 1));
        assertThat(morph(images, options.split(" "))).isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertThat(err.toString()).contains(message).doesNotContain("\tat ");
        assertThat(files()).isEmpty();
    }

    @Test
    void imagesThatCannotBeReadAreNamedAllAtOnce() throws Exception {
        Path text = Files.writeString(out.resolve("a.png"), "no image");
        assertThat(morph(List.of(text, Path.of("no/such.png")))).isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertThat(err.toString().lines().toList())
                .hasSize(2)
                .satisfiesExactly(line -> assertThat(line).contains("a.png"), line -> assertThat(line)
                        .contains("no/such.png"));
        assertThat(morph(List.of(image("5-sandal", 0)))).isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertThat(err.toString()).contains("two or more image files, got one");
    }

    private int morph(List<Path> images, String... options) {
        List<String> arguments =
                new ArrayList<>(List.of("morph", "--model", "builtin:fashion", "--out", out.toString()));
        arguments.addAll(List.of(options));
        images.forEach(image -> arguments.add(image.toString()));
        return latentmix.cli.Main.execute(
                Main.verbs(),
                new PrintWriter(printed, true),
                new PrintWriter(err, true),
                arguments.toArray(String[]::new));
    }

    private double largestStep() {
        var found = LARGEST_STEP.matcher(
                printed.toString().lines().reduce((one, next) -> next).orElseThrow());
        assertThat(found.find()).isTrue();
        return Double.parseDouble(found.group(1));
    }

    private List<String> files() throws Exception {
        try (Stream<Path> files = Files.list(out)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private Pixels frame(int i) throws Exception {
        return ImageDecoder.decode(Files.readAllBytes(out.resolve("frame-00" + i + ".png")), 1 << 20);
    }

    private static Path image(String folder, int index) throws Exception {
        try (Stream<Path> files = Files.list(SAMPLE.resolve(folder))) {
            return files.sorted().skip(index).findFirst().orElseThrow();
        }
    }

    /** Root mean square difference of colours. */
    private static double distance(Pixels one, Pixels other) {
        double sum = 0;
        for (int i = 0; i < one.rgb().length; i++) {
            sum += Math.pow((one.rgb()[i] & 0xff) - (other.rgb()[i] & 0xff), 2);
        }
        return Math.sqrt(sum / one.rgb().length);
    }
}
