package latentmix.config;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A mapping of a configuration file, with everything that it may hold.
 *
 * @param name its key; empty for the whole file
 * @param meaning in Markdown
 * @param absent what happens where it is left out; empty where its keys' defaults hold then
 */
public record Block(String name, String meaning, Optional<String> absent, List<Field> fields) implements Field {
    public Block {
        fields = List.copyOf(fields);
    }

    public static Block of(String name, String meaning, Field... fields) {
        return new Block(name, meaning, Optional.empty(), List.of(fields));
    }

    /** A mapping that may be left out for something else than its defaults. */
    public static Block optional(String name, String absent, String meaning, Field... fields) {
        return new Block(name, meaning, Optional.of(absent), List.of(fields));
    }

    /** The same with these fields behind its own. */
    public Block and(Field... more) {
        return new Block(
                name,
                meaning,
                absent,
                Stream.concat(fields.stream(), Stream.of(more)).toList());
    }

    /** The same without a field. */
    public Block without(Field field) {
        return new Block(
                name,
                meaning,
                absent,
                fields.stream().filter(other -> !other.equals(field)).toList());
    }

    /** The same under another name and meaning. */
    public Block named(String otherName, String otherMeaning) {
        return new Block(otherName, otherMeaning, absent, fields);
    }

    List<String> names() {
        return fields.stream().map(Field::name).toList();
    }

    /** The path below this block of a field of this name, if one alone has it. */
    Optional<String> path(String field) {
        List<String> found =
                paths(this, "").filter(path -> path.endsWith("." + field)).toList();
        return found.size() == 1 ? Optional.of(found.get(0)) : Optional.empty();
    }

    private static Stream<String> paths(Block block, String prefix) {
        return block.fields.stream().flatMap(field -> {
            String path = prefix + field.name();
            return field instanceof Block below
                    ? Stream.concat(Stream.of(path), paths(below, path + "."))
                    : Stream.of(path);
        });
    }
}
