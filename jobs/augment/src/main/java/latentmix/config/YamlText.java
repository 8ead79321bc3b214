package latentmix.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.yaml.snakeyaml.DumperOptions.ScalarStyle;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * Reads YAML with its aliases ({@code &a}, {@code *a}) and merge keys ({@code <<}), which Jackson's reader takes for
 * texts. What an alias repeats is a copy. A key that stands twice is refused.
 */
final class YamlText {
    private static final ObjectMapper SCALARS = new ObjectMapper(new YAMLFactory());
    private static final String MERGE = "<<";

    private final Set<Node> open = new HashSet<>(); // nodes are the same only where they are identical

    private YamlText() {}

    /** A text that is no YAML; the message ends with the line. */
    static final class RefusedException extends IOException {
        private RefusedException(String problem, Mark where) {
            super(problem + (where == null ? "" : " in line " + (where.getLine() + 1)));
        }
    }

    /** The tree of a text's one document; a missing node where there is none. */
    static JsonNode read(String text) throws RefusedException {
        try {
            Node node = new Yaml(new LoaderOptions()).compose(new StringReader(text));
            return node == null ? MissingNode.getInstance() : new YamlText().value(node);
        } catch (MarkedYAMLException e) {
            throw new RefusedException(e.getProblem(), e.getProblemMark());
        } catch (YAMLException e) {
            throw new RefusedException(
                    String.valueOf(e.getMessage()).lines().findFirst().orElse(""), null);
        }
    }

    static ObjectNode object() {
        return SCALARS.createObjectNode();
    }

    private JsonNode value(Node node) throws RefusedException {
        if (node instanceof ScalarNode scalar) {
            return scalar(scalar);
        }
        if (!open.add(node)) {
            throw new RefusedException("an alias of what it is in", node.getStartMark());
        }
        JsonNode value = node instanceof MappingNode mapping ? mapping(mapping) : list((SequenceNode) node);
        open.remove(node);
        return value;
    }

    /** Jackson decides what a plain scalar is, such as a number; others are texts. */
    private static JsonNode scalar(ScalarNode scalar) throws RefusedException {
        if (scalar.getScalarStyle() != ScalarStyle.PLAIN || scalar.getValue().isEmpty()) {
            return scalar.getTag().equals(Tag.NULL) ? SCALARS.nullNode() : TextNode.valueOf(scalar.getValue());
        }
        try {
            return SCALARS.readTree(scalar.getValue());
        } catch (IOException e) {
            throw new RefusedException(scalar.getValue(), scalar.getStartMark());
        }
    }

    private ArrayNode list(SequenceNode node) throws RefusedException {
        ArrayNode list = SCALARS.createArrayNode();
        for (Node item : node.getValue()) {
            list.add(value(item));
        }
        return list;
    }

    private ObjectNode mapping(MappingNode node) throws RefusedException {
        ObjectNode mapping = object();
        List<ObjectNode> merged = new ArrayList<>();
        for (NodeTuple entry : node.getValue()) {
            if (!(entry.getKeyNode() instanceof ScalarNode key)) {
                throw new RefusedException(
                        "a list or a mapping as a key", entry.getKeyNode().getStartMark());
            }
            JsonNode value = value(entry.getValueNode());
            if (key.getValue().equals(MERGE) && key.getScalarStyle() == ScalarStyle.PLAIN) {
                merge(value, merged, key.getStartMark());
            } else if (mapping.has(key.getValue())) {
                throw new RefusedException("the key " + key.getValue() + " twice", key.getStartMark());
            } else {
                mapping.set(key.getValue(), value);
            }
        }
        for (ObjectNode other : merged) { // the mapping's own keys win, then those of the first that is merged
            other.properties().stream()
                    .filter(entry -> !mapping.has(entry.getKey()))
                    .forEach(entry -> mapping.set(entry.getKey(), entry.getValue()));
        }
        return mapping;
    }

    private static void merge(JsonNode value, List<ObjectNode> merged, Mark where) throws RefusedException {
        for (JsonNode one : value.isArray() ? value : List.of(value)) {
            if (!(one instanceof ObjectNode other)) {
                throw new RefusedException(one + " to merge, which has no keys", where);
            }
            merged.add(other);
        }
    }
}
