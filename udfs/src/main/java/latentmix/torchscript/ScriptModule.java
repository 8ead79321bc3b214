package latentmix.torchscript;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.BiConsumer;

/**
 * A network module as a value: its class's name, its parameters' shapes, its children and the TorchScript text of its
 * methods. Parameter and child names make up the keys of the state dict.
 *
 * @param type the class's name, such as ResnetBlock2D; modules of the same structure share a class
 * @param parameters name to shape
 * @param children name to module; a numeric name is an entry of a module list
 * @param methods definitions of methods in TorchScript's serialized form, indented by nothing
 */
public record ScriptModule(
        String type, Map<String, List<Long>> parameters, Map<String, ScriptModule> children, String methods) {
    public ScriptModule {
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
        children = Collections.unmodifiableMap(new LinkedHashMap<>(children));
    }

    /** A module that has no members yet. */
    public static ScriptModule named(String type) {
        return new ScriptModule(type, Map.of(), Map.of(), "");
    }

    /** A module list: children "0", "1", … */
    public static ScriptModule list(List<ScriptModule> modules) {
        ScriptModule list = named("ModuleList");
        for (int i = 0; i < modules.size(); i++) {
            list = list.child(Integer.toString(i), modules.get(i));
        }
        return list;
    }

    public ScriptModule parameter(String name, long... shape) {
        Map<String, List<Long>> more = new LinkedHashMap<>(parameters);
        List<Long> extents = new ArrayList<>();
        for (long extent : shape) {
            extents.add(extent);
        }
        more.put(name, List.copyOf(extents));
        return new ScriptModule(type, more, children, methods);
    }

    public ScriptModule child(String name, ScriptModule child) {
        Map<String, ScriptModule> more = new LinkedHashMap<>(children);
        more.put(name, child);
        return new ScriptModule(type, parameters, more, methods);
    }

    /** Adds one method's text. */
    public ScriptModule method(String text) {
        return new ScriptModule(type, parameters, children, methods + text);
    }

    /** The module under a dotted path, such as down_blocks.0.resnets.1. */
    public ScriptModule at(String path) {
        ScriptModule module = this;
        for (String name : path.split("\\.", -1)) {
            module = module.children.get(name);
            if (module == null) {
                throw new NoSuchElementException("There is no module " + path + " in " + type + ": no " + name);
            }
        }
        return module;
    }

    /** Visits every parameter's key, as a state dict has it, and shape; parents before children. */
    public void forEachParameter(BiConsumer<String, List<Long>> visitor) {
        visit("", visitor);
    }

    private void visit(String prefix, BiConsumer<String, List<Long>> visitor) {
        parameters.forEach((name, shape) -> visitor.accept(prefix + name, shape));
        children.forEach((name, child) -> child.visit(prefix + name + ".", visitor));
    }
}
