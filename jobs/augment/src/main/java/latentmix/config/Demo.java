package latentmix.config;

/** What {@code latentmix demo} runs on: each is a configuration in {@code conf/} that is inside the jar, too. */
public enum Demo {
    /** Emoji in colour. */
    EMOJI("demo.yaml"),
    /** Clothes in grey. */
    FASHION("demo-fashion.yaml");

    private final String file;

    Demo(String file) {
        this.file = file;
    }

    /** The configuration's name inside the jar. */
    String resource() {
        return "/latentmix/conf/" + file;
    }
}
