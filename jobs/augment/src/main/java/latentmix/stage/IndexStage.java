package latentmix.stage;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import latentmix.source.ImageSource;
import latentmix.source.IndexedSource;
import latentmix.source.IndexedSource.Survey;
import latentmix.source.Shard;
import latentmix.table.IndexTable;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import latentmix.work.ImagesWork.Look;

/**
 * Before the classes are known: looks into files that hold or name many images. A task reads a file once, hashes its
 * images and publishes their places; a plan reads texts alone. The driver sees classes and counts.
 */
final class IndexStage {
    private IndexStage() {}

    /**
     * The source, of which it is known what it has.
     *
     * @param tables the folder that has the index
     */
    static ImageSource known(ImageSource source, RunFolder tables, Tasks tasks, Preparation preparation)
            throws IOException {
        if (!(source instanceof IndexedSource shards)) {
            return source;
        }
        String root = tables.root();
        if (preparation.retriesRejected()) {
            Set<String> refusing = new IndexTable(tables).refusing();
            tasks.map(
                    "forget refused rows",
                    shards.indices().stream().filter(refusing::contains).toList(),
                    (folder, index, progress) -> {
                        new IndexTable(new RunFolder(root, folder.conf())).forget(index);
                        return index;
                    });
        }
        if (preparation.look() != Look.FORESEE) {
            List<Shard> unread = shards.unread(tables);
            int read = tasks.run(
                            Job.of(StageName.IMAGES, "MB", unread, Shard::megabytes),
                            unread,
                            (folder, shard, progress) -> {
                                shards.index(shard, new RunFolder(root, folder.conf()), progress);
                                return shard.path();
                            })
                    .size();
            if (read < unread.size()) {
                throw new IOException("Stopped while files of images were read; the same command goes on");
            }
        }
        List<Survey> surveys = tasks.map(
                "survey files of images",
                shards.shards(),
                (folder, shard, progress) -> shards.survey(shard, new RunFolder(root, folder.conf())));
        return shards.known(tables, surveys);
    }
}
