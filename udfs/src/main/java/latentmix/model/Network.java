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
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** A compiled program in libtorch: frozen weights on one device, run by any number of threads. */
public final class Network implements AutoCloseable {
    private final Model model;
    private final PtSymbolBlock block;

    private Network(Model model) {
        this.model = model;
        this.block = (PtSymbolBlock) model.getBlock();
    }

    /** Loads a program; by path, since a stream costs three times the memory. */
    public static Network load(Path program, Device device) {
        return load(program, device, Map.of());
    }

    /** Loads a program whose results can be differentiated with respect to its inputs. */
    public static Network loadDifferentiable(Path program, Device device) {
        Network network = load(program, device, Map.of("trainParam", "true"));
        network.block.freezeParameters(true);
        return network;
    }

    private static Network load(Path program, Device device, Map<String, String> options) {
        Torch.start();
        Model model = Model.newInstance(program.getFileName().toString(), device, PtEngine.ENGINE_NAME);
        try {
            model.load(program.getParent(), program.getFileName().toString(), options);
            return new Network(model);
        } catch (IOException | MalformedModelException | RuntimeException e) {
            model.close();
            throw new IllegalStateException("libtorch cannot load the compiled program " + program, e);
        }
    }

    /**
     * Runs forward with these inputs and then {@code true}, as a flag that the program takes; otherwise as
     * {@link #forward}.
     */
    public NDList forwardFlagged(NDManager owner, NDArray input) {
        return forward(owner, IValue.from((PtNDArray) input), IValue.from(true));
    }

    /**
     * Runs forward without gradients; the results, one or a list, belong to the given manager and are never changed in
     * place.
     */
    public NDList forward(NDManager owner, NDArray... inputs) {
        return forward(
                owner,
                Stream.of(inputs).map(input -> IValue.from((PtNDArray) input)).toArray(IValue[]::new));
    }

    private NDList forward(NDManager owner, IValue... values) {
        // Thread-local in libtorch: the profiling executor's first calls are slow and it gains nothing here.
        JniUtils.setGraphExecutorOptimize(false);
        try {
            try (IValue output = block.forward(values)) {
                return output.toNDList((PtNDManager) owner);
            }
        } finally {
            Stream.of(values).forEach(IValue::close);
        }
    }

    /** Loads a program whose parameters are to be trained. */
    public static Network loadTrainable(Path program, Device device) {
        return load(program, device, Map.of("trainParam", "true"));
    }

    /** The parameters, by their keys; they share the network's memory and belong to the given manager. */
    public Map<String, PtNDArray> parameters(PtNDManager owner) {
        Map<String, PtNDArray> parameters = new LinkedHashMap<>();
        for (NDArray parameter : JniUtils.moduleGetParams(block, owner)) {
            parameters.put(parameter.getName(), (PtNDArray) parameter);
        }
        return parameters;
    }

    /**
     * Runs forward so that its results can be led back, outside libtorch's inference mode; they belong to the given
     * manager.
     */
    public NDList forwardTraining(NDManager owner, NDArray... inputs) {
        JniUtils.setGraphExecutorOptimize(false);
        NDList results = IValueUtils.forward(block, new NDList(inputs), true);
        results.attach(owner);
        return results;
    }

    /** Runs forward, without gradients, on whatever it takes; The caller closes the result. */
    public IValue run(IValue... inputs) {
        return block.forward(inputs);
    }

    /**
     * Runs forward and leads a gradient back to some inputs of a network that was {@link #loadDifferentiable}.
     *
     * @param first the first of those inputs
     * @param end the one after the last of them
     * @param gradient from the result to the gradient with respect to it; both belong to a scope that ends with the
     *     call
     * @return the gradients with respect to the inputs, owned by the given manager
     */
    public NDList gradients(NDManager owner, int first, int end, UnaryOperator<NDArray> gradient, NDArray... inputs) {
        boolean before = JniUtils.isGradMode(); // thread-local in libtorch
        try (NDManager scope = owner.newSubManager()) {
            NDArray[] values = inputs.clone();
            for (int i = first; i < end; i++) {
                values[i] = leaf(inputs[i], scope);
            }
            JniUtils.setGradMode(true);
            NDArray result = forwardTraining(scope, values).singletonOrThrow();
            JniUtils.setGradMode(false);
            NDArray slope = gradient.apply(result);
            JniUtils.setGradMode(true);
            JniUtils.backward((PtNDArray) result, (PtNDArray) slope, false, false);
            NDList found = new NDList();
            for (int i = first; i < end; i++) {
                found.add(JniUtils.getGradient((PtNDArray) values[i]));
            }
            found.attach(owner);
            return found;
        } finally {
            JniUtils.setGradMode(before);
        }
    }

    /** A copy of an array that gradients are led back to. */
    static PtNDArray leaf(NDArray array, NDManager owner) {
        NDArray leaf = array.duplicate();
        leaf.attach(owner);
        JniUtils.attachGradient((PtNDArray) leaf, true);
        return (PtNDArray) leaf;
    }

    @Override
    public void close() {
        model.close();
    }
}
