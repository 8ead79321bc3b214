package latentmix.source;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;

/** A source some of whose classes were listed together. */
record Listed(ImageSource source, Map<String, Listing> listings) implements ImageSource {
    @Override
    public List<String> classIds(Configuration conf) throws IOException {
        return source.classIds(conf);
    }

    @Override
    public Listing list(String classId, Configuration conf) throws IOException {
        Listing listing = listings.get(classId);
        return listing == null ? source.list(classId, conf) : listing;
    }

    @Override
    public Tally unread(String classId) {
        return source.unread(classId);
    }

    @Override
    public long captions() {
        return source.captions();
    }

    @Override
    public byte[] read(ImageFile image, RunFolder files) throws IOException {
        return source.read(image, files);
    }

    @Override
    public byte[] read(String path, RunFolder files) throws IOException {
        return source.read(path, files);
    }
}
