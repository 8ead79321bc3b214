package latentmix.source;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** By which names images, labels and captions are found, the first that is there. */
record Columns(Names image, Names label, Names caption) implements Serializable {
    /** Names of one thing, in the order in which they are looked for. */
    record Names(List<String> names) implements Serializable {
        Names {
            names = List.copyOf(names);
        }

        /** The first of these that is among some names, in any case. */
        Optional<String> among(List<String> found) {
            return names.stream()
                    .flatMap(name -> found.stream().filter(name::equalsIgnoreCase))
                    .findFirst();
        }

        /** The text under the first of these; empty where there is none. */
        String text(JsonNode object) {
            return names.stream()
                    .map(object::path)
                    .filter(value -> value.isValueNode() && !value.isNull())
                    .map(JsonNode::asText)
                    .findFirst()
                    .orElse("");
        }

        @Override
        public String toString() {
            return String.join(", ", names);
        }
    }

    /** The names of a configuration, or those that are usual. */
    static Columns of(Map<String, String> stated, List<String> images) {
        return new Columns(
                names(stated.get("image"), images),
                names(
                        stated.get("label"),
                        List.of(
                                "label",
                                "labels",
                                "class",
                                "cls",
                                "class_name",
                                "class_id",
                                "category",
                                "target",
                                "fine_label")),
                names(stated.get("caption"), List.of("caption", "text", "prompt", "captions")));
    }

    private static Names names(String stated, List<String> usual) {
        return new Names(stated == null ? usual : List.of(stated));
    }
}
