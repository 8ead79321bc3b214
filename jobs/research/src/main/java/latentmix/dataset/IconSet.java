package latentmix.dataset;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The drawings of one npm package of <a href="https://iconify.design/docs/types/iconify-json.html">Iconify</a>, by
 * {@link EmojiNames#key}.
 */
final class IconSet {
    /** What an SVG document holds, and the extents of what it draws on. */
    record Drawing(String body, double left, double top, double width, double height) {
        /** The drawing as an SVG document. */
        String svg() {
            return "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" viewBox=\""
                    + left + " " + top + " " + width + " " + height + "\" width=\"" + width + "\" height=\"" + height
                    + "\">" + body + "</svg>";
        }
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    private record Icon(String body, Double left, Double top, Double width, Double height) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    private record Alias(String parent) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    private record Icons(Map<String, Icon> icons, Map<String, Alias> aliases, Double width, Double height) {}

    private final Map<String, Drawing> drawings = new HashMap<>();

    private IconSet() {}

    /** Reads a package that lies in a folder of npm's. */
    static IconSet read(Path modules, EmojiStyle style) throws IOException {
        Path file = modules.resolve("@iconify-json").resolve(style.set()).resolve("icons.json");
        Icons icons = new ObjectMapper().readValue(file.toFile(), Icons.class);
        IconSet set = new IconSet();
        icons.icons().forEach((name, icon) -> set.drawings.put(EmojiNames.key(name), drawing(icon, icons)));
        if (icons.aliases() != null) {
            icons.aliases()
                    .forEach((name, alias) -> Optional.ofNullable(icons.icons().get(alias.parent()))
                            .ifPresent(icon -> set.drawings.putIfAbsent(EmojiNames.key(name), drawing(icon, icons))));
        }
        return set;
    }

    private static Drawing drawing(Icon icon, Icons icons) {
        return new Drawing(
                icon.body(),
                icon.left() == null ? 0 : icon.left(),
                icon.top() == null ? 0 : icon.top(),
                icon.width() == null ? icons.width() : icon.width(),
                icon.height() == null ? icons.height() : icon.height());
    }

    /** The drawing of a thing, if the set has one. */
    Optional<Drawing> drawing(String key) {
        return Optional.ofNullable(drawings.get(key));
    }

    /** How many different drawings there are. */
    int size() {
        return drawings.size();
    }
}
