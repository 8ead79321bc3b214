package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import latentmix.table.RowFile;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StudyTableTest {
    /** A row with every kind of column. */
    public record Row(String className, int sourceCount, double value) {}

    private static final StudyTable<Row> TABLE = new StudyTable<>(
            "table",
            "A row is a cell.",
            Row.class,
            List.of(new Row("T-shirt, \"top\"", 64, 0.5), new Row("bag", 2, 1e-9)));

    @Test
    void csvQuotesWhatNeedsIt() {
        assertThat(TABLE.csv())
                .isEqualTo("class_name,source_count,value\n\"T-shirt, \"\"top\"\"\",64,0.5\nbag,2,1.0E-9\n");
    }

    @Test
    void parquetHoldsTheSameRows(@TempDir Path folder) throws IOException {
        Path file = Files.write(folder.resolve("table.parquet"), TABLE.parquet());
        assertThat(RowFile.read(new org.apache.hadoop.fs.Path(file.toString()), new Configuration(), Row.class))
                .isEqualTo(TABLE.rows());
    }
}
