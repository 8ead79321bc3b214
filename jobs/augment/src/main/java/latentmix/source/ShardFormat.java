package latentmix.source;

import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** How images lie inside a shard, or are named by it. */
sealed interface ShardFormat extends Serializable permits ParquetShards, TarShards, Manifest {
    /** How much of a shard is read. */
    enum Extent {
        /** Labels and captions alone. */
        TEXTS,
        /** Everything. */
        WHOLE
    }

    /** What a shard says of one image. */
    sealed interface Entry {
        /** Where the image lies, as the images table has it. */
        String path();

        /** Bytes of the shard that it took, about. */
        long size();
    }

    /**
     * An image.
     *
     * @param label a number or a name
     * @param bytes the image's; empty where they were not read
     */
    record Image(String path, String label, byte[] bytes, String caption) implements Entry {
        @Override
        public long size() {
            return (long) bytes.length + path.length() + label.length() + caption.length();
        }
    }

    /** Something of which no image can be had. */
    record Refused(String path, String reason, String detail) implements Entry {
        @Override
        public long size() {
            return path.length();
        }
    }

    @FunctionalInterface
    interface Visitor {
        void visit(Entry entry) throws IOException;
    }

    /** Reads a shard from its beginning to its end. */
    void read(Path base, Shard shard, Extent extent, Configuration conf, Visitor visitor) throws IOException;

    /** The bytes of the image at a path of the images table. */
    byte[] image(Path base, String path, Configuration conf) throws IOException;

    /** Whether {@link #image} reads files of their own, which have lengths and times. */
    default boolean namesFiles() {
        return false;
    }

    /** The names that a shard gives to numbers, in their order; none where it gives none. */
    default List<String> names(Path base, Shard shard, Configuration conf) throws IOException {
        return List.of();
    }

    /** What decides which rows come of a shard, beside the shard. */
    String settings();
}
