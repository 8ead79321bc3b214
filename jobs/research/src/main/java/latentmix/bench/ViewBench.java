package latentmix.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import latentmix.config.ConfigFile;
import latentmix.config.Demo;
import latentmix.config.RunConfig;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.latent.Degeneracy;
import latentmix.latent.Latent;
import latentmix.latent.Shape;
import latentmix.plan.GenerationChunk;
import latentmix.plan.GenerationSettings;
import latentmix.plan.InversionSettings;
import latentmix.plan.MixingSettings;
import latentmix.report.RunStart;
import latentmix.table.ContentId;
import latentmix.table.GeneratedRow;
import latentmix.table.GeneratedTable;
import latentmix.table.ImageRow;
import latentmix.table.ImagesTable;
import latentmix.table.LatentColumn;
import latentmix.table.MixedRow;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;
import latentmix.view.ViewServer;
import org.apache.hadoop.conf.Configuration;

/**
 * This bench measures how long the pages of a run folder take to answer. Tables, files and server are real; images and
 * latents are made up. Where there are enough of them, each page is asked for in classes that nobody has looked at
 * before.
 */
public final class ViewBench {
    private static final double BOUND = 0.3; // seconds
    private static final int CHUNK = 50;
    private static final int SIDE = 32;
    private static final int ASKED = 20; // classes, of each group
    private static final int GROUPS = 4; // of pages, each with classes of its own
    private static final String INPUTS = "8";
    private static final Pattern COUNTED = Pattern.compile("\"counted\":(\\d+)");

    private static final Pattern READ = Pattern.compile("\"read\":(\\d+),\"of\":\\1[,}]");

    private final int classes;
    private final int images;
    private final Path folder;
    private final PrintStream out;
    private final String[] firstReal; // the id of each class's first real image
    private URI address;

    /**
     * A bench.
     *
     * @param images real ones of each class, and as many that were made
     * @param folder an empty one, for the input and the run
     */
    public ViewBench(int classes, int images, Path folder, PrintStream out) {
        this.classes = classes;
        this.images = images;
        this.firstReal = new String[classes];
        this.folder = folder;
        this.out = out;
    }

    /** Makes the folder, looks at it and says how long that took. */
    public void run() throws IOException {
        RunFolder run = new RunFolder(folder.resolve("run").toString(), new Configuration(false));
        double making = Stopwatch.seconds(() -> make(run));
        out.printf(Locale.ROOT, "%,d classes × %,d images real and made, written in %.0f s%n", classes, images, making);
        long start = System.nanoTime();
        try (ViewServer server = ViewServer.start(run, new ViewServer.Terms("127.0.0.1", 0, ViewServer.Mode.LOOK))) {
            address = server.address();
            out.printf(Locale.ROOT, "the server starts in %.3f s%n", (System.nanoTime() - start) / 1e9);
            report("the page itself, at once", List.of(seconds("")));
            report("overview, right after it", List.of(seconds("api/overview")));
            while (!COUNTED.matcher(get("api/overview")).results().anyMatch(of -> of.group(1)
                    .equals("" + classes))) {
                pause();
            }
            out.printf(Locale.ROOT, "all classes are counted after %.1f s%n", (System.nanoTime() - start) / 1e9);
            report("overview, all counted", repeated(0, i -> seconds("api/overview")));
            report("class, first answer", repeated(0, i -> seconds("api/class?count=100&id=" + name(i))));
            report(
                    "class, sorted by a score",
                    repeated(0, i -> seconds("api/class?count=100&sort=entropy&id=" + name(i))));
            long reading = System.nanoTime();
            String first = "api/class?count=100&id=" + name(0);
            while (!READ.matcher(get(first)).find()) {
                pause();
            }
            out.printf(Locale.ROOT, "a class is read whole after %.1f s%n", (System.nanoTime() - reading) / 1e9);
            report("class, its end", List.of(seconds(first + "&from=" + Math.max(0, 2 * images - 100))));
            report("class, sorted, its end", List.of(seconds(first + "&sort=entropy&from=" + (images - 100))));
            report("image, its page", repeated(1, i -> seconds("api/image?" + made(i))));
            report("image, its nearest sources", repeated(1, i -> seconds("api/nearest?" + made(i))));
            report("picture, made", repeated(2, i -> seconds("made?" + made(i) + "&chunk=" + chunk(classId(i), 0))));
            report("picture, real", repeated(3, i -> seconds("real?class=" + name(i) + "&id=" + firstReal[i])));
        }
    }

    @FunctionalInterface
    private interface Measured {
        double of(int classNumber) throws IOException;
    }

    private List<Double> repeated(int group, Measured measured) throws IOException {
        int asked = Math.max(1, Math.min(ASKED, classes / GROUPS));
        List<Double> seconds = new ArrayList<>();
        for (int i = 0; i < asked; i++) {
            seconds.add(measured.of((i * (classes / asked) + group) % classes));
        }
        return seconds;
    }

