package latentmix.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What the value of a key may be, and how it is read from YAML. */
public sealed interface Type<T> {
    /**
     * Reads a value that is there.
     *
     * @return empty where the value is not of this type, which {@link #expected} then names
     * @throws IllegalArgumentException saying by itself what was expected, what came and what to do
     */
    Optional<T> read(JsonNode value);

    /** What messages expect, with the range. */
    String expected();

    /** Whether null is a value. Elsewhere it is the same as leaving the key out. */
    default boolean readsNull() {
        return false;
    }

    /** Words that a misspelt value may have been meant as. */
    default List<String> words() {
        return List.of();
    }

    /** Any text. */
    record Text() implements Type<String> {
        @Override
        public Optional<String> read(JsonNode value) {
            return value.isValueNode() ? Optional.of(value.asText()) : Optional.empty();
        }

        @Override
        public String expected() {
            return "a text";
        }
    }

    /**
     * Null alone, for a key by which something is left out.
     *
     * @param meaning what it stands for
     */
    record Null<T>(T meaning) implements Type<T> {
        @Override
        public Optional<T> read(JsonNode value) {
            return value.isNull() ? Optional.of(meaning) : Optional.empty();
        }

        @Override
        public boolean readsNull() {
            return true;
        }

        @Override
        public String expected() {
            return "null";
        }
    }

    /**
     * A text with a grammar.
     *
     * @param noun what it spells, such as {@code method}
     * @param pattern a regular expression for editors; the parser decides
     * @param words spellings that are known beforehand
     * @param parser its IllegalArgumentException says what is wrong
     */
    record Spelling<T>(String noun, String pattern, List<String> words, Function<String, T> parser) implements Type<T> {
        @Override
        public Optional<T> read(JsonNode value) {
            if (!value.isValueNode() || value.asText().isBlank()) {
                return Optional.empty();
            }
            try {
                return Optional.of(parser.apply(value.asText()));
            } catch (IllegalArgumentException e) {
                throw Nearest.to(value.asText(), words)
                        .map(word -> new IllegalArgumentException(e.getMessage() + "; did you mean " + word + "?", e))
                        .orElse(e);
            }
        }

        @Override
        public String expected() {
            return "a text";
        }
    }

    /** One of some words. */
    record Choice<T>(Map<String, T> values) implements Type<T> {
        public Choice {
            values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
        }

        /** Values whose text is their word. */
        @SafeVarargs
        public static <T> Choice<T> of(T... choices) {
            Map<String, T> values = new LinkedHashMap<>();
            for (T choice : choices) {
                values.put(choice.toString().toLowerCase(Locale.ROOT), choice);
            }
            return new Choice<>(values);
        }

        @Override
        public Optional<T> read(JsonNode value) {
            return value.isValueNode() ? Optional.ofNullable(values.get(value.asText())) : Optional.empty();
        }

        @Override
        public String expected() {
            return "one of " + String.join(", ", values.keySet());
        }

        @Override
        public List<String> words() {
            return List.copyOf(values.keySet());
        }
    }

    /** True or false. */
    record Flag() implements Type<Boolean> {
        @Override
        public Optional<Boolean> read(JsonNode value) {
            return value.isBoolean() ? Optional.of(value.booleanValue()) : Optional.empty();
        }

        @Override
        public String expected() {
            return "true or false";
        }
    }

    /** A whole number in a range, both ends included. */
    record Whole(long least, long most) implements Type<Long> {
        @Override
        public Optional<Long> read(JsonNode value) {
            return value.isIntegralNumber()
                            && value.canConvertToLong()
                            && value.longValue() >= least
                            && value.longValue() <= most
                    ? Optional.of(value.longValue())
                    : Optional.empty();
        }

        @Override
        public String expected() {
            return "a whole number from " + least + " to " + most;
        }
    }

    /** A whole number in a range of int, both ends included. */
    record Count(int least, int most) implements Type<Integer> {
        @Override
        public Optional<Integer> read(JsonNode value) {
            return new Whole(least, most).read(value).map(Math::toIntExact);
        }

        @Override
        public String expected() {
            return new Whole(least, most).expected();
        }
    }

