package latentmix.config;

import java.util.List;

/** A configuration that cannot be run, with everything that is wrong with it. */
public final class ConfigException extends RuntimeException {
    private final String[] problems; // an array, so that a task's failure brings them to the driver

    /**
     * Reports these problems.
     *
     * @param problems each says what was expected, what came and what to do
     */
    public ConfigException(List<String> problems) {
        super(String.join(System.lineSeparator(), problems));
        this.problems = problems.toArray(String[]::new);
    }

    /** One line each. */
    public List<String> problems() {
        return List.of(problems);
    }
}
