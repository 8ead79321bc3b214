package latentmix.plan;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.stream.Collectors;

/** What a process ends with, so that a scheduler knows whether to try again. */
public enum ExitCode {
    DONE(0, "done"),
    UNEXPECTED(1, "unexpected error"),
    BAD_CONFIGURATION(2, "bad configuration (before any task starts)"),
    TOO_MANY_REJECTS(3, "more rejects than allowed"),
    /** A temporary failure, as sysexits.h numbers it. */
    TRY_AGAIN(75, "try again");

    private final int code;
    private final String meaning;

    ExitCode(int code, String meaning) {
        this.code = code;
        this.meaning = meaning;
    }

    /** The number that the process ends with and that {@code run_summary.json} holds. */
    @JsonValue
    public int code() {
        return code;
    }

    /** What a code says. */
    public static String meaning(int code) {
        return Arrays.stream(values())
                .filter(exit -> exit.code == code)
                .findFirst()
                .map(exit -> exit.meaning)
                .orElse("exit code " + code);
    }

    /** All codes with their meaning, in a line. */
    public static String text() {
        return Arrays.stream(values())
                .map(exit -> exit.code + " " + exit.meaning)
                .collect(Collectors.joining(", ", "Exit codes: ", "."));
    }
}
