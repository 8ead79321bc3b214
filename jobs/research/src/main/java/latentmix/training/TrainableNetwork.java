package latentmix.training;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtEngine;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import latentmix.checkpoint.ElementType;
import latentmix.checkpoint.Safetensors;
import latentmix.checkpoint.SafetensorsWriter;
import latentmix.checkpoint.SafetensorsWriter.Values;
import latentmix.checkpoint.StateDict;
import latentmix.model.Network;
import latentmix.model.Torch;
import latentmix.torchscript.Archive;
import latentmix.torchscript.Program;
import latentmix.torchscript.ScriptModule;

/**
 * A compiled program in libtorch whose weights are trained: its forward gives a loss, a step leads the loss back and
 * moves the weights by {@link AdamW}.
 *
 * <p>Not for several threads. Equal weights, inputs and number of libtorch's threads give equal weights after a step.
 */
public final class TrainableNetwork implements AutoCloseable {
    private static final String WEIGHTS = "model.safetensors";

    /**
     * The settings of a step.
     *
     * @param learningRate the learning rate, at least 0
     * @param weightDecay AdamW's weight decay, per unit of learning rate
     * @param maxNorm the largest norm of the gradient; a larger one is clipped
     * @param decay decay of the moving average, in [0, 1)
     */
    public record StepSize(double learningRate, double weightDecay, double maxNorm, double decay) {}

    private enum State {
        EXP_AVG,
        EXP_AVG_SQ,
        AVERAGE;

        String key(String weight) {
            return name().toLowerCase(Locale.ROOT) + "/" + weight;
        }
    }

    private final Path scratch;
    private final Network network;
    private final Network optimizer;
    private final NDManager arrays;
    private final List<String> keys = new ArrayList<>();
    private final List<PtNDArray> weights = new ArrayList<>();
    private final Map<String, PtNDArray> frozen = new LinkedHashMap<>();
    private final Map<State, List<PtNDArray>> states = new LinkedHashMap<>();
    private IValue[] lists; // of the optimizer, once there are gradients
    private long steps;

    private TrainableNetwork(Path scratch, Network network, Network optimizer, NDManager arrays) {
        this.scratch = scratch;
        this.network = network;
        this.optimizer = optimizer;
        this.arrays = arrays;
    }

