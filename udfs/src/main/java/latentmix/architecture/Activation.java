package latentmix.architecture;

/** The activation functions that configs name, as TorchScript text. */
enum Activation {
    SILU("torch.silu%s(%s)"),
    MISH("torch.mish%s(%s)"),
    RELU("torch.relu%s(%s)"),
    /** GELU: x Φ(x), computed exactly. */
    GELU("torch.gelu%s(%s)"),
    /** GELU: x Φ(x), where tanh approximates Φ. */
    GELU_TANH("torch.gelu%s(%s, approximate=\"tanh\")"),
    /** CLIP's approximation of GELU: x σ(1.702 x). */
    QUICK_GELU("torch.mul%1$s(%2$s, torch.sigmoid(torch.mul(%2$s, 1.702)))");

    private final String text;

    Activation(String text) {
        this.text = text;
    }

    /** Reads a config's act_fn, hidden_act or dense_act_fn. */
    static Activation of(String name) {
        return switch (name) {
            case "silu", "swish" -> SILU;
            case "mish" -> MISH;
            case "relu" -> RELU;
            case "gelu" -> GELU;
            case "gelu_new" -> GELU_TANH;
            case "quick_gelu" -> QUICK_GELU;
            default -> throw new IllegalArgumentException("There is no activation " + name);
        };
    }

    /** The text of a call on a variable. The variable keeps its value. */
    String call(String variable) {
        return text.formatted("", variable);
    }

    /** The text of a call that overwrites the value of an expression. Nothing else may need that value. */
    String inPlace(String expression) {
        return text.formatted("_", expression);
    }
}
