package latentmix.model;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

/** A tokenizer and a text encoder in libtorch; the network belongs to {@link Models}. */
record TorchTextEncoder(Network network, Device device, Tokenizer tokenizer) implements TextEncoder {
    @Override
    public Embeds encode(String prompt) {
        long[] ids = tokenizer.encode(prompt);
        try (NDManager manager = NDManager.newBaseManager(device)) {
            Shape shape = new Shape(1, ids.length);
            NDArray inputIds = manager.create(ids, shape);
            NDArray attentionMask = manager.ones(shape, inputIds.getDataType()); // the pipelines mask no padding
            NDArray last = network.forward(manager, inputIds, attentionMask).get(0);
            int width = Math.toIntExact(last.getShape().get(2));
            return new Embeds(ids.length, width, last.toFloatArray(), new float[0]);
        }
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