    private void report(String what, List<Double> seconds) {
        double most = Collections.max(seconds);
        out.printf(
                Locale.ROOT,
                "%-28s median %4.0f ms, longest %4.0f ms%s%n",
                what,
                1000 * Median.of(seconds),
                1000 * most,
                most < BOUND ? "" : "   OVER 300 ms");
    }

    private double seconds(String path) throws IOException {
        return Stopwatch.seconds(() -> get(path));
    }

    private String get(String path) throws IOException {
        try (InputStream answer = URI.create(address + path).toURL().openStream()) {
            return new String(answer.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static void pause() {
        try {
            Thread.sleep(200);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String classId(int number) {
        return String.format(Locale.ROOT, "class %04d", number);
    }

    private static String mixId(String classId, int k) {
        return ContentId.of(classId, Integer.toString(k));
    }

    private static String chunk(String classId, int from) {
        return ContentId.of(classId, "chunk", Integer.toString(from));
    }

    /** The query that names a class's first image made. */
    private static String made(int number) {
        return "class=" + name(number) + "&id=" + mixId(classId(number), 0);
    }

    private static String name(int number) {
        return URLEncoder.encode(classId(number), StandardCharsets.UTF_8);
    }

    private void make(RunFolder run) throws IOException {
        Path input = folder.resolve("in");
        RunConfig config = ConfigFile.demo(Demo.FASHION, List.of("input.root=" + input, "input.classes=null"));
        String inversion = run.settings(
                new InversionSettings("none", "cpu", "float32", 1, 1, "{class}", "", SIDE, "ddim", 1, 1, 0));
        String generation = run.settings(new GenerationSettings(
                "none", "cpu", "float32", 1, 1, "", "ddim", 999, 1, 1, 0, 1000, "png", inversion, "ddim", ""));
        String mixing = run.settings(new MixingSettings(
                inversion,
                List.of("nin/chm"),
                List.of(INPUTS),
                "equal",
                "all",
                "off",
                0,
                "",
                0,
                List.of(),
                0,
                List.of()));
        Random random = new Random(0);
        for (int number = 0; number < classes; number++) {
            make(run, input, classId(number), number, generation, mixing, random);
        }
        new RunStart(
                        config.input(),
                        config.model(),
                        inversion,
                        generation,
                        "",
                        List.of(new RunStart.Entry("dataset", true, mixing)),
                        (long) classes * images,
                        (long) classes * images)
                .publish(run);
    }

    private void make(
            RunFolder run, Path input, String classId, int label, String generation, String mixing, Random random)
            throws IOException {
        Files.createDirectories(input.resolve(classId));
        List<ImageRow> real = new ArrayList<>();
        List<MixedRow> mixed = new ArrayList<>();
        List<GeneratedRow> made = new ArrayList<>();
        for (int k = 0; k < images; k++) {
            byte[] rgb = new byte[3 * SIDE * SIDE];
            random.nextBytes(rgb);
            byte[] png = PngEncoder.encode(new Pixels(SIDE, SIDE, rgb));
            String file = k + ".png";
            Files.write(input.resolve(classId).resolve(file), png);
            String imageId = ContentId.of(classId, png);
            real.add(new ImageRow(imageId, classId, label, classId, classId + "/" + file, png.length, 0, "chunk", k));
            String mixId = mixId(classId, k);
            mixed.add(mixed(classId, label, k, mixId, imageId, mixing, random));
            made.add(new GeneratedRow(
                    mixId,
                    classId,
                    label,
                    classId,
                    new GeneratedRow.EncodedImage(png, classId + "/" + mixId + ".png"),
                    SIDE,
                    SIDE,
                    8 * random.nextDouble(),
                    random.nextDouble(),
                    random.nextDouble(),
                    1000 * random.nextDouble(),
                    random.nextLong(),
                    0,
                    generation));
        }
        new ImagesTable(run, classId).commit(real, List.of());
        firstReal[label] = real.get(0).imageId();
        for (int from = 0; from < images; from += CHUNK) {
            int to = Math.min(images, from + CHUNK);
            String chunk = chunk(classId, from);
            new MixedTable(run, classId).commit(chunk, mixed.subList(from, to), List.of());
            new GeneratedTable(run, classId)
                    .commit(GenerationChunk.id(generation, chunk), made.subList(from, to), List.of());
        }
    }

    private static MixedRow mixed(
            String classId, int label, int k, String mixId, String imageId, String mixing, Random random) {
        Latent latent = Latent.ofFloats(new Shape(1, 2, 2), new float[] {1, -1, 1, -1});
        int inputs = Integer.parseInt(INPUTS);
        return new MixedRow(
                mixId,
                classId,
                label,
                classId,
                classId,
                k,
                "pool",
                "nin/chm",
                Collections.nCopies(inputs, imageId),
                Collections.nCopies(inputs, 1.0 / inputs),
                inputs,
                LatentColumn.of(latent),
                latent.norm(),
                IntStream.range(0, 1).mapToObj(c -> 0.0).toList(),
                1,
                1,
                LatentColumn.NONE,
                0,
                random.nextDouble(),
                1,
                Degeneracy.of(latent),
                mixing,
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of());
    }
}
