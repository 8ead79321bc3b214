package latentmix.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The reference of a configuration file in Markdown, from its declarations: a section a block. */
public final class ReferenceWriter {
    private static final int WORDS = 4;

    private final StringBuilder page = new StringBuilder();

    private ReferenceWriter() {}

    /**
     * The sections of a file's keys.
     *
     * @param heading such as {@code ##}
     */
    public static String sections(Block file, String heading) {
        ReferenceWriter writer = new ReferenceWriter();
        writer.block(file, List.of(), heading);
        return writer.page.toString();
    }

    /** A file with every key's example. */
    public static String example(Block file) {
        StringBuilder yaml = new StringBuilder();
        example(yaml, file.fields(), "");
        return yaml.toString();
    }

    private void block(Block block, List<String> path, String heading) {
        if (!path.isEmpty()) {
            page.append(heading).append(" `").append(String.join(".", path)).append("`\n\n");
            page.append(block.meaning())
                    .append(block.absent()
                            .map(absent -> " Where it is left out: " + absent + ".")
                            .orElse(""))
                    .append("\n\n");
        }
        List<Field> keys =
                block.fields().stream().filter(field -> field instanceof Key<?>).toList();
        if (!keys.isEmpty()) {
            table(keys);
            example(keys, path, "");
        }
        for (Field field : block.fields()) {
            List<String> below = new ArrayList<>(path);
            below.add(field.name());
            if (field instanceof Block inner) {
                block(inner, below, path.isEmpty() ? heading : "#" + heading);
            } else if (field instanceof Entries entries) {
                entries(entries, below, heading);
            }
        }
    }

    private void entries(Entries entries, List<String> path, String heading) {
        page.append(heading).append(" `").append(entries.name()).append("`\n\n");
        page.append(entries.meaning()).append("\n\n");
        for (Block kind : entries.kinds()) {
            if (entries.kinds().size() > 1) {
                page.append("#")
                        .append(heading)
                        .append(" `kind: ")
                        .append(kind.name())
                        .append("`\n\n");
                page.append(kind.meaning()).append("\n\n");
            }
            List<Field> keys = kind.fields().stream()
                    .filter(field -> field instanceof Key<?>)
                    .toList();
            table(keys);
            example(keys, path, "- ", kind.name());
            for (Field field : kind.fields()) {
                if (field instanceof Block inner) {
                    page.append("##")
                            .append(heading)
                            .append(" `")
                            .append(inner.name())
                            .append("`\n\n");
                    page.append(inner.meaning()).append("\n\n");
                    table(inner.fields());
                }
            }
        }
    }

    private void table(List<Field> keys) {
        page.append("| key | type | default | range | meaning |\n|---|---|---|---|---|\n");
        for (Field field : keys) {
            Key<?> key = (Key<?>) field;
            page.append("| `%s` | %s | %s | %s | %s |%n"
                    .replace("%n", "\n")
                    .formatted(
                            key.name(),
                            cell(type(key.type())),
                            cell(absence(key)),
                            cell(range(key.type())),
                            cell(key.meaning())));
        }
        page.append("\n");
    }

    private void example(List<Field> keys, List<String> path, String bullet) {
        example(keys, path, bullet, "");
    }

    private void example(List<Field> keys, List<String> path, String bullet, String kind) {
        page.append("```yaml\n");
        String indent = "";
        for (String name : path) {
            page.append(indent).append(name).append(":\n");
            indent += "  ";
        }
        StringBuilder yaml = new StringBuilder();
        example(yaml, keys, indent + " ".repeat(bullet.length()), kind);
        page.append(indent).append(bullet).append(yaml.substring(indent.length() + bullet.length()));
        page.append("```\n\n");
    }

    private static void example(StringBuilder yaml, List<Field> fields, String indent) {
        example(yaml, fields, indent, "");
    }

    private static void example(StringBuilder yaml, List<Field> fields, String indent, String kind) {
        for (Field field : fields) {
            if (field instanceof Key<?> key) {
                String value = key.name().equals("kind") ? kind : key.example();
                yaml.append(indent)
                        .append(key.name())
                        .append(": ")
                        .append(value)
                        .append("\n");
            } else if (field instanceof Block block) {
                yaml.append(indent).append(block.name()).append(":\n");
                example(yaml, block.fields(), indent + "  ", kind);
            } else if (field instanceof Entries entries) {
                yaml.append(indent).append(entries.name()).append(":\n");
                for (Block entry : entries.kinds()) {
                    StringBuilder one = new StringBuilder();
                    example(one, entry.fields(), indent + "    ", entry.name());
                    yaml.append(indent).append("  - ").append(one.substring(indent.length() + 4));
                }
            }
        }
    }

    private static String type(Type<?> type) {
        if (type instanceof Type.Text) {
            return "text";
        }
        if (type instanceof Type.Spelling<?> spelling) {
            return spelling.noun();
        }
        if (type instanceof Type.Choice) {
            return "word";
        }
        if (type instanceof Type.Null<?>) {
            return "`null`";
        }
        if (type instanceof Type.Flag) {
            return "true or false";
        }
        if (type instanceof Type.Whole || type instanceof Type.Count) {
            return "whole number";
        }
        if (type instanceof Type.Decimal || type instanceof Type.Above) {
            return "number";
        }
        if (type instanceof Type.Interval) {
            return "two numbers";
        }
        if (type instanceof Type.ListOf<?> list) {
            return type(list.item()) + ", or a list";
        }
        if (type instanceof Type.Mixtures) {
            return "number, word, or numbers by name";
        }
        return type instanceof Type.TextByName ? "texts by name" : "keys with values";
    }

    private static String range(Type<?> type) {
        if (type instanceof Type.Spelling<?> spelling
                && !spelling.words().isEmpty()
                && !spelling.equals(RunKeys.LOCATION)) {
            List<String> words = spelling.words();
            return "such as " + code(words.subList(0, Math.min(WORDS, words.size())));
        }
        if (type instanceof Type.Choice<?> choice) {
            return code(choice.words());
        }
        if (type instanceof Type.Whole whole) {
            return whole.least() == Long.MIN_VALUE ? "64 bits" : range(whole.least(), whole.most());
        }
        if (type instanceof Type.Count count) {
            return range(count.least(), count.most());
        }
        if (type instanceof Type.Decimal decimal) {
            return decimal(decimal.least()) + " to " + decimal(decimal.most());
        }
        if (type instanceof Type.Above above) {
            return "above " + decimal(above.bound()) + ", up to " + decimal(above.most());
        }
        if (type instanceof Type.Interval) {
            return "rising, from 0 on";
        }
        if (type instanceof Type.Mixtures) {
            return range(1, MixtureCount.MOST) + ", `balance`, `{to: 1300}`, `{ratio: 5}`, `{robin: 100, wren: 20}`";
        }
        return type instanceof Type.ListOf<?> list ? range(list.item()) : "";
    }

    private static String decimal(double bound) {
        return bound < 1 && bound > 0.999 ? "below 1" : Type.Decimal.plain(bound);
    }

    private static String range(long least, long most) {
        return String.format(Locale.ROOT, "%,d to %,d", least, most);
    }

    private static String code(List<String> words) {
        return words.stream().map(word -> "`" + word + "`").collect(Collectors.joining(", "));
    }

    private static String absence(Key<?> key) {
        if (key.absence() instanceof Key.Absence.Default otherwise) {
            return "`" + otherwise.yaml() + "`";
        }
        return key.absence() instanceof Key.Absence.Nothing nothing ? "none: " + nothing.meaning() : "**required**";
    }

    private static String cell(String text) {
        return text.replace("|", "\\|");
    }
}