    /**
     * Compiles and loads a module.
     *
     * @param module its forward takes tensors and gives a list of tensors, the first a scalar, the loss
     * @param initial a value for every parameter of the module
     * @param trained says by key which parameters are trained; others stay
     */
    public static TrainableNetwork load(
            ScriptModule module, Map<String, Values> initial, Predicate<String> trained, Device device) {
        Torch.start();
        Path scratch = null;
        try {
            scratch = Files.createTempDirectory("latentmix-training");
            SafetensorsWriter.write(scratch.resolve(WEIGHTS), ElementType.F32, initial);
            Program program = new Program(module, ElementType.F32, Program.Layout.ROW_MAJOR);
            Path compiled = scratch.resolve("network.pt");
            try (StateDict dict = StateDict.open(scratch)) {
                Archive.write(compiled, program, dict);
                Path step = scratch.resolve("optimizer.pt");
                Archive.write(step, new Program(AdamW.module(), ElementType.F32), dict);
                TrainableNetwork loaded = new TrainableNetwork(
                        scratch,
                        Network.loadTrainable(compiled, device),
                        Network.load(step, device),
                        NDManager.newBaseManager(device, PtEngine.ENGINE_NAME));
                loaded.adopt(program.tensors(), trained);
                return loaded;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot compile a program for training in " + scratch, e);
        }
    }

    /** Takes the program's parameters, in the order that it stores them. */
    private void adopt(List<Program.Stored> tensors, Predicate<String> trained) {
        Map<String, PtNDArray> parameters = network.parameters((PtNDManager) arrays);
        for (State state : State.values()) {
            states.put(state, new ArrayList<>());
        }
        for (Program.Stored tensor : tensors) {
            PtNDArray parameter = parameters.get(tensor.key());
            if (!trained.test(tensor.key())) {
                frozen.put(tensor.key(), parameter);
                continue;
            }
            keys.add(tensor.key());
            weights.add(parameter);
            states.get(State.EXP_AVG).add((PtNDArray) parameter.zerosLike());
            states.get(State.EXP_AVG_SQ).add((PtNDArray) parameter.zerosLike());
            states.get(State.AVERAGE).add((PtNDArray) parameter.duplicate());
            JniUtils.attachGradient(parameter, true);
        }
    }

    /** The number of steps made, those before a {@link #restore} included. */
    public long steps() {
        return steps;
    }

    /** The manager that the program's inputs are made on; the caller closes sub-managers of it. */
    public NDManager arrays() {
        return arrays;
    }

    /** Runs forward without gradients; what belongs to it belongs to the given manager. */
    public NDList forward(NDManager owner, NDArray... inputs) {
        return network.forward(owner, inputs);
    }

    /**
     * Makes one step down the gradient of the program's loss.
     *
     * @return the scalars of the program's list, the loss first
     */
    public float[] step(StepSize size, NDArray... inputs) {
        boolean before = JniUtils.isGradMode(); // thread-local in libtorch
        JniUtils.setGraphExecutorOptimize(false);
        try (NDManager scope = arrays.newSubManager()) {
            JniUtils.setGradMode(true);
            NDList terms = network.forwardTraining(scope, inputs);
            JniUtils.backward((PtNDArray) terms.get(0), (PtNDArray) scope.ones(new Shape()), false, false);
            JniUtils.setGradMode(false);
            float[] values = new float[terms.size()];
            for (int i = 0; i < values.length; i++) {
                values[i] = terms.get(i).getFloat();
            }
            steps++;
            descend(scope, size);
            return values;
        } finally {
            JniUtils.setGradMode(before);
        }
    }

    private void descend(NDManager scope, StepSize size) {
        if (lists == null) {
            lists = new IValue[] {
                list(weights),
                list(weights.stream().map(this::gradient).toList()),
                list(states.get(State.EXP_AVG)),
                list(states.get(State.EXP_AVG_SQ)),
                list(states.get(State.AVERAGE))
            };
        }
        IValue[] inputs = Arrays.copyOf(lists, lists.length + 5);
        List<IValue> own = List.of(
                IValue.from((PtNDArray) scope.create((float) steps)),
                IValue.from(size.learningRate()),
                IValue.from(size.weightDecay()),
                IValue.from(size.maxNorm()),
                IValue.from(size.decay()));
        try {
            for (int i = 0; i < own.size(); i++) {
                inputs[lists.length + i] = own.get(i);
            }
            optimizer.run(inputs).close();
        } finally {
            own.forEach(IValue::close);
        }
    }

    /** Gradients stay where they are: a backward pass adds to them in place, a step sets them to 0. */
    private PtNDArray gradient(PtNDArray weight) {
        PtNDArray gradient = JniUtils.getGradient(weight);
        gradient.attach(arrays);
        return gradient;
    }

    private static IValue list(List<PtNDArray> tensors) {
        return IValue.listFrom(tensors.toArray(PtNDArray[]::new));
    }

    /** All weights by key. */
    public Map<String, Values> weights() {
        return weights(weights);
    }

    /** All weights by key; trained ones are their moving averages. */
    public Map<String, Values> averaged() {
        return weights(states.get(State.AVERAGE));
    }

    private Map<String, Values> weights(List<PtNDArray> trained) {
        Map<String, Values> values = new LinkedHashMap<>();
        for (int i = 0; i < keys.size(); i++) {
            values.put(keys.get(i), values(trained.get(i)));
        }
        frozen.forEach((key, tensor) -> values.put(key, values(tensor)));
        return values;
    }

    private static Values values(PtNDArray tensor) {
        List<Long> shape = Arrays.stream(tensor.getShape().getShape()).boxed().toList();
        try (NDArray plain = tensor.isSparse() ? tensor.toDense() : tensor.duplicate();
                NDArray flat = plain.flatten()) {
            return new Values(shape, flat.toFloatArray());
        }
    }

    /** Publishes everything that going on needs: weights, moments, averages. */
    public void save(Path file) throws IOException {
        Map<String, Values> all = new LinkedHashMap<>();
        all.put("steps", new Values(List.of(2L), new float[] {steps >> 20, steps & 0xfffff}));
        for (int i = 0; i < keys.size(); i++) {
            all.put("weight/" + keys.get(i), values(weights.get(i)));
            for (State state : State.values()) {
                all.put(state.key(keys.get(i)), values(states.get(state).get(i)));
            }
        }
        SafetensorsWriter.write(file, ElementType.F32, all);
    }

    /** Goes on where {@link #save} was called. */
    public void restore(Path file) {
        try (Safetensors saved = Safetensors.open(file)) {
            float[] count = saved.floats("steps");
            steps = ((long) count[0] << 20) + (long) count[1];
            for (int i = 0; i < keys.size(); i++) {
                set(weights.get(i), saved.floats("weight/" + keys.get(i)));
                for (State state : State.values()) {
                    set(states.get(state).get(i), saved.floats(state.key(keys.get(i))));
                }
            }
        }
    }

    private void set(PtNDArray tensor, float[] values) {
        boolean before = JniUtils.isGradMode();
        JniUtils.setGradMode(false);
        try (NDArray source = arrays.create(values, tensor.getShape())) {
            source.copyTo(tensor);
        } finally {
            JniUtils.setGradMode(before);
        }
    }

    @Override
    public void close() {
        if (lists != null) {
            for (IValue list : lists) {
                list.close();
            }
        }
        arrays.close();
        network.close();
        optimizer.close();
        try {
            for (String name : List.of("network.pt", "optimizer.pt", WEIGHTS)) {
                Files.deleteIfExists(scratch.resolve(name));
            }
            Files.deleteIfExists(scratch);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot delete " + scratch, e);
        }
    }
}
