package latentmix.bench;

/** Wall-clock time. */
final class Stopwatch {
    private Stopwatch() {}

    /** The work that is timed. */
    interface Work<E extends Exception> {
        void run() throws E;
    }

    /** How long the work takes, in seconds. */
    static <E extends Exception> double seconds(Work<E> work) throws E {
        long start = System.nanoTime();
        work.run();
        return (System.nanoTime() - start) / 1e9;
    }
}
