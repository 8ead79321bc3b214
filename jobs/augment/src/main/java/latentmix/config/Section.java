package latentmix.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A mapping of a configuration file while it is read: each value is asked for by its key, type and range; what is wrong
 * is noted and reading goes on with the default, so that every problem is found in one go.
 */
public final class Section {
    private final String path;
    private final JsonNode node;
    private final List<String> problems;
    private final Set<String> keys = new LinkedHashSet<>();

    public Section(String path, JsonNode node, List<String> problems) {
        this.path = path;
        this.problems = problems;
        boolean empty = node.isMissingNode() || node.isNull();
        this.node = node.isObject() ? node : MissingNode.getInstance();
        if (!node.isObject() && !empty) {
            problems.add((path.isEmpty() ? "the file" : path) + ": expected keys with values, got " + shown(node)
                    + "; write one `key: value` a line below it");
        }
    }

    /** Whether the key is there, be its value empty. */
    public boolean has(String key) {
        return !absent(value(key));
    }

    /** A text that must be there. */
    public String text(String key) {
        JsonNode value = value(key);
        if (!value.isValueNode() || value.asText().isBlank()) {
            problem(key, "a text", value, "it has no default: set it in the file or by --set " + path(key) + "=…");
            return "";
        }
        return value.asText();
    }

    /** A text, possibly empty. */
    public String text(String key, String otherwise) {
        JsonNode value = value(key);
        if (absent(value)) {
            return otherwise;
        }
        if (!value.isValueNode()) {
            problem(key, "a text", value, "write one value");
            return otherwise;
        }
        return value.asText();
    }

    /** A text that this parser accepts: its IllegalArgumentException becomes a problem. */
    public String text(String key, String otherwise, Consumer<String> parser) {
        String text = text(key, otherwise);
        return parses(key, text, parser) ? text : otherwise;
    }

    /** A text that must be there and that this parser accepts. */
    public String text(String key, Consumer<String> parser) {
        String text = text(key);
        parses(key, text, parser);
        return text;
    }

    /** A text that this parser accepts, or null where the key is absent. */
    public String textOrNull(String key, Consumer<String> parser) {
        return absent(value(key)) ? null : text(key, parser);
    }

    /** One of these words. */
    public String choice(String key, String otherwise, List<String> words) {
        String word = text(key, otherwise);
        if (!words.contains(word)) {
            problem(key, "one of " + String.join(", ", words), value(key), "the default is " + otherwise);
            return otherwise;
        }
        return word;
    }

    /** One of these words, or null where the key is absent. */
    public String choiceOrNull(String key, List<String> words) {
        return absent(value(key)) ? null : choice(key, words.get(0), words);
    }

    /** A flag, true where the key is absent. */
    public boolean onByDefault(String key) {
        JsonNode value = value(key);
        if (!absent(value) && !value.isBoolean()) {
            problem(key, "true or false", value, "the default is true");
        }
        return value.asBoolean(true);
    }

    /** A whole number in this range, both ends included. */
    public long whole(String key, long otherwise, long least, long most) {
        return absent(value(key)) ? otherwise : whole(key, least, most, "the default is " + otherwise);
    }

    private long whole(String key, long least, long most, String advice) {
        JsonNode value = value(key);
        if (!value.isIntegralNumber()
                || !value.canConvertToLong()
                || value.longValue() < least
                || value.longValue() > most) {
            problem(key, "a whole number from " + least + " to " + most, value, advice);
            return least;
        }
        return value.longValue();
    }

    public int count(String key, int otherwise, int least, int most) {
        return Math.toIntExact(whole(key, otherwise, least, most));
    }

    /** A whole number in this range, or null where the key is absent. */
    public Integer countOrNull(String key, int least, int most, String advice) {
        return absent(value(key)) ? null : Integer.valueOf(Math.toIntExact(whole(key, least, most, advice)));
    }

    /** A number in this range, both ends included. */
    public double number(String key, double otherwise, double least, double most) {
        JsonNode value = value(key);
        if (absent(value)) {
            return otherwise;
        }
        if (!value.isNumber() || !(value.doubleValue() >= least && value.doubleValue() <= most)) {
            problem(
                    key,
                    "a number from " + plain(least) + " to " + plain(most),
                    value,
                    "the default is " + plain(otherwise));
            return otherwise;
        }
        return value.doubleValue();
    }

