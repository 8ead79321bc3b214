package latentmix.work;

/** An item of work on one class, which its log lines name. */
public interface OfClass {
    /** The folder of the class. */
    String classId();
}
