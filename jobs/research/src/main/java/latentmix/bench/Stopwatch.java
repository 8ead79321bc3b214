package latentmix.bench;

/** A clock for wall time. */
final class Stopwatch {
    private Stopwatch() {}

    /** The work that is timed. */
    interface Work<E extends Exception> {
        void run() throws E;
    }

    /** The seconds that the work takes. */
    static <E extends Exception> double seconds(Work<E> work) throws E {
        long start = System.nanoTime();
        work.run();
        return (System.nanoTime() - start) / 1e9;
    }
}
