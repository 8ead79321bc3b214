package latentmix.plan;

/** An item of work on one class, which its log lines name. */
public interface OfClass {
    /** The folder of the class. */
    String classId();

    /** One that carries the whole label. */
    interface Labelled extends OfClass {
        ClassLabel label();

        @Override
        default String classId() {
            return label().classId();
        }
    }
}
