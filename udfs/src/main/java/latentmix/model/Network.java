package latentmix.model;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtEngine;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import java.io.IOException;
import java.nio.file.Path;

/** A compiled program in libtorch: frozen weights on one device, run by any number of threads. */
final class Network implements AutoCloseable {
    private final Model model;
    private final PtSymbolBlock block;

    private Network(Model model) {
        this.model = model;
        this.block = (PtSymbolBlock) model.getBlock();
    }

    /** Loads a program; by path, since a stream costs three times the memory. */
    static Network load(Path program, Device device) {
        Torch.start();
        Model model = Model.newInstance(program.getFileName().toString(), device, PtEngine.ENGINE_NAME);
        try {
            model.load(program.getParent(), program.getFileName().toString());
            return new Network(model);
        } catch (IOException | MalformedModelException | RuntimeException e) {
            model.close();
            throw new IllegalStateException("libtorch cannot load the compiled program " + program, e);
        }
    }

    /** Runs forward without gradients; the results, one or a list, belong to the given manager and are never changed in place. */
    NDList forward(NDManager owner, NDArray... inputs) {
        // Thread-local in libtorch: the profiling executor's first calls are slow and it gains nothing here.
        JniUtils.setGraphExecutorOptimize(false);
        IValue[] values = new IValue[inputs.length];
        try {
            for (int i = 0; i < inputs.length; i++) {
                values[i] = IValue.from((PtNDArray) inputs[i]);
            }
            try (IValue output = block.forward(values)) {
                return output.toNDList((PtNDManager) owner);
            }
        } finally {
            for (IValue value : values) {
                if (value != null) {
                    value.close();
                }
            }
        }
    }

    @Override
    public void close() {
        model.close();
    }
}
