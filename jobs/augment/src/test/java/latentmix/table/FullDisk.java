package latentmix.table;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import latentmix.checkpoint.StandInFileSystem;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/**
 * A local file system whose disk is full after so many bytes of a file, {@code fs.full.bytes}: for ever, or while there
 * is the file {@code fs.full.while}, which is deleted when somebody has noticed.
 */
public final class FullDisk extends StandInFileSystem {
    @Override
    public URI getUri() {
        return URI.create("full:///");
    }

    @Override
    public FSDataOutputStream create(
            Path file,
            FsPermission permission,
            boolean overwrite,
            int bufferSize,
            short replication,
            long blockSize,
            Progressable progress)
            throws IOException {
        return full(super.create(file, permission, overwrite, bufferSize, replication, blockSize, progress));
    }

    @Override
    public FSDataOutputStream create(
            Path file, boolean overwrite, int bufferSize, short replication, long blockSize, Progressable progress)
            throws IOException {
        return full(super.create(file, overwrite, bufferSize, replication, blockSize, progress));
    }

    private FSDataOutputStream full(FSDataOutputStream out) throws IOException {
        String sign = getConf().get("fs.full.while");
        int limit = sign == null || new File(sign).exists() ? getConf().getInt("fs.full.bytes", 0) : Integer.MAX_VALUE;
        return new FSDataOutputStream(
                new OutputStream() {
                    private int written;

                    @Override
                    public void write(int b) throws IOException {
                        if (++written > limit) {
                            if (sign != null) {
                                Files.deleteIfExists(java.nio.file.Path.of(sign));
                            }
                            throw new IOException("No space left on device");
                        }
                        out.write(b);
                    }

                    @Override
                    public void close() throws IOException {
                        out.close();
                    }
                },
                null);
    }
}
