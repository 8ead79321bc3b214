package latentmix.config;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * How many mixtures of an entry each class has.
 *
 * <p>A number, and a number for each class, is of every cell: each method with each input count. The other forms are of
 * a class as a whole, and its cells share them. They follow the class's real images: those of the images table that
 * count.
 */
public sealed interface MixtureCount extends Serializable {
    /** The largest number that is taken. */
    int MOST = 1_000_000_000;

    /** What {@code ratio} may be. */
    Type<Double> RATIO = new Type.Above(0, MOST);

    /** What evens classes out. */
    String BALANCE = "balance";

    /** In a number for each class, that of the others. */
    String DEFAULT = "default";

    /**
     * Mixtures of a class.
     *
     * @param cells methods times input counts
     * @param real only asked by forms that {@link #followsImages}
     */
    long mixtures(int cells, String classId, Real real);

    /** Whether the number depends on how many real images there are. */
    default boolean followsImages() {
        return true;
    }

    /** How many, in words that follow methods and inputs. */
    default String words() {
        return "count: " + this;
    }

    /** What is wrong with it beside these classes of the input. */
    default List<String> problems(Collection<String> classIds) {
        return List.of();
    }

    /**
     * How many real images classes have.
     *
     * @param images by class
     * @param largest of them
     */
    record Real(Map<String, Long> images, long largest) implements Serializable {
        /** Of no class. */
        public static final Real NONE = new Real(Map.of());

        public Real {
            images = Collections.unmodifiableMap(new TreeMap<>(images));
        }

        public Real(Map<String, Long> images) {
            this(
                    images,
                    images.values().stream().mapToLong(Long::longValue).max().orElse(0));
        }

        /** The real images of a class, which must be known. */
        long of(String classId) {
            return Optional.ofNullable(images.get(classId))
                    .orElseThrow(() -> new IllegalStateException("The images of class " + classId
                            + " must be counted before its mixtures, those are: " + images.keySet()));
        }
    }

    /** The same number for each cell and class. */
    record Fixed(int number) implements MixtureCount {
        @Override
        public long mixtures(int cells, String classId, Real real) {
            return (long) cells * number;
        }

        @Override
        public String words() {
            return number + " of each in each class";
        }

        @Override
        public boolean followsImages() {
            return false;
        }

        @Override
        public String toString() {
            return Integer.toString(number);
        }
    }

    /**
     * A number for each cell by class, in the file's order.
     *
     * @param numbers by folder; {@code default} stands for the classes that are not named, which else have none
     */
    record ByClass(Map<String, Integer> numbers) implements MixtureCount {
        public ByClass {
            Map<String, Integer> composed = new LinkedHashMap<>();
            numbers.forEach((name, number) -> {
                if (composed.put(RunConfig.composed(name), number) != null) {
                    throw new IllegalArgumentException(
                            "expected each class once, got " + name + " twice; take one of the two away");
                }
            });
            numbers = Collections.unmodifiableMap(composed);
        }

        @Override
        public long mixtures(int cells, String classId, Real real) {
            int otherwise = numbers.getOrDefault(DEFAULT, 0);
            return (long) cells * numbers.getOrDefault(RunConfig.composed(classId), otherwise);
        }

        @Override
        public boolean followsImages() {
            return false;
        }

        @Override
        public List<String> problems(Collection<String> classIds) {
            Set<String> known = classIds.stream().map(RunConfig::composed).collect(Collectors.toSet());
            List<String> problems = new ArrayList<>();
            for (String name : numbers.keySet()) {
                if (!name.equals(DEFAULT) && !known.contains(name)) {
                    String advice = name.equals("to") || name.equals("ratio")
                            ? "write {" + name + ": …} alone"
                            : Nearest.to(name, known)
                                    .map(word -> "did you mean " + word + "?")
                                    .orElse("check the spelling");
                    problems.add(
                            "expected class folders of the input, or " + DEFAULT + ", got " + name + "; " + advice);
                }
            }
            return problems;
        }

        @Override
        public String toString() {
            return numbers.entrySet().stream()
                    .map(entry -> entry.getKey() + ": " + entry.getValue())
                    .collect(Collectors.joining(", ", "{", "}"));
        }
    }

    /** As many as bring a class up to this many images, its real ones counted. */
    record To(int images) implements MixtureCount {
        @Override
        public long mixtures(int cells, String classId, Real real) {
            return Math.max(0, images - real.of(classId));
        }

        @Override
        public String toString() {
            return "{to: " + images + "}";
        }
    }

    /** So many for each real image, rounded to a whole number a class. */
    record Ratio(double ratio) implements MixtureCount {
        @Override
        public long mixtures(int cells, String classId, Real real) {
            return Math.round(ratio * real.of(classId));
        }

        @Override
        public String toString() {
            return "{ratio: " + Type.Decimal.plain(ratio) + "}";
        }
    }

    /** As many as bring a class up to the real images of the largest class of the run, its own counted. */
    record Balance() implements MixtureCount {
        @Override
        public long mixtures(int cells, String classId, Real real) {
            return real.largest() - real.of(classId);
        }

        @Override
        public String toString() {
            return BALANCE;
        }
    }

    /**
     * The number for each cell and class, for work that takes no other form.
     *
     * @throws IllegalArgumentException if it has another form
     */
    default int number() {
        if (this instanceof Fixed fixed) {
            return fixed.number();
        }
        throw new IllegalArgumentException(
                "A count must be one number for all classes here, cannot be: " + this + "; write a number");
    }

    /** Reads what a file says; empty where it has none of the forms. */
    static Optional<MixtureCount> read(JsonNode value) {
        if (value.isTextual()) {
            return value.asText().equals(BALANCE) ? Optional.of(new Balance()) : Optional.empty();
        }
        if (!value.isObject()) {
            return new Type.Count(1, MOST).read(value).map(Fixed::new);
        }
        if (value.isEmpty()) {
            return Optional.empty();
        }
        if (value.size() == 1 && value.has("to")) {
            return Optional.of(new To(read(value, "to", new Type.Count(1, MOST))));
        }
        if (value.size() == 1 && value.has("ratio")) {
            return Optional.of(new Ratio(read(value, "ratio", RATIO)));
        }
        Map<String, Integer> numbers = new LinkedHashMap<>();
        value.fieldNames().forEachRemaining(name -> numbers.put(name, read(value, name, new Type.Count(0, MOST))));
        return Optional.of(new ByClass(numbers));
    }

    private static <T> T read(JsonNode value, String name, Type<T> type) {
        return type.read(value.path(name))
                .orElseThrow(() -> new IllegalArgumentException(
                        "expected " + type.expected() + " for " + name + ", got " + value.path(name) + "; correct it"));
    }
}
