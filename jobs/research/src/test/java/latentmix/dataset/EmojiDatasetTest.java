package latentmix.dataset;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.checkpoint.Fingerprint;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.UnreadableImage;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmojiDatasetTest {
    /** Red all over, and twice as wide as high. */
    private static final String WIDE = "{\"body\": \"<path fill='#f00' d='M0 0h64v32H0z'/>\", \"width\": 64}";

    private static final String ROUND = "{\"body\": \"<circle cx='16' cy='16' r='12' fill='#00f'/>\"}";

    private static final List<String> NAMES =
            List.of("fox", "wolf", "owl", "rose", "carrot", "hammer", "taxi", "tulip");

    @TempDir
    private static Path folder;

    private static Path modules;
    private static EmojiDataset.Result result;
    private static List<String> lines;

    /** Packages as npm's, of few drawings: every set has the names, and each its own in addition. */
    @BeforeAll
    static void draw() throws IOException {
        modules = folder.resolve("node_modules");
        Path names = Files.createDirectories(modules.resolve("emojibase-data/en"));
        Files.writeString(
                names.resolve("data.json"),
                NAMES.stream()
                        .map(name -> "{\"label\": \"" + name + "\", \"group\": 3, \"subgroup\": 0}")
                        .collect(Collectors.joining(
                                ",",
                                "[",
                                ", {\"label\": \"flag: France\", \"group\": 9, \"subgroup\": 0},"
                                        + "{\"label\": \"waving hand: dark\"}]")));
        Files.createDirectories(modules.resolve("emojibase-data/meta"));
        Files.writeString(
                modules.resolve("emojibase-data/meta/groups.json"),
                "{\"groups\": {\"3\": \"animals-nature\", \"9\": \"flags\"}, \"subgroups\": {\"0\": \"animal\"}}");
        for (EmojiStyle style : EmojiStyle.values()) {
            Path set = Files.createDirectories(modules.resolve("@iconify-json").resolve(style.set()));
            String fox = style == EmojiStyle.NOTO ? WIDE : ROUND;
            String wolf = style == EmojiStyle.TWEMOJI ? "{\"body\": \"<g/>\"}" : ROUND;
            Files.writeString(
                    set.resolve("icons.json"),
                    "{\"width\": 32, \"height\": 32, \"icons\": {\"fox\": " + fox + ", \"gray-wolf\": " + wolf + ", "
                            + NAMES.stream()
                                    .skip(2)
                                    .map(name -> "\"" + name + "\": " + ROUND)
                                    .collect(Collectors.joining(", "))
                            + ", \"thing-of-no-name\": " + ROUND
                            + "}, \"aliases\": {\"wolf\": {\"parent\": \"gray-wolf\"}}}");
        }
        result = EmojiDataset.write(modules, Files.createDirectories(folder.resolve("set")), line -> {});
        lines = Files.readAllLines(folder.resolve("set/manifest.csv"));
    }

    private static Pixels image(String path) throws IOException {
        try {
            return ImageDecoder.decode(Files.readAllBytes(folder.resolve("set").resolve(path)), 1 << 20);
        } catch (UnreadableImage e) {
            throw new IOException(e);
        }
    }

    private static List<Integer> pixel(Pixels pixels, int x, int y) {
        int at = 3 * (y * pixels.width() + x);
        return List.of(pixels.rgb()[at] & 0xff, pixels.rgb()[at + 1] & 0xff, pixels.rgb()[at + 2] & 0xff);
    }

    @Test
    void everyThingIsDrawnInEveryStyleThatHasIt() {
        assertThat(result.names()).isEqualTo(NAMES.size());
        assertThat(result.images()).hasSize(EmojiStyle.values().length).containsEntry("noto", 8);
        assertThat(lines).hasSize(1 + 9 * 8 - 1);
        assertThat(lines.get(0))
                .isEqualTo("path,label,caption,name,style,class,group,subgroup,split,mirrored,author,license");
        assertThat(lines.stream().filter(line -> line.startsWith("images/noto/fox.png,")))
                .singleElement()
                .asString()
                .contains(",a noto emoji of a fox,fox,noto,animal face,animals-nature,animal,")
                .endsWith(",true,Google,Apache-2.0");
    }

    @Test
    void whatMatchesNoNameOrDrawsNothingIsCountedAndNamed() {
        assertThat(result.undrawn())
                .containsExactly("images/twemoji/wolf.png: expected a drawing, got a blank picture");
        assertThat(result.images()).containsEntry("twemoji", 7);
        assertThat(result.unmatched()).containsEntry("noto", 2); // thing-of-no-name, gray-wolf
        assertThat(result.unknown()).contains("catface").doesNotContain("fox");
    }

    @Test
    void aWideDrawingLiesInTheMiddleOnWhite() throws IOException {
        Pixels fox = image("images/noto/fox.png");
        assertThat(fox.width()).isEqualTo(EmojiDataset.SIDE);
        assertThat(pixel(fox, 32, 32)).containsExactly(255, 0, 0);
        assertThat(pixel(fox, 1, 32)).containsExactly(255, 0, 0);
        assertThat(pixel(fox, 32, 12)).containsExactly(255, 255, 255);
        assertThat(pixel(fox, 32, 52)).containsExactly(255, 255, 255);
    }

    @Test
    void aThingIsOnOneSideOfTheSplitWithAllItsStylesAndNoShareAlikeSetIsInIt() throws IOException {
        Set<String> sides = new TreeSet<>();
        List<String> train = files("train");
        List<String> test = files("test");
        for (String name : NAMES) {
            Set<String> own = lines.stream()
                    .filter(line -> line.contains("/" + name + ".png,"))
                    .map(line -> line.split(",", -1)[8])
                    .collect(Collectors.toSet());
            assertThat(own).as(name).hasSize(1);
            sides.addAll(own);
            List<String> there = own.contains("train") ? train : test;
            assertThat(own.contains("train") ? test : train).noneMatch(file -> file.startsWith(name + "."));
            assertThat(there.stream().filter(file -> file.startsWith(name + ".")))
                    .hasSize(name.equals("wolf") ? 5 : 6)
                    .noneMatch(file -> file.contains("openmoji") || file.contains("emojione"));
        }
        assertThat(sides).containsExactly("test", "train");
        assertThat(Files.readString(folder.resolve("set/NOTICE")))
                .contains("twemoji, by Twitter")
                .contains("CC-BY-4.0");
    }

    private static List<String> files(String split) throws IOException {
        List<String> names = new ArrayList<>();
        try (var walk = Files.walk(folder.resolve("set").resolve(split))) {
            walk.filter(Files::isRegularFile)
                    .forEach(file -> names.add(file.getFileName().toString()));
        }
        return names;
    }

    @Test
    void aSampleHasEachStyleInTurnAndNothingOfTheTestSide() throws IOException {
        int images = EmojiSample.write(folder.resolve("set"), folder.resolve("sample"));
        List<String> chosen = digests("sample");
        assertThat(chosen).hasSize(images).doesNotHaveDuplicates(); // all here, for there are fewer than it takes
        assertThat(digests("set/train")).containsAll(chosen);
        assertThat(Set.copyOf(digests("set/train"))).hasSize(images);
        assertThat(Files.readString(folder.resolve("sample/NOTICE")))
                .contains("noto, by Google, https://github.com/googlefonts/noto-emoji, Apache-2.0, from npm's")
                .doesNotContain("openmoji", "by-sa");
        assertThat(Files.readString(folder.resolve("sample/SHA256SUMS"))).contains("  classes.tsv\n", "  NOTICE\n");
    }

    /** Of each class's images, each class by itself. */
    private static List<String> digests(String below) throws IOException {
        List<String> digests = new ArrayList<>();
        try (var walk = Files.walk(folder.resolve(below))) {
            for (Path file :
                    walk.filter(each -> each.toString().endsWith(".png")).toList()) {
                digests.add(file.getParent().getFileName() + "/" + Fingerprint.ofFile(file));
            }
        }
        return digests;
    }

    @Test
    void ofManyThingsASampleTakesEachStyleInTurnAndNoImageTwice() throws IOException {
        Path many = Files.createDirectories(folder.resolve("many/train/bird"));
        for (int thing = 0; thing < 12; thing++) {
            for (EmojiStyle style : EmojiStyle.values()) {
                String file = "bird-" + thing + "." + style.set() + ".png";
                Files.writeString(many.resolve(file), thing == 1 ? "like others" : file);
            }
        }
        Files.writeString(folder.resolve("many/classes.tsv"), "");
        assertThat(EmojiSample.write(folder.resolve("many"), folder.resolve("of-many")))
                .isEqualTo(EmojiSample.EACH);
        Map<String, Long> byStyle = names(folder.resolve("of-many/bird"))
                .collect(Collectors.groupingBy(name -> name.split("\\.", -1)[1], Collectors.counting()));
        assertThat(byStyle)
                .containsOnlyKeys("noto", "noto-v1", "fluent-emoji", "fluent-emoji-flat", "fxemoji", "twemoji")
                .allSatisfy((style, times) -> assertThat(times).isBetween(5L, 6L));
        Map<String, Long> byThing = names(folder.resolve("of-many/bird"))
                .collect(Collectors.groupingBy(name -> name.split("\\.", -1)[0], Collectors.counting()));
        assertThat(byThing).hasSize(12).containsEntry("bird-1", 1L); // which is the same in every style
        assertThat(byThing.values()).allMatch(times -> times <= 3);
    }

    private static Stream<String> names(Path below) throws IOException {
        try (Stream<Path> files = Files.list(below)) {
            return files.map(file -> file.getFileName().toString()).toList().stream();
        }
    }

    @Test
    void packagesThatAreMissingAreNamedWithTheirVersions() throws IOException {
        assertThat(EmojiPackages.missing(modules)).contains("@iconify-json/noto@1.2.9", "emojibase-data@17.0.0");
        Files.writeString(modules.resolve("emojibase-data/package.json"), "{\"version\": \"17.0.0\"}");
        assertThat(EmojiPackages.missing(modules)).doesNotContain("emojibase-data@17.0.0");
    }

    @Test
    void whatIsShippedIsUnderNoShareAlikeLicence() {
        assertThat(Arrays.stream(EmojiStyle.values())
                        .filter(EmojiStyle::isShipped)
                        .map(EmojiStyle::license))
                .noneMatch(license -> license.contains("SA"));
    }

    @Test
    void aNameIsAFilesNameWithoutAccentsAndSigns() {
        assertThat(Map.of("Piñata & co", "pinata-and-co", "man’s shoe", "mans-shoe"))
                .allSatisfy((name, slug) -> assertThat(EmojiNames.slug(name)).isEqualTo(slug));
    }
}
