package latentmix.config;

import java.util.function.Function;

/**
 * A value and the text that a configuration spells it by. The text enters settings and their ids; two are equal if they
 * are spelled alike.
 *
 * @param text as written, such as {@code dirichlet(1)}
 * @param value what it stands for
 */
public record Spelled<T>(String text, T value) {
    /**
     * Parses a text.
     *
     * @throws IllegalArgumentException if the parser refuses it
     */
    public static <T> Spelled<T> parse(String text, Function<String, T> parser) {
        return new Spelled<>(text, parser.apply(text));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Spelled<?> spelled && spelled.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return text;
    }
}
