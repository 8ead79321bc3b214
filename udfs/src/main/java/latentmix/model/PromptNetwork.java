package latentmix.model;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

/**
 * A text encoder in libtorch and its tokenizer.
 *
 * @param release gives the network back to its owner
 */
record PromptNetwork(Tokenizer tokenizer, Network network, Device device, Runnable release) implements AutoCloseable {
    /**
     * The network's outputs for one prompt, which the manager owns: (1, L, width) and others.
     *
     * @param more further inputs of the program, if it takes some
     */
    NDList forward(String prompt, NDManager manager, NDArray... more) {
        return network.forward(manager, inputs(prompt, manager, more));
    }

    /** The same, so that gradients can be led back. */
    NDList forwardTraining(String prompt, NDManager manager, NDArray... more) {
        return network.forwardTraining(manager, inputs(prompt, manager, more));
    }

    /** The hidden states before the last of CLIP's outputs, which have no final norm: (1, L, width). */
    static NDArray beforeLast(NDList outputs) {
        return outputs.get(outputs.size() - 2);
    }

    private NDArray[] inputs(String prompt, NDManager manager, NDArray... more) {
        long[] ids = tokenizer.encode(prompt);
        Shape shape = new Shape(1, ids.length);
        NDArray inputIds = manager.create(ids, shape);
        NDArray attentionMask = manager.ones(shape, inputIds.getDataType()); // the pipelines mask no padding
        return new NDList(inputIds, attentionMask).addAll(new NDList(more)).toArray(NDArray[]::new);
    }

    @Override
    public void close() {
        tokenizer.close();
        release.run();
    }
}
