package latentmix.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import latentmix.checkpoint.CheckpointFolder;

/**
 * Names the prompts that are longer than a checkpoint's tokenizers take. They are cut, as the pipelines of diffusers
 * cut them.
 */
public final class PromptCuts {
    /** The cut that a tokenizer makes in a prompt that is too long for it. */
    private record Cut(int length, int maxLength, String kept) {}

    private PromptCuts() {}

    /** One line for each prompt that is cut. */
    public static List<String> warnings(CheckpointFolder folder, List<String> prompts) {
        List<Tokenizer> tokenizers = Models.tokenizers(folder);
        try {
            return prompts.stream()
                    .flatMap(prompt -> warning(prompt, tokenizers, folder.tokenizers()).stream())
                    .toList();
        } finally {
            tokenizers.forEach(Tokenizer::close);
        }
    }

    private static Optional<String> warning(String prompt, List<Tokenizer> tokenizers, List<String> names) {
        Map<Cut, List<String>> cuts = new LinkedHashMap<>();
        for (int i = 0; i < tokenizers.size(); i++) {
            Tokenizer tokenizer = tokenizers.get(i);
            int length = tokenizer.length(prompt);
            if (length > tokenizer.maxLength()) {
                Cut cut = new Cut(length, tokenizer.maxLength(), tokenizer.kept(prompt));
                cuts.computeIfAbsent(cut, same -> new ArrayList<>()).add(names.get(i));
            }
        }
        if (cuts.isEmpty()) {
            return Optional.empty();
        }
        List<String> parts = new ArrayList<>();
        cuts.forEach(
                (cut, cutting) -> parts.add("of %d tokens, start and end included, %d are cut by %s, which keeps \"%s\""
                        .formatted(
                                cut.length(),
                                cut.length() - cut.maxLength(),
                                String.join(" and ", cutting),
                                cut.kept())));
        return Optional.of("The prompt \"" + prompt + "\" is too long: " + String.join("; ", parts));
    }
}
