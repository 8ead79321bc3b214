package latentmix.config;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.commons.text.similarity.LevenshteinDistance;

/** The known word that a misspelt one was most likely meant as. */
public final class Nearest {
    private Nearest() {}

    /**
     * The word at the least edit distance, if one alone is near: at most a third of its letters differ. Right words
     * with wrong arguments have none.
     */
    public static Optional<String> to(String misspelt, Collection<String> words) {
        TreeMap<Integer, List<String>> byDistance = new TreeMap<>();
        for (String word : words) {
            int distance = LevenshteinDistance.getDefaultInstance().apply(misspelt, word);
            if (distance <= Math.max(1, (word.length() + 1) / 3) && !head(word).equals(head(misspelt))) {
                byDistance.computeIfAbsent(distance, d -> new ArrayList<>()).add(word);
            }
        }
        return byDistance.isEmpty() || byDistance.firstEntry().getValue().size() > 1
                ? Optional.empty()
                : Optional.of(byDistance.firstEntry().getValue().get(0));
    }

    /** A spelling without its arguments. */
    private static String head(String word) {
        return word.split("\\(", 2)[0];
    }
}
