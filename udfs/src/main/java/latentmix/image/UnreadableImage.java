package latentmix.image;

/** The reason why a file gave no image. It is data for a row of the rejected table, not a fault of the program. */
public final class UnreadableImage extends Exception {
    /** The kinds of refusal, as the rejected table spells them. */
    public enum Reason {
        EMPTY("empty"),
        NOT_AN_IMAGE("not an image"),
        TRUNCATED("truncated"),
        TOO_LARGE("too large"),
        UNSUPPORTED("unsupported"),
        BROKEN("broken");

        private final String text;

        Reason(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    private final Reason reason;

    UnreadableImage(Reason reason, String detail) {
        super(detail);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    /** One line that says what was found in the file. */
    public String detail() {
        return getMessage();
    }
}
