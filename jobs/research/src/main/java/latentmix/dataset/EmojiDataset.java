package latentmix.dataset;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import latentmix.checkpoint.Fingerprint;
import latentmix.dataset.EmojiNames.Emoji;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;

/**
 * Emoji as images: the same things, drawn by nine artists.
 *
 * <pre>
 * &lt;out&gt;/images/&lt;style&gt;/&lt;name&gt;.png      every thing in every style that has it
 * &lt;out&gt;/manifest.csv                 a line an image: path, label, caption, name, style, class, group, license, …
 * &lt;out&gt;/train|test/&lt;class&gt;/…          things that look alike, of the styles that may be shipped
 * &lt;out&gt;/classes/&lt;style&gt;/&lt;class&gt;/…     the same things in every style
 * &lt;out&gt;/subgroups/&lt;style&gt;/&lt;group&gt;/…   things of no class, by Unicode's subgroup
 * &lt;out&gt;/classes.tsv
 * &lt;out&gt;/NOTICE                       who drew them, under which licences
 * </pre>
 *
 * <p>A thing is in {@code train} or in {@code test} with all of its styles.
 */
public final class EmojiDataset {
    /** Pixels of a side. */
    public static final int SIDE = 64;

    /** One thing of so many of a class is in the test split. */
    private static final int HELD_OUT = 6;

    private static final String SHARE_ALIKE = "https://creativecommons.org/licenses/by-sa/4.0/";

    private static final String HEADER =
            "path,label,caption,name,style,class,group,subgroup,split,mirrored,author,license\n";

    private final Path modules;
    private final Path out;
    private final Map<String, String> classes; // by the key of a name
    private final List<Emoji> emoji;
    private final Set<String> heldOut; // keys

    private EmojiDataset(Path modules, Path out) throws IOException {
        this.modules = modules;
        this.out = out;
        this.classes = classes();
        this.emoji = EmojiNames.read(modules);
        this.heldOut = heldOut(emoji, classes);
    }

    /**
     * What was written and what was not.
     *
     * @param images by style
     * @param unmatched drawings of a style that show no thing of this name, by style
     * @param undrawn files that could not be drawn, with the reason
     * @param unknown names of the class list that are none of Unicode's
     */
    public record Result(
            int names,
            Map<String, Integer> images,
            Map<String, Integer> unmatched,
            List<String> undrawn,
            List<String> unknown) {
        public Result {
            images = new LinkedHashMap<>(images);
            unmatched = new LinkedHashMap<>(unmatched);
            undrawn = List.copyOf(undrawn);
            unknown = List.copyOf(unknown);
        }
    }

    private record Picture(Emoji emoji, EmojiStyle style, IconSet.Drawing drawing) {
        String path() {
            return "images/" + style.set() + "/" + emoji.slug() + ".png";
        }

        String caption() {
            return "a " + style.word() + " emoji of a " + emoji.name();
        }
    }

    private record Drawn(Picture picture, Optional<byte[]> png, String problem) {}

    /**
     * Draws what the npm packages in a folder hold.
     *
     * @param modules npm's {@code node_modules}
     * @param say takes a line about each style when it is done
     */
    public static Result write(Path modules, Path out, Consumer<String> say) throws IOException {
        return new EmojiDataset(modules, out).write(say);
    }

    private Result write(Consumer<String> say) throws IOException {
        Map<String, Integer> images = new LinkedHashMap<>();
        Map<String, Integer> unmatched = new LinkedHashMap<>();
        List<String> undrawn = new ArrayList<>();
        TreeMap<String, String> lines = new TreeMap<>(); // by path
        for (EmojiStyle style : EmojiStyle.values()) {
            IconSet set = IconSet.read(modules, style);
            List<Picture> pictures = emoji.stream()
                    .flatMap(one -> set.drawing(one.key()).map(drawing -> new Picture(one, style, drawing)).stream())
                    .toList();
            List<Drawn> drawn =
                    pictures.parallelStream().map(EmojiDataset::drawn).toList();
            Files.createDirectories(out.resolve("images").resolve(style.set()));
            int written = 0;
            for (Drawn one : drawn) {
                if (one.png().isEmpty()) {
                    undrawn.add(one.picture().path() + ": " + one.problem());
                } else {
                    keep(one.picture(), one.png().get());
                    lines.put(one.picture().path(), line(one.picture()));
                    written++;
                }
            }
            images.put(style.set(), written);
            unmatched.put(style.set(), set.size() - pictures.size());
            say.accept(style.set() + ": " + written + " images, " + (set.size() - pictures.size())
                    + " drawings of other names");
        }
        Files.writeString(out.resolve("manifest.csv"), HEADER + String.join("", lines.values()));
        writeClassList();
        Files.writeString(out.resolve("NOTICE"), notice(List.of(EmojiStyle.values())));
        return new Result(emoji.size(), images, unmatched, undrawn, unknown());
    }

