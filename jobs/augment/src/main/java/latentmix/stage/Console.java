package latentmix.stage;

import java.util.function.Consumer;

/** Where a run tells a person how it goes. */
public interface Console {
    /** Says nothing. */
    Console SILENT = warning(line -> {});

    /** Shows nothing but lines about what may be wrong. */
    static Console warning(Consumer<String> shown) {
        return new Console() {
            @Override
            public void say(String line) {}

            @Override
            public void progress(String line) {}

            @Override
            public void warn(String line) {
                shown.accept(line);
            }
        };
    }

    /** Shows a line that stays. */
    void say(String line);

    /** Shows how far the work is, in a line that the next one may replace. */
    void progress(String line);

    /** Shows a line about what may be wrong. */
    void warn(String line);
}
