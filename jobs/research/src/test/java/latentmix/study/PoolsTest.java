package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import latentmix.plan.ClassLabel;
import latentmix.plan.InversionChunk;
import latentmix.table.InvertedRow;
import latentmix.table.InvertedTable;
import latentmix.table.LatentColumn;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PoolsTest {
    @TempDir
    Path folder;

    private static InvertedRow row(String id, String prompt, String settings) {
        LatentColumn latent = new LatentColumn(1, 1, 1, new byte[4]);
        return new InvertedRow(
                id, "cat", 0, "a cat", id, prompt, latent, 0, List.of(0.0), latent, 0, settings, "fingerprint");
    }

    @Test
    void aPoolHoldsTheLatentsOfItsOwnPromptAndSettingsAlone() throws IOException {
        RunFolder run = new RunFolder(folder.toString(), new Configuration());
        InvertedTable table = new InvertedTable(run, "cat");
        for (String prompt : List.of("a photo", "a drawing")) {
            for (String settings : List.of("ours", "others")) {
                List<InvertedRow> rows = List.of(row("i1", prompt, settings), row("i2", prompt, settings));
                table.commit(InversionChunk.id(settings, prompt, "images", ""), rows, List.of());
            }
        }
        ClassLabel label = new ClassLabel("cat", 0, "a cat", "a photo");
        assertThat(Pools.pool(run, label, "ours").imageIds()).containsExactly("i1", "i2");
    }
}
