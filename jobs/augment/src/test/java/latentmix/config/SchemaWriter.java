package latentmix.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** The <a href="https://json-schema.org/draft-07">JSON Schema</a> of a configuration file, from its declarations. */
public final class SchemaWriter {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private SchemaWriter() {}

    /** The schema's text. */
    public static String schema(Block file) {
        ObjectNode schema = JSON.objectNode().put("$schema", "http://json-schema.org/draft-07/schema#");
        schema.setAll(object(file));
        DefaultIndenter indenter = new DefaultIndenter("  ", "\n");
        DefaultPrettyPrinter printer =
                new DefaultPrettyPrinter().withObjectIndenter(indenter).withArrayIndenter(indenter);
        try {
            return new ObjectMapper().writer(printer).writeValueAsString(schema) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static ObjectNode object(Block block) {
        ObjectNode schema =
                JSON.objectNode().put("description", plain(block.meaning())).put("type", "object");
        ObjectNode properties = schema.putObject("properties");
        ArrayNode required = JSON.arrayNode();
        for (Field field : block.fields()) {
            ObjectNode property = property(field);
            if (isRequired(field)) {
                required.add(field.name());
            } else if (!(field instanceof Key<?> key && key.type().readsNull())) {
                orNull(property);
            }
            properties.set(field.name(), property);
            RunKeys.ALIASES.forEach((alias, key) -> {
                if (key.equals(field)) {
                    properties.set(alias, property.deepCopy());
                }
            });
        }
        if (!required.isEmpty()) {
            schema.set("required", required);
        }
        return schema.put("additionalProperties", false);
    }

    private static boolean isRequired(Field field) {
        return field instanceof Block block
                ? block.absent().isEmpty() && block.fields().stream().anyMatch(SchemaWriter::isRequired)
                : field instanceof Key<?> key && key.absence() instanceof Key.Absence.Required;
    }

    private static ObjectNode property(Field field) {
        if (field instanceof Block block) {
            return object(block);
        }
        if (field instanceof Entries entries) {
            return entries(entries);
        }
        Key<?> key = (Key<?>) field;
        ObjectNode schema = JSON.objectNode().put("description", plain(key.meaning()));
        schema.setAll(type(key.type()));
        if (key.absence() instanceof Key.Absence.Default otherwise) {
            schema.set("default", Key.yaml(otherwise.yaml()));
        }
        schema.putArray("examples").add(Key.yaml(key.example()));
        return schema;
    }

    private static ObjectNode entries(Entries entries) {
        ObjectNode schema = JSON.objectNode()
                .put("description", plain(entries.meaning()))
                .put("type", "array")
                .put("minItems", 1);
        if (entries.kinds().size() == 1) {
            schema.set("items", object(entries.kinds().get(0)));
            return schema;
        }
        ArrayNode kinds = schema.putObject("items").putArray("oneOf");
        for (Block kind : entries.kinds()) {
            ObjectNode one = object(kind);
            ((ObjectNode) one.get("properties").get(entries.selector()))
                    .set("enum", JSON.arrayNode().add(kind.name()));
            if (!kind.name().equals(entries.otherwise())) {
                one.withArray("required").add(entries.selector());
            }
            kinds.add(one);
        }
        return schema;
    }

    private static ObjectNode type(Type<?> type) {
        ObjectNode schema = JSON.objectNode();
        if (type instanceof Type.Text) {
            schema.putArray("type").add("string").add("number").add("boolean");
        } else if (type instanceof Type.Spelling<?> spelling) {
            ArrayNode types = schema.putArray("type").add("string");
            if ("0.5".matches(spelling.pattern()) && !"a".matches(spelling.pattern())) {
                types.add("number");
            } else if ("8".matches(spelling.pattern())) {
                types.add("integer");
                schema.put("minimum", 0);
            }
            schema.put("pattern", spelling.pattern());
        } else if (type instanceof Type.Choice<?> choice) {
            ArrayNode words = schema.putArray("enum");
            choice.words().forEach(words::add);
        } else if (type instanceof Type.Flag) {
            schema.put("type", "boolean");
        } else if (type instanceof Type.Whole whole) {
            schema.put("type", "integer").put("minimum", whole.least()).put("maximum", whole.most());
        } else if (type instanceof Type.Count count) {
            schema.put("type", "integer").put("minimum", count.least()).put("maximum", count.most());
        } else if (type instanceof Type.Decimal decimal) {
            schema.put("type", "number").put("minimum", decimal.least()).put("maximum", decimal.most());
        } else if (type instanceof Type.Above above) {
            schema.put("type", "number").put("exclusiveMinimum", above.bound()).put("maximum", above.most());
        } else if (type instanceof Type.Interval) {
            schema.put("type", "array").put("minItems", 2).put("maxItems", 2);
            schema.putObject("items").put("type", "number").put("minimum", 0);
        } else if (type instanceof Type.ListOf<?> list) {
            ArrayNode either = schema.putArray("anyOf").add(type(list.item()));
            ObjectNode array =
                    either.addObject().put("type", "array").put("minItems", 1).put("uniqueItems", true);
            array.set("items", type(list.item()));
        } else if (type instanceof Type.Mixtures) {
            ArrayNode either = schema.putArray("anyOf").add(type(new Type.Count(1, MixtureCount.MOST)));
            either.addObject().putArray("enum").add(MixtureCount.BALANCE);
            ObjectNode ratio = either.addObject().put("type", "object");
            ratio.putObject("properties")
                    .putObject("ratio")
                    .put("type", "number")
                    .put("exclusiveMinimum", 0)
                    .put("maximum", MixtureCount.MOST);
            ratio.put("additionalProperties", false).put("minProperties", 1);
            ObjectNode numbers = either.addObject().put("type", "object").put("minProperties", 1);
            ObjectNode alone = numbers.putObject("properties");
            alone.set("to", type(new Type.Count(1, MixtureCount.MOST)));
            alone.set("ratio", type(new Type.Count(1, MixtureCount.MOST)));
            numbers.set("additionalProperties", type(new Type.Count(0, MixtureCount.MOST)));
        } else if (type instanceof Type.Null<?>) {
            schema.putArray("type").add("null");
        } else if (type instanceof Type.TextByName) {
            schema.put("type", "object").putObject("additionalProperties").put("type", "string");
        } else {
            schema.put("type", "object");
        }
        return schema;
    }

    /** An empty value is as good as none. */
    private static void orNull(ObjectNode schema) {
        JsonNode type = schema.path("type");
        if (schema.get("enum") instanceof ArrayNode words) {
            words.addNull();
        } else if (schema.get("anyOf") instanceof ArrayNode either) {
            either.addObject().put("type", "null");
        } else if (type instanceof ArrayNode types) {
            types.add("null");
        } else {
            schema.putArray("type").add(type).add("null");
        }
    }

    /** Markdown's links and code as text. */
    private static String plain(String markdown) {
        return markdown.replaceAll("\\[([^]]*)]\\([^)]*\\)", "$1").replace("`", "");
    }

    /** What a configuration in YAML says, as a tree. */
    public static JsonNode yaml(String text) {
        return Key.yaml(text);
    }
}
