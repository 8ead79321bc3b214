package latentmix.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A mapping of a configuration file while it is read by its {@link Block}: what is wrong is noted and reading goes on
 * with the default, so that every problem is found in one go.
 */
public final class Section {
    private final String path;
    private final JsonNode node;
    private final Block block;
    private final Block root;
    private final String rootPath;
    private final List<String> problems;

    /**
     * A whole configuration.
     *
     * @param path where it lies in the file, for messages; empty for all of it
     */
    public Section(String path, JsonNode node, Block block, List<String> problems) {
        this(path, node, block, block, path, problems);
    }

    private Section(String path, JsonNode node, Block block, Block root, String rootPath, List<String> problems) {
        this.path = path;
        this.block = block;
        this.root = root;
        this.rootPath = rootPath;
        this.problems = problems;
        this.node = node.isObject() ? node : MissingNode.getInstance();
        if (!node.isObject() && !absent(node)) {
            problems.add((path.isEmpty() ? "the file" : path) + ": expected keys with values, got " + node
                    + "; write one `key: value` a line below it");
        }
        this.node.fieldNames().forEachRemaining(key -> {
            if (!block.names().contains(key)) {
                problems.add(unknown(key));
            }
        });
    }

    private String unknown(String key) {
        String meant = Nearest.to(key, block.names())
                .map(this::path)
                .or(() -> root.path(key).map(below -> join(rootPath, below)))
                .map(name -> " (did you mean " + name + "?)")
                .orElse("");
        return path(key) + ": unknown key" + meant + "; expected one of " + String.join(", ", block.names())
                + "; rename it or take it away";
    }

    /** Whether the field is there and not empty. */
    public boolean has(Field field) {
        return !absent(value(field));
    }

    /** The value of a key with a default. */
    public <T> T read(Key<T> key) {
        return find(key).orElseGet(() -> {
            if (key.absence() instanceof Key.Absence.Default otherwise) {
                return key.type().read(Key.yaml(otherwise.yaml())).orElseThrow();
            }
            throw new IllegalArgumentException("Key " + key.name() + " has no default");
        });
    }

    /** The value of a key, if it is there and right; what is wrong is noted. */
    public <T> Optional<T> find(Key<T> key) {
        JsonNode value = value(key);
        if (value.isMissingNode() || (value.isNull() && !key.type().readsNull())) {
            if (key.absence() instanceof Key.Absence.Required) {
                wrong(key, value);
            }
            return Optional.empty();
        }
        try {
            Optional<T> read = key.type().read(value);
            boolean blank = key.absence() instanceof Key.Absence.Required
                    && value.asText("").isBlank();
            if (read.isEmpty() || blank) {
                wrong(key, value);
                return Optional.empty();
            }
            return read;
        } catch (IllegalArgumentException e) {
            refuse(key, e.getMessage());
            return Optional.empty();
        }
    }

    private void wrong(Key<?> key, JsonNode value) {
        String advice = Nearest.to(value.asText(), key.type().words())
                .map(word -> "did you mean " + word + "?")
                .orElseGet(() -> key.advice(path(key.name())));
        problem(key, key.type().expected(), value, advice);
    }

    /** A mapping below this one; an empty one where it is absent. */
    public Section section(Block below) {
        return new Section(path(below.name()), value(below), below, root, rootPath, problems);
    }

    /** The mappings of a list; one empty mapping where the list is absent. */
    public List<Section> sections(Entries entries) {
        JsonNode value = value(entries);
        if (absent(value)) {
            return List.of(entry(entries, MissingNode.getInstance(), 0));
        }
        if (!value.isArray() || value.isEmpty()) {
            problem(entries, "a list of entries", value, "begin each entry with `- `");
            return List.of();
        }
        List<Section> sections = new ArrayList<>();
        value.forEach(item -> sections.add(entry(entries, item, sections.size())));
        return sections;
    }

    private Section entry(Entries entries, JsonNode item, int position) {
        JsonNode word = item.path(entries.selector());
        Block kind = entries.kind(absent(word) ? entries.otherwise() : word.asText());
        return new Section(path(entries.name()) + "." + position, item, kind, root, rootPath, problems);
    }

    /** Notes a problem of a field. */
    public void problem(Field field, String expected, Object got, String advice) {
        String shown = got instanceof JsonNode value && absent(value) ? "nothing" : String.valueOf(got);
        refuse(field, "expected " + expected + ", got " + shown + "; " + advice);
    }

    /** Notes a problem that says by itself what was expected, what came and what to do. */
    public void refuse(Field field, String problem) {
        problems.add(path(field.name()) + ": " + problem);
    }

    private JsonNode value(Field field) {
        if (!block.names().contains(field.name())) {
            throw new IllegalArgumentException("Key " + path(field.name()) + " is not declared");
        }
        return node.path(field.name());
    }

    private String path(String key) {
        return join(path, key);
    }

    private static String join(String path, String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    private static boolean absent(JsonNode value) {
        return value.isMissingNode() || value.isNull();
    }
}