    private static Drawn drawn(Picture picture) {
        try {
            Pixels pixels = SvgImage.square(picture.drawing().svg(), SIDE);
            return new Drawn(picture, Optional.of(PngEncoder.encode(pixels)), "");
        } catch (RuntimeException e) { // a renderer fails in many ways, and one drawing must not end them all
            return new Drawn(picture, Optional.empty(), Objects.toString(e.getMessage(), e.toString()));
        }
    }

    private void keep(Picture picture, byte[] png) throws IOException {
        Files.write(out.resolve(picture.path()), png);
        String name = classes.get(picture.emoji().key());
        Path alike = name == null
                ? Path.of("subgroups", picture.style().set(), picture.emoji().subgroup())
                : Path.of("classes", picture.style().set(), EmojiNames.slug(name));
        Files.write(
                Files.createDirectories(out.resolve(alike))
                        .resolve(picture.emoji().slug() + ".png"),
                png);
        if (name != null && picture.style().isShipped()) {
            Path folder =
                    Files.createDirectories(out.resolve(split(picture.emoji())).resolve(EmojiNames.slug(name)));
            Files.write(
                    folder.resolve(
                            picture.emoji().slug() + "." + picture.style().set() + ".png"),
                    png);
        }
    }

    private String line(Picture picture) {
        Emoji emoji = picture.emoji();
        EmojiStyle style = picture.style();
        return String.join(
                        ",",
                        picture.path(),
                        quoted(emoji.name()),
                        quoted(picture.caption()),
                        quoted(emoji.name()),
                        style.set(),
                        classes.getOrDefault(emoji.key(), ""),
                        emoji.group(),
                        emoji.subgroup(),
                        split(emoji),
                        Boolean.toString(emoji.isMirrored()),
                        style.author(),
                        style.license())
                + "\n";
    }

    private static String quoted(String text) {
        return text.matches("[^\",\\n]*") ? text : "\"" + text.replace("\"", "\"\"") + "\"";
    }

    private String split(Emoji emoji) {
        return heldOut.contains(emoji.key()) ? "test" : "train";
    }

    /** Of every class, and of the things of each subgroup that have none, every sixth by the hash of its name. */
    private static Set<String> heldOut(List<Emoji> emoji, Map<String, String> classes) {
        Map<String, List<String>> alike = emoji.stream()
                .sorted(Comparator.comparing(one -> Fingerprint.ofText(one.key())))
                .collect(Collectors.groupingBy(
                        one -> classes.getOrDefault(one.key(), one.subgroup()),
                        Collectors.mapping(Emoji::key, Collectors.toList())));
        return alike.values().stream()
                .flatMap(keys -> IntStream.range(0, keys.size())
                        .filter(i -> i % HELD_OUT == 0)
                        .mapToObj(keys::get))
                .collect(Collectors.toSet());
    }

    private void writeClassList() throws IOException {
        StringBuilder list = new StringBuilder("index\tfolder\tname\n");
        int label = 0;
        for (String name : classes.values().stream().distinct().sorted().toList()) {
            list.append(label++)
                    .append('\t')
                    .append(EmojiNames.slug(name))
                    .append('\t')
                    .append(name)
                    .append('\n');
        }
        Files.writeString(out.resolve("classes.tsv"), list);
    }

    /** Who drew the images of some styles, and under which licences. */
    static String notice(List<EmojiStyle> styles) {
        StringBuilder notice = new StringBuilder("These images were drawn from SVG files of the following works, at "
                + SIDE + "×" + SIDE + " pixels on white; nothing else was changed.\n\n");
        for (EmojiStyle style : styles) {
            notice.append(style.set())
                    .append(", by ")
                    .append(style.author())
                    .append(", ")
                    .append(style.source())
                    .append(", ")
                    .append(style.license())
                    .append(", from npm's ")
                    .append(style.npmPackage())
                    .append('\n');
        }
        return notice.append("\nThe licences: https://www.apache.org/licenses/LICENSE-2.0,\n")
                .append("https://opensource.org/license/mit (Copyright Microsoft Corporation),\n")
                .append("https://creativecommons.org/licenses/by/4.0/")
                .append(styles.stream().allMatch(EmojiStyle::isShipped) ? "" : ",\n" + SHARE_ALIKE)
                .append("\n\nNames and groups: Unicode's, from npm's " + EmojiNames.NPM_PACKAGE + ", MIT.\n")
                .toString();
    }

    private List<String> unknown() {
        Set<String> keys = emoji.stream().map(Emoji::key).collect(Collectors.toSet());
        return classes.keySet().stream()
                .filter(key -> !keys.contains(key))
                .sorted()
                .toList();
    }

    /** The class of each name that has one. */
    private static Map<String, String> classes() throws IOException {
        Map<String, String> classes = new HashMap<>();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(EmojiDataset.class.getResourceAsStream("emoji-classes.tsv")),
                StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] columns = line.split("\t", -1);
                for (String name : columns[1].split(", ", -1)) {
                    if (classes.put(EmojiNames.key(name), columns[0]) != null) {
                        throw new IllegalStateException("A name of emoji-classes.tsv must be there once: " + name);
                    }
                }
            }
        }
        return classes;
    }
}
