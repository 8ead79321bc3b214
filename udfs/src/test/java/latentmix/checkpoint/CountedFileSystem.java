package latentmix.checkpoint;

import java.io.IOException;
import java.net.URI;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;

/** A local file system that stands for a remote one: it counts the files that are opened, and is slow to open one. */
public final class CountedFileSystem extends StandInFileSystem {
    static final AtomicInteger OPENED = new AtomicInteger();

    private static final int MILLIS = 50;

    @Override
    public URI getUri() {
        return URI.create("counted:///");
    }

    @Override
    public FSDataInputStream open(Path file, int bufferSize) throws IOException {
        OPENED.incrementAndGet();
        try {
            TimeUnit.MILLISECONDS.sleep(MILLIS);
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
        return super.open(file, bufferSize);
    }
}