    /** Two rising numbers from 0 on; empty where the key is absent. */
    public List<Double> interval(String key) {
        JsonNode value = value(key);
        if (absent(value)) {
            return List.of();
        }
        double least = value.path(0).asDouble(-1);
        double most = value.path(1).asDouble(-1);
        if (!value.isArray() || value.size() != 2 || !(least >= 0 && most >= least) || Double.isInfinite(most)) {
            problem(key, "[least, most], two rising numbers from 0 on", value, "leave it out for all");
            return List.of();
        }
        return List.of(least, most);
    }

    /** A value or a list of values, each accepted by this parser; never empty. */
    public List<String> texts(String key, List<String> otherwise, Consumer<String> parser) {
        JsonNode value = value(key);
        if (absent(value)) {
            return otherwise;
        }
        List<JsonNode> items = new ArrayList<>();
        (value.isArray() ? value : List.of(value)).forEach(items::add);
        if (items.isEmpty() || !items.stream().allMatch(JsonNode::isValueNode)) {
            problem(key, "a value or a list of values", value, "the default is " + String.join(", ", otherwise));
            return otherwise;
        }
        List<String> texts = items.stream().map(JsonNode::asText).toList();
        if (Set.copyOf(texts).size() < texts.size()) {
            problem(key, "each value once", value, "take the repeated one away");
        }
        long refused = texts.stream().filter(text -> !parses(key, text, parser)).count();
        return refused == 0 ? texts : otherwise;
    }

    /** Texts by key, in the file's order. */
    public Map<String, String> textByKey(String key) {
        JsonNode value = value(key);
        if (absent(value)) {
            return Map.of();
        }
        Section entries = new Section(path(key), value, problems);
        Map<String, String> texts = new LinkedHashMap<>();
        entries.node.fieldNames().forEachRemaining(name -> texts.put(name, entries.text(name)));
        return texts;
    }

    /** A configuration that another reader judges, as it is; empty where the key is absent. */
    public ObjectNode object(String key) {
        JsonNode value = value(key);
        if (value instanceof ObjectNode object) {
            return object.deepCopy();
        }
        if (!absent(value)) {
            problem(key, "keys with values", value, "write one `key: value` a line below it");
        }
        return JsonNodeFactory.instance.objectNode();
    }

    /** A mapping's values by key, in the file's order; empty where the key is absent. */
    public Map<String, JsonNode> values(String key) {
        Section entries = section(key);
        Map<String, JsonNode> values = new LinkedHashMap<>();
        entries.node.fieldNames().forEachRemaining(name -> values.put(name, entries.node.get(name)));
        return values;
    }

    public Section section(String key) {
        return new Section(path(key), value(key), problems);
    }

    /** The mappings of a list; one empty mapping where the key is absent. */
    public List<Section> sections(String key) {
        JsonNode value = value(key);
        if (absent(value)) {
            return List.of(new Section(path(key) + ".0", MissingNode.getInstance(), problems));
        }
        if (!value.isArray() || value.isEmpty()) {
            problem(key, "a list of entries", value, "begin each entry with `- `");
            return List.of();
        }
        List<Section> sections = new ArrayList<>();
        for (JsonNode item : value) {
            sections.add(new Section(path(key) + "." + sections.size(), item, problems));
        }
        return sections;
    }

    /** Notes a problem of this section's own. */
    public void problem(String key, String expected, Object got, String advice) {
        problems.add(path(key) + ": expected " + expected + ", got "
                + (got instanceof JsonNode value ? shown(value) : String.valueOf(got)) + "; " + advice);
    }

    /** Notes a problem that says by itself what was expected, what came and what to do. */
    public void refuse(String key, String problem) {
        problems.add(path(key) + ": " + problem);
    }

    /** Notes the keys that nobody asked for. */
    public void end() {
        node.fieldNames().forEachRemaining(key -> {
            if (!keys.contains(key)) {
                problems.add(path(key) + ": unknown key; expected one of " + String.join(", ", keys)
                        + "; rename it or take it away");
            }
        });
    }

    private boolean parses(String key, String text, Consumer<String> parser) {
        try {
            parser.accept(text);
            return true;
        } catch (IllegalArgumentException e) {
            refuse(key, e.getMessage());
            return false;
        }
    }

    private JsonNode value(String key) {
        keys.add(key);
        return node.path(key);
    }

    private String path(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    private static boolean absent(JsonNode value) {
        return value.isMissingNode() || value.isNull();
    }

    private static String shown(JsonNode value) {
        return absent(value) ? "nothing" : value.toString();
    }

    private static String plain(double number) {
        return number == Math.rint(number) && Math.abs(number) < 1e9
                ? String.format(Locale.ROOT, "%.0f", number)
                : Double.toString(number);
    }
}
