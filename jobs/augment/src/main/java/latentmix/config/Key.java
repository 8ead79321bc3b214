package latentmix.config;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A key of a configuration file. What the file is checked by, the reference and the JSON Schema all come from here.
 *
 * @param name in snake_case
 * @param absence what holds where the key is left out
 * @param meaning in Markdown
 * @param example a value in YAML
 */
public record Key<T>(String name, Type<T> type, Absence absence, String meaning, String example) implements Field {
    /** What holds where a key is left out. */
    public sealed interface Absence {
        /** It must be there. */
        record Required() implements Absence {}

        /**
         * This value holds.
         *
         * @param yaml how a file would say it
         */
        record Default(String yaml) implements Absence {}

        /**
         * No value holds.
         *
         * @param meaning what happens then, such as {@code all}
         */
        record Nothing(String meaning) implements Absence {}
    }

    public Key {
        if (absence instanceof Absence.Default otherwise
                && type.read(yaml(otherwise.yaml())).isEmpty()) {
            throw new IllegalArgumentException("The default of " + name + " must be " + type.expected());
        }
    }

    /** A key that must be there. */
    public static <T> Key<T> required(String name, Type<T> type, String meaning, String example) {
        return new Key<>(name, type, new Absence.Required(), meaning, example);
    }

    /** A key with a default, which is written as YAML. */
    public static <T> Key<T> with(String name, Type<T> type, String otherwise, String meaning, String example) {
        return new Key<>(name, type, new Absence.Default(otherwise), meaning, example);
    }

    /** A key that may be left out for something that is no value. */
    public static <T> Key<T> optional(String name, Type<T> type, String absent, String meaning, String example) {
        return new Key<>(name, type, new Absence.Nothing(absent), meaning, example);
    }

    /** What to do about a wrong value. */
    String advice(String path) {
        if (absence instanceof Absence.Default otherwise) {
            return "the default is " + otherwise.yaml();
        }
        return absence instanceof Absence.Nothing nothing
                ? "leave it out for " + nothing.meaning()
                : "it has no default: set it in the file or by --set " + path + "=…";
    }

    static JsonNode yaml(String text) {
        try {
            return YamlText.read(text);
        } catch (YamlText.RefusedException e) {
            throw new IllegalArgumentException("A default must be YAML, cannot be: " + text, e);
        }
    }
}
