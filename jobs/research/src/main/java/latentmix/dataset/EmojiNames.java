package latentmix.dataset;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The things that emoji show, with Unicode's names and groups, from the npm package <a
 * href="https://emojibase.dev/docs/datasets">emojibase-data</a>. Symbols, flags and the components that others are made
 * of, skin tones among them, are left out.
 */
public final class EmojiNames {
    static final String NPM_PACKAGE = "emojibase-data@17.0.0";

    private static final Set<String> LEFT_OUT = Set.of("component", "symbols", "flags");

    /** Groups of things that are the same seen in a mirror: they show no writing, no hands of a clock, no direction. */
    private static final Set<String> MIRRORED = Set.of("smileys-emotion", "animals-nature", "food-drink");

    private EmojiNames() {}

    /** A thing: Unicode's name for it in ASCII, such as {@code grinning face}, its group and subgroup. */
    public record Emoji(String name, String group, String subgroup) {
        /** The name as it is compared between sets: lower-case letters and digits alone. */
        public String key() {
            return EmojiNames.key(name);
        }

        /** The name as a file's. */
        public String slug() {
            return EmojiNames.slug(name);
        }

        /** Whether its mirror image shows it as well. */
        public boolean isMirrored() {
            return MIRRORED.contains(group);
        }
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    private record Entry(String label, Integer group, Integer subgroup) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    private record Groups(Map<String, String> groups, Map<String, String> subgroups) {}

    /** Reads the package, in Unicode's order. */
    static List<Emoji> read(Path modules) throws IOException {
        ObjectMapper json = new ObjectMapper();
        Path data = modules.resolve("emojibase-data");
        Groups groups = json.readValue(data.resolve("meta/groups.json").toFile(), Groups.class);
        return Arrays.stream(json.readValue(data.resolve("en/data.json").toFile(), Entry[].class))
                .filter(entry -> entry.group() != null)
                .map(entry -> new Emoji(
                        ascii(entry.label()),
                        groups.groups().get(entry.group().toString()),
                        groups.subgroups().get(entry.subgroup().toString())))
                .filter(emoji -> !LEFT_OUT.contains(emoji.group()))
                .toList();
    }

    static String key(String name) {
        return slug(name).replace("-", "");
    }

    /** Without accents and typographic signs, as the tokenizers of small models spell names. */
    private static String ascii(String name) {
        return Normalizer.normalize(name, Normalizer.Form.NFD)
                .replaceAll("\\p{M}", "")
                .replace('’', '\'');
    }

    static String slug(String name) {
        return ascii(name)
                .toLowerCase(Locale.ROOT)
                .replace("&", "and")
                .replace("'", "")
                .replaceAll("[^a-z0-9]+", "-")
                .replaceAll("^-|-$", "");
    }
}
