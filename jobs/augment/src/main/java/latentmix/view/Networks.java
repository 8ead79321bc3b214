package latentmix.view;

import ai.djl.Device;
import ai.djl.engine.Engine;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.model.Dtype;
import latentmix.model.Torch;
import latentmix.plan.GenerationSettings;
import latentmix.report.RunStart;
import latentmix.table.RunFolder;
import latentmix.work.ModelOnDevice;

/**
 * The networks of a run on this machine, loaded when they are first asked for and once. One thread runs them: work
 * waits in its turn.
 */
final class Networks implements AutoCloseable {
    private final RunFolder run;
    private final RunStart start;
    private final GenerationSettings generation;
    private final ExecutorService thread = Executors.newSingleThreadExecutor(ViewServer.daemons("networks"));
    private CheckpointFolder checkpoint;

    Networks(RunFolder run, RunStart start, GenerationSettings generation) {
        this.run = run;
        this.start = start;
        this.generation = generation;
    }

    GenerationSettings generation() {
        return generation;
    }

    /** Does work that runs networks, after what was asked for before. */
    <T> Future<T> submit(Callable<T> work) {
        return thread.submit(work);
    }

    /**
     * The run's checkpoint, on the kind of device that made its images where this machine has one; for work that was
     * submitted alone.
     *
     * @throws latentmix.checkpoint.CheckpointException if it is not on this machine
     */
    ModelOnDevice model() throws IOException {
        if (checkpoint == null) {
            Torch.setThreadsPerTask(generation.threads());
            checkpoint = start.model().checkpoint().open(run.conf());
        }
        return new ModelOnDevice(checkpoint, device(), Dtype.parse(generation.dtype()))
                .expecting(generation.checkpointFingerprint());
    }

    private Device device() {
        boolean gpu = generation.device().equals("gpu") && Engine.getInstance().getGpuCount() > 0;
        return gpu ? Device.gpu() : Device.cpu();
    }

    /** Whether images are made on another kind of device here than they were: they round otherwise. */
    boolean isOtherDevice() {
        return !generation.device().equals(device().isGpu() ? "gpu" : "cpu");
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
