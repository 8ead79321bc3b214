package latentmix.table;

import java.io.IOException;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import latentmix.table.RunFolder.Table;

/**
 * The captions of one class's images: one file, which a scan that finds others writes anew. It is there only where
 * captions are asked for.
 */
public final class CaptionsTable {
    private final OneFile<CaptionRow> file;

    public CaptionsTable(RunFolder run, String classId) {
        this.file = new OneFile<>(run, Table.CAPTIONS, classId, "captions", CaptionRow.class);
    }

    /** The captions by image id, sorted; images without one are left out. */
    public SortedMap<String, String> captions() throws IOException {
        TreeMap<String, String> captions = new TreeMap<>();
        file.rows().forEach(row -> captions.put(row.imageId(), row.caption()));
        return Collections.unmodifiableSortedMap(captions);
    }

    /** Replaces the captions. */
    public void publish(SortedMap<String, String> captions) throws IOException {
        file.publish(captions.entrySet().stream()
                .map(caption -> new CaptionRow(caption.getKey(), caption.getValue()))
                .toList());
    }
}
