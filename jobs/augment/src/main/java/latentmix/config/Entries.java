package latentmix.config;

import java.util.List;
import java.util.Optional;

/**
 * A list of mappings in a configuration file.
 *
 * @param meaning in Markdown
 * @param kinds what an entry may hold: one block, or one for each word of the selector, named by it
 * @param selector the key whose word chooses the block; empty where there is one block
 * @param otherwise the word that is taken where an entry has none
 */
public record Entries(String name, String meaning, List<Block> kinds, String selector, String otherwise)
        implements Field {
    public Entries {
        kinds = List.copyOf(kinds);
    }

    /** A list whose entries are all alike. */
    public static Entries alike(String name, String meaning, Field... fields) {
        return new Entries(name, meaning, List.of(Block.of("", "", fields)), "", "");
    }

    /** What an entry with this word holds; what any may hold where the word is unknown. */
    Block kind(String word) {
        if (kinds.size() == 1) {
            return kinds.get(0);
        }
        return kinds.stream()
                .filter(kind -> kind.name().equals(word))
                .findFirst()
                .orElseGet(() -> new Block(
                        "",
                        "",
                        Optional.empty(),
                        kinds.stream()
                                .flatMap(kind -> kind.fields().stream())
                                .distinct()
                                .toList()));
    }
}
