package latentmix.architecture;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import latentmix.torchscript.ScriptModule;

/**
 * A network whose attention layers take a low-rank adapter as one more input,
 *
 * <pre>y = x Wᵀ + b + (x Aᵀ) Bᵀ,</pre>
 *
 * which is the layer with W + B A in the place of W. The weights themselves stay as they are. So calls with different
 * adapters share a network, at the same time, and nothing has to be taken out of it again.
 *
 * <p>An adapter is one array (rank, width): row j has row j of each layer's A and column j of its B, layer by layer.
 * The rank is the caller's choice, call by call.
 *
 * @param module the network's, whose forward takes an array {@code lora} last
 * @param layers what is adapted, in the order of the array's columns
 * @see <a href="https://arxiv.org/abs/2106.09685">Hu et al., LoRA, Equation 3</a>
 */
public record LowRankNetwork(ScriptModule module, List<Layer> layers) {
    /** What diffusers' training scripts adapt; the last four are of Stable Diffusion 3 alone. */
    private static final Pattern ADAPTED =
            Pattern.compile(".*\\.(to_q|to_k|to_v|to_out\\.0|add_q_proj|add_k_proj|add_v_proj|to_add_out)");

    private static final String FORWARD = "forward";
    private static final Pattern METHOD = Pattern.compile("(?m)^def (\\w+)\\(self[^)]*");

    /**
     * A layer that is adapted.
     *
     * @param name its module's path, such as {@code mid_block.attentions.0.transformer_blocks.0.attn1.to_q}
     * @param in width of what goes in, columns of A
     * @param out width of what comes out, rows of B
     * @param first its first column of the array: those of A, then those of B
     */
    public record Layer(String name, int in, int out, int first) {
        int end() {
            return first + in + out;
        }
    }

    public LowRankNetwork {
        layers = List.copyOf(layers);
    }

    /** The network with an adapter's input. */
    static LowRankNetwork of(ScriptModule network) {
        List<Layer> layers = new ArrayList<>();
        ScriptModule adapted = adapted(network, "", layers);
        if (layers.isEmpty()) {
            throw new IllegalArgumentException(
                    "A network to be adapted must have attention layers, cannot be: " + network.type());
        }
        return new LowRankNetwork(adapted, layers);
    }

    /** Columns of an adapter of these layers. */
    public static int width(List<Layer> layers) {
        return layers.isEmpty() ? 0 : layers.get(layers.size() - 1).end();
    }

    /** The module with everything below it that is to be adapted; the same one where nothing is. */
    private static ScriptModule adapted(ScriptModule module, String path, List<Layer> layers) {
        if (ADAPTED.matcher(path).matches()) {
            List<Long> shape = module.parameters().get("weight");
            Layer layer = new Layer(path, Math.toIntExact(shape.get(1)), Math.toIntExact(shape.get(0)), width(layers));
            layers.add(layer);
            return linear(module, layer);
        }
        Map<String, ScriptModule> children = new LinkedHashMap<>();
        Set<String> calls = new LinkedHashSet<>();
        module.children().forEach((name, child) -> {
            ScriptModule changed = adapted(child, path.isEmpty() ? name : path + "." + name, layers);
            children.put(name, changed);
            if (!changed.equals(child)) {
                calls.addAll(calls(name, child, changed));
            }
        });
        return calls.isEmpty()
                ? module
                : new ScriptModule(module.type(), module.parameters(), children, threaded(module.methods(), calls));
    }

    private static ScriptModule linear(ScriptModule module, Layer layer) {
        return new ScriptModule(
                "LowRank" + module.type(),
                module.parameters(),
                Map.of(),
                """
                def forward(self, x: Tensor, lora: Tensor) -> Tensor:
                  a = torch.narrow(lora, 1, %d, %d).to(x)
                  b = torch.narrow(lora, 1, %d, %d).to(x)
                  return torch.add(torch.linear(x, self.weight%s), torch.matmul(torch.linear(x, a), b))
                """
                        .formatted(
                                layer.first(),
                                layer.in(),
                                layer.first() + layer.in(),
                                layer.out(),
                                module.parameters().containsKey("bias") ? ", self.bias" : ""));
    }

    /** How a parent calls a child that is changed, or the changed entries of a list. */
    private static Set<String> calls(String name, ScriptModule child, ScriptModule changed) {
        if (!child.methods().isEmpty()) {
            return Set.of("self." + name + "." + FORWARD + "(");
        }
        return child.children().keySet().stream()
                .filter(entry -> !child.at(entry).equals(changed.at(entry)))
                .map(entry -> "getattr(self." + name + ", \"" + entry + "\")." + FORWARD + "(")
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /** The methods, which hand the adapter on in these calls and in those of each other that need it. */
    private static String threaded(String methods, Set<String> calls) {
        Map<String, String> byName = new LinkedHashMap<>();
        Matcher starts = METHOD.matcher(methods);
        List<Integer> places = new ArrayList<>();
        List<String> names = new ArrayList<>();
        while (starts.find()) {
            places.add(starts.start());
            names.add(starts.group(1));
        }
        places.add(methods.length());
        for (int i = 0; i < names.size(); i++) {
            byName.put(names.get(i), methods.substring(places.get(i), places.get(i + 1)));
        }
        Set<String> all = new LinkedHashSet<>(calls);
        Set<String> needing = new LinkedHashSet<>();
        boolean grows = true;
        while (grows) {
            grows = false;
            for (Map.Entry<String, String> method : byName.entrySet()) {
                if (all.stream().anyMatch(method.getValue()::contains) && needing.add(method.getKey())) {
                    all.add("self." + method.getKey() + "(");
                    grows = true;
                }
            }
        }
        return byName.entrySet().stream()
                .map(method ->
                        needing.contains(method.getKey()) ? threadedBody(method.getValue(), all) : method.getValue())
                .collect(Collectors.joining());
    }

    private static String threadedBody(String method, Set<String> calls) {
        String text = METHOD.matcher(method).replaceFirst("$0, lora: Tensor");
        for (String call : calls) {
            int from = text.indexOf(call);
            while (from >= 0) {
                int end = close(text, from + call.length());
                text = text.substring(0, end) + ", lora" + text.substring(end);
                from = text.indexOf(call, from + call.length());
            }
        }
        return text;
    }

    /** Where the parenthesis closes that was opened before this place. */
    private static int close(String text, int from) {
        int depth = 1;
        int at = from;
        while (depth > 0) {
            depth += text.charAt(at) == '(' ? 1 : text.charAt(at) == ')' ? -1 : 0;
            at++;
        }
        return at - 1;
    }
}
