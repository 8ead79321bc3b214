package latentmix.stage;

import java.io.IOException;
import java.util.List;
import latentmix.source.ImageSource;
import latentmix.source.IndexedSource;
import latentmix.source.IndexedSource.Survey;
import latentmix.table.RunFolder;
import latentmix.work.ImagesWork.Look;

/**
 * Before the classes are known: looks into files that hold or name many images. A task reads a file once, hashes its
 * images and publishes their places; a plan reads labels alone. The driver sees classes and counts.
 */
final class IndexStage {
    private IndexStage() {}

    /** The source, of which it is known what it has. */
    static ImageSource known(ImageSource source, RunFolder run, Tasks tasks, Look look) throws IOException {
        if (!(source instanceof IndexedSource shards)) {
            return source;
        }
        List<Survey> surveys = tasks.map(
                "index files of images",
                shards.shards(),
                (folder, shard, progress) ->
                        look == Look.FORESEE ? shards.survey(shard, folder) : shards.index(shard, folder));
        return shards.known(run, surveys);
    }
}
