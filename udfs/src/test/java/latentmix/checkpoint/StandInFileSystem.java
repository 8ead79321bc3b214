package latentmix.checkpoint;

import java.io.IOException;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/**
 * A local file system under a scheme of its own: its files have no permissions, which only a {@code file:} can tell.
 */
public abstract class StandInFileSystem extends RawLocalFileSystem {
    @Override
    public FileStatus[] listStatus(Path folder) throws IOException {
        return Stream.of(super.listStatus(folder))
                .map(file -> new FileStatus(
                        file.getLen(),
                        file.isDirectory(),
                        1,
                        file.getBlockSize(),
                        file.getModificationTime(),
                        file.getPath()))
                .toArray(FileStatus[]::new);
    }
}
