package latentmix.architecture;

/** The activation functions that configs name, as TorchScript text. */
enum Activation {
    SILU("torch.silu(%s)"),
    MISH("torch.mish(%s)"),
    RELU("torch.relu(%s)"),
    /** x Φ(x), exact. */
    GELU("torch.gelu(%s)"),
    /** x σ(1.702 x). */
    QUICK_GELU("torch.mul(%1$s, torch.sigmoid(torch.mul(%1$s, 1.702)))");

    private final String text;

    Activation(String text) {
        this.text = text;
    }

    /** Reads a config's act_fn or hidden_act. */
    static Activation of(String name) {
        return switch (name) {
            case "silu", "swish" -> SILU;
            case "mish" -> MISH;
            case "relu" -> RELU;
            case "gelu" -> GELU;
            case "quick_gelu" -> QUICK_GELU;
            default -> throw new IllegalArgumentException("There is no activation " + name);
        };
    }

    /** The call on a variable. */
    String call(String variable) {
        return text.formatted(variable);
    }
}
