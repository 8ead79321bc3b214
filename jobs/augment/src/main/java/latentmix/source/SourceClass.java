package latentmix.source;

import java.io.Serializable;
import java.util.Locale;

/**
 * A class as a source has it.
 *
 * @param id fit for a folder's name
 * @param name what the source calls it
 */
public record SourceClass(String id, String name) implements Serializable {
    /** The class of a name. Signs that a folder's name cannot have become underscores in its id. */
    public static SourceClass named(String name) {
        StringBuilder id = new StringBuilder();
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            boolean first = i == 0 && (c == '.' || c == ' ');
            id.append(c < ' ' || c == 0x7f || "/\\:".indexOf(c) >= 0 || first ? '_' : c);
        }
        return new SourceClass(id.toString(), name);
    }

    /** Whether the name is a whole number. */
    boolean isNumber() {
        return name.matches("\\d{1,9}");
    }

    @Override
    public String toString() {
        return id.equals(name) ? id : String.format(Locale.ROOT, "%s (%s)", id, name);
    }
}