    /** A number in a range, both ends included. */
    record Decimal(double least, double most) implements Type<Double> {
        @Override
        public Optional<Double> read(JsonNode value) {
            return value.isNumber() && value.doubleValue() >= least && value.doubleValue() <= most
                    ? Optional.of(value.doubleValue())
                    : Optional.empty();
        }

        @Override
        public String expected() {
            return "a number from " + plain(least) + " to " + plain(most);
        }

        /** 1 rather than 1.0. */
        public static String plain(double number) {
            return number == Math.rint(number) && Math.abs(number) < 1e9
                    ? String.format(Locale.ROOT, "%.0f", number)
                    : Double.toString(number);
        }
    }

    /** A number above a bound and up to another. */
    record Above(double bound, double most) implements Type<Double> {
        @Override
        public Optional<Double> read(JsonNode value) {
            return new Decimal(bound, most).read(value).filter(number -> number > bound);
        }

        @Override
        public String expected() {
            return "a number above " + Decimal.plain(bound) + " and up to " + String.format(Locale.ROOT, "%.0f", most);
        }
    }

    /** Two rising numbers from 0 on. */
    record Interval() implements Type<List<Double>> {
        @Override
        public Optional<List<Double>> read(JsonNode value) {
            double least = value.path(0).asDouble(-1);
            double most = value.path(1).asDouble(-1);
            return value.isArray()
                            && value.size() == 2
                            && least >= 0
                            && most >= least
                            && most < Double.POSITIVE_INFINITY
                    ? Optional.of(List.of(least, most))
                    : Optional.empty();
        }

        @Override
        public String expected() {
            return "[least, most], two rising numbers from 0 on";
        }
    }

    /** A value or a list of values, each once, at least one. */
    record ListOf<T>(Type<T> item) implements Type<List<T>> {
        @Override
        public Optional<List<T>> read(JsonNode value) {
            List<JsonNode> nodes = new ArrayList<>();
            (value.isArray() ? value : List.of(value)).forEach(nodes::add);
            List<T> items =
                    nodes.stream().flatMap(node -> item.read(node).stream()).toList();
            if (items.isEmpty() || items.size() < nodes.size()) {
                return Optional.empty();
            }
            if (Set.copyOf(items).size() < items.size()) {
                throw new IllegalArgumentException(
                        "expected each value once, got " + value + "; take the repeated one away");
            }
            return Optional.of(items);
        }

        @Override
        public String expected() {
            return item.expected().equals("a text")
                    ? "a value or a list of values"
                    : item.expected() + ", or a list of such";
        }

        @Override
        public List<String> words() {
            return item.words();
        }
    }

    /** A text for each name, in the file's order. */
    record TextByName() implements Type<Map<String, String>> {
        @Override
        public Optional<Map<String, String>> read(JsonNode value) {
            boolean texts = value.isObject()
                    && value.properties().stream()
                            .allMatch(entry -> entry.getValue().isValueNode()
                                    && !entry.getValue().asText().isBlank());
            return texts
                    ? Optional.of(value.properties().stream()
                            .collect(Collectors.toMap(
                                    Map.Entry::getKey,
                                    entry -> entry.getValue().asText(),
                                    (first, second) -> second,
                                    LinkedHashMap::new)))
                    : Optional.empty();
        }

        @Override
        public String expected() {
            return "a text for each name";
        }
    }

    /** How many mixtures each class has. */
    record Mixtures() implements Type<MixtureCount> {
        @Override
        public Optional<MixtureCount> read(JsonNode value) {
            return MixtureCount.read(value);
        }

        @Override
        public String expected() {
            return new Count(1, MixtureCount.MOST).expected()
                    + ", balance, {to: …}, {ratio: …} or a number for each class";
        }

        @Override
        public List<String> words() {
            return List.of(MixtureCount.BALANCE);
        }
    }

    /** A mapping that another reader judges. */
    record Mapping() implements Type<ObjectNode> {
        @Override
        public Optional<ObjectNode> read(JsonNode value) {
            return value instanceof ObjectNode object ? Optional.of(object.deepCopy()) : Optional.empty();
        }

        @Override
        public String expected() {
            return "keys with values";
        }
    }
}
