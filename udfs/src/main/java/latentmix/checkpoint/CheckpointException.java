package latentmix.checkpoint;

/** A checkpoint that cannot be used: the message says what was expected, what came and what to do. */
public final class CheckpointException extends RuntimeException {
    public CheckpointException(String message) {
        super(message);
    }

    public CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }
}
