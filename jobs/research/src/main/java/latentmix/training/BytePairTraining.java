package latentmix.training;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Byte-pair encoding learnt from some prompts until each of their words is one token, in the layout of CLIP's
 * tokenizer: words end in {@code </w>}, the two last tokens are the start and the end.
 *
 * <p><a href="https://arxiv.org/abs/1508.07909">Sennrich et al., Algorithm 1</a>; of pairs that are equally frequent
 * the first by letters is merged. Letters, digits and a few signs are tokens too, so that other prompts can be spelled.
 *
 * @param vocabulary token to id
 * @param merges two tokens with a space between, by rank
 */
public record BytePairTraining(Map<String, Integer> vocabulary, List<String> merges) {
    private static final Pattern WORDS = Pattern.compile("[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+");
    private static final String SPELLED = "abcdefghijklmnopqrstuvwxyz0123456789-,.'";
    private static final String END = "</w>";

    public BytePairTraining {
        vocabulary = Collections.unmodifiableMap(new LinkedHashMap<>(vocabulary));
        merges = List.copyOf(merges);
    }

    /**
     * Learns from prompts of ASCII letters.
     *
     * @throws IllegalArgumentException for other letters, which CLIP spells by their bytes
     */
    public static BytePairTraining of(List<String> prompts) {
        Map<List<String>, Integer> words = new LinkedHashMap<>();
        for (String prompt : prompts) {
            Matcher matcher = WORDS.matcher(prompt.toLowerCase(Locale.ROOT));
            while (matcher.find()) {
                words.merge(spelled(matcher.group()), 1, Integer::sum);
            }
        }
        Set<String> tokens = new LinkedHashSet<>();
        SPELLED.chars().forEach(letter -> tokens.add(Character.toString(letter)));
        SPELLED.chars().forEach(letter -> tokens.add(Character.toString(letter) + END));
        words.keySet().forEach(tokens::addAll);
        List<String> merges = new ArrayList<>();
        for (String pair = mostFrequent(words); pair != null; pair = mostFrequent(words)) {
            merges.add(pair);
            tokens.add(pair.replace(" ", ""));
            words = merged(words, pair);
        }
        tokens.add("<|startoftext|>");
        tokens.add("<|endoftext|>");
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        tokens.forEach(token -> vocabulary.put(token, vocabulary.size()));
        return new BytePairTraining(vocabulary, merges);
    }

    private static List<String> spelled(String word) {
        if (!word.chars().allMatch(letter -> letter < 128)) {
            throw new IllegalArgumentException(
                    "expected prompts in ASCII, got: " + word + "; name the class otherwise");
        }
        List<String> letters = new ArrayList<>(Arrays.asList(word.split("", -1)));
        letters.remove(letters.size() - 1); // split leaves an empty end
        letters.set(letters.size() - 1, letters.get(letters.size() - 1) + END);
        return List.copyOf(letters);
    }

    private static String mostFrequent(Map<List<String>, Integer> words) {
        Map<String, Integer> pairs = new TreeMap<>();
        words.forEach((word, count) -> {
            for (int i = 0; i + 1 < word.size(); i++) {
                pairs.merge(word.get(i) + " " + word.get(i + 1), count, Integer::sum);
            }
        });
        String best = null;
        for (Map.Entry<String, Integer> pair : pairs.entrySet()) {
            if (best == null || pair.getValue() > pairs.get(best)) {
                best = pair.getKey();
            }
        }
        return best;
    }

    private static Map<List<String>, Integer> merged(Map<List<String>, Integer> words, String pair) {
        Map<List<String>, Integer> merged = new LinkedHashMap<>();
        words.forEach((word, count) -> {
            List<String> tokens = new ArrayList<>();
            for (int i = 0; i < word.size(); i++) {
                boolean both = i + 1 < word.size() && pair.equals(word.get(i) + " " + word.get(i + 1));
                tokens.add(both ? word.get(i) + word.get(++i) : word.get(i));
            }
            merged.merge(tokens, count, Integer::sum);
        });
        return merged;
    }
}
