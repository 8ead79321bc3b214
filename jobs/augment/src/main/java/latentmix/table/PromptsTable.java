package latentmix.table;

import java.io.IOException;
import java.util.List;
import java.util.Set;

/** The embeddings of prompts, a file for each prompt and checkpoint. */
public final class PromptsTable {
    private final RunFolder run;

    public PromptsTable(RunFolder run) {
        this.run = run;
    }

    /** The ids of the prompts that have been encoded, sorted. */
    public Set<String> ids() throws IOException {
        return run.prompts();
    }

    /** A prompt's row. */
    public PromptRow row(String promptId) throws IOException {
        return RowFile.read(run.prompt(promptId), run.conf(), PromptRow.class).get(0);
    }

    /** Publishes a prompt's row. */
    public void publish(PromptRow row) throws IOException {
        run.publish(run.prompt(row.promptId()), RowFile.bytes(PromptRow.class, List.of(row)));
    }
}
