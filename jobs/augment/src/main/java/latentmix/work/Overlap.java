package latentmix.work;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Function;

/** Runs a model over items while a second thread prepares the next item and finishes the last one. */
final class Overlap {
    private Overlap() {}

    /**
     * For each item, in order: prepare (second thread), model (calling thread), finish (second thread). The first
     * failure ends the run and is thrown as it was.
     */
    static <A, B, C> void run(List<A> items, Function<A, B> prepare, Function<B, C> model, Consumer<C> finish) {
        if (items.isEmpty()) {
            return;
        }
        ExecutorService second = Executors.newSingleThreadExecutor(runnable -> {
            Thread thread = new Thread(runnable, Thread.currentThread().getName() + " decode/encode");
            thread.setDaemon(true);
            return thread;
        });
        try {
            CompletableFuture<B> next = CompletableFuture.supplyAsync(() -> prepare.apply(items.get(0)), second);
            CompletableFuture<Void> finished = CompletableFuture.completedFuture(null);
            for (int i = 0; i < items.size(); i++) {
                B prepared = next.join();
                if (i + 1 < items.size()) {
                    A item = items.get(i + 1);
                    next = CompletableFuture.supplyAsync(() -> prepare.apply(item), second);
                }
                C result = model.apply(prepared);
                finished.join();
                finished = CompletableFuture.runAsync(() -> finish.accept(result), second);
            }
            finished.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        } finally {
            second.shutdownNow();
        }
    }
}
