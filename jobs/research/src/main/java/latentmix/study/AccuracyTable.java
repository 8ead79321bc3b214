package latentmix.study;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import org.apache.hadoop.fs.Path;

/** How well classifiers do: a file for each training, whose name is the training's id. */
final class AccuracyTable {
    private static final String FOLDER = "accuracy";
    private static final String SUFFIX = ".parquet";

    private final RunFolder folder;

    AccuracyTable(RunFolder folder) {
        this.folder = folder;
    }

    /** The ids of the trainings that are done. */
    Set<String> trainings() throws IOException {
        return folder.files(FOLDER).stream()
                .filter(file -> file.endsWith(SUFFIX))
                .map(file -> file.substring(0, file.length() - SUFFIX.length()))
                .collect(Collectors.toSet());
    }

    /** How well a training's classifier does. */
    AccuracyRow row(String training) throws IOException {
        return RowFile.read(file(training), folder.conf(), AccuracyRow.class).get(0);
    }

    /** Publishes how well a training's classifier does. */
    void publish(AccuracyRow row) throws IOException {
        folder.publish(file(row.trainingId()), RowFile.bytes(AccuracyRow.class, List.of(row)));
    }

    private Path file(String training) {
        return folder.path(FOLDER + "/" + training + SUFFIX);
    }
}
