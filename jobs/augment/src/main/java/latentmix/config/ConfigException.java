package latentmix.config;

import java.util.List;

/** A configuration that cannot be run, with everything that is wrong with it. */
public final class ConfigException extends RuntimeException {
    private final transient List<String> problems;

    /**
     * Reports these problems.
     *
     * @param problems each says what was expected, what came and what to do
     */
    public ConfigException(List<String> problems) {
        super(String.join(System.lineSeparator(), problems));
        this.problems = List.copyOf(problems);
    }

    /** One line each. */
    public List<String> problems() {
        return problems;
    }
}
