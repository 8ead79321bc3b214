package latentmix.torchscript;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32;
import latentmix.checkpoint.StateDict;
import latentmix.codec.LittleEndian;

/**
 * The zip file that libtorch loads: the program's text and pickle, then its tensors' bytes, all stored uncompressed.
 *
 * <p>Written in one pass: an entry's CRC follows its data (a data descriptor), the sizes are known before. libtorch
 * checks neither the CRC nor a tensor's length, and a short tensor would be read beyond its end: the writer counts the
 * bytes, and the archive's comment is the CRC-32 of all bytes before it: processors and the JVM's first compiler have
 * it built in, and SHA-256 would take a second for each 40 MB. Format: <a
 * href="https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT">APPNOTE</a>, with zip64 beyond 4 GiB, and <a
 * href="https://github.com/pytorch/pytorch/blob/v2.7.1/torch/csrc/jit/docs/serialization.md">TorchScript's
 * serialization</a>.
 */
public final class Archive {
    /** A sink takes bytes in order. */
    interface Sink {
        void write(ByteBuffer bytes) throws IOException;
    }

    private interface Body {
        void write(Sink sink) throws IOException;
    }

    private record Entry(byte[] name, long size, long crc, long offset) {}

    private static final long UINT32 = 0xffffffffL;
    /** The file format's version that libtorch 2.7 is to assume; later ones are refused. */
    private static final String VERSION = "10\n";
    /** {@code constants.pkl}: protocol 2, an empty tuple. */
    private static final byte[] NO_CONSTANTS = {(byte) 0x80, 2, ')', '.'};

    /** What the archive is beside its content. Another form has another word, or its files would look damaged. */
    public static final String FORM = "crc-32";

    /** The comment's length: a CRC-32 in hexadecimal. */
    private static final int CRC_HEX = 8;

    private final FileChannel channel;
    private final CRC32 all = new CRC32();
    private final List<Entry> entries = new ArrayList<>();
    private final long zip64From;
    private long position;

    private Archive(FileChannel channel, long zip64From) {
        this.channel = channel;
        this.zip64From = zip64From;
    }

    /** Writes a program with its weights; at most some 10 MB of either are in memory at a time. */
    public static void write(Path file, Program program, StateDict weights) throws IOException {
        write(file, program, weights, UINT32);
    }

    /** Writes a program with its weights, with zip64 records for all sizes and offsets from the given one on. */
    static void write(Path file, Program program, StateDict weights, long zip64From) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            Archive archive = new Archive(channel, zip64From);
            archive.entry("data.pkl", program.objects());
            archive.entry("code/__torch__.py", program.code());
            archive.entry("constants.pkl", NO_CONSTANTS);
            archive.entry("version", VERSION.getBytes(StandardCharsets.US_ASCII));
            WeightStream stream = new WeightStream(weights, program.type());
            List<Program.Stored> tensors = program.tensors();
            for (int i = 0; i < tensors.size(); i++) {
                Program.Stored tensor = tensors.get(i);
                long size =
                        Math.multiplyExact(tensor.size(), (long) program.type().bytes());
                archive.entry("data/" + i, size, sink -> stream.copy(tensor, sink));
            }
            archive.finish();
        }
    }

    /** Whether the file is whole: its bytes are those that were written. */
    public static boolean isIntact(Path file) throws IOException {
        CRC32 crc = new CRC32();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long covered = channel.size() - CRC_HEX;
            if (covered < 0) {
                return false;
            }
            ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
            for (long at = 0; at < covered; ) {
                buffer.clear().limit((int) Math.min(buffer.capacity(), covered - at));
                int n = channel.read(buffer, at);
                if (n < 0) {
                    return false;
                }
                crc.update(buffer.flip());
                at += n;
            }
            ByteBuffer comment = ByteBuffer.allocate(CRC_HEX);
            while (comment.hasRemaining() && channel.read(comment, covered + comment.position()) >= 0) {
                // The loop's condition reads.
            }
            return hex(crc).equals(new String(comment.array(), StandardCharsets.US_ASCII));
        }
    }

    private void entry(String name, byte[] bytes) throws IOException {
        entry(name, bytes.length, sink -> sink.write(ByteBuffer.wrap(bytes)));
    }

    private void entry(String name, long size, Body body) throws IOException {
        byte[] path = ("program/" + name).getBytes(StandardCharsets.UTF_8);
        long offset = position;
        boolean big = size >= zip64From;
        ByteBuffer header = LittleEndian.buffer(30 + path.length + 20);
        header.putInt(0x04034b50).putShort(version(big)).putShort((short) 8).putShort((short)
                0); // sizes known, CRC after
        header.putShort((short) 0).putShort((short) 0x21).putInt(0); // 1980-01-01, so equal programs give equal bytes
        header.putInt(clip(size, big)).putInt(clip(size, big));
        header.putShort((short) path.length).putShort((short) (big ? 20 : 0)).put(path);
        if (big) {
            header.putShort((short) 1).putShort((short) 16).putLong(size).putLong(size);
        }
        append(header.flip());

        CRC32 crc = new CRC32();
        long begin = position;
        body.write(bytes -> {
            crc.update(bytes.duplicate());
            append(bytes);
        });
        if (position - begin != size) {
            throw new IllegalStateException(name + " should have " + size + " bytes, got " + (position - begin));
        }

        ByteBuffer descriptor = LittleEndian.buffer(24).putInt(0x08074b50).putInt((int) crc.getValue());
        if (big) {
            descriptor.putLong(size).putLong(size);
        } else {
            descriptor.putInt((int) size).putInt((int) size);
        }
        append(descriptor.flip());
        entries.add(new Entry(path, size, crc.getValue(), offset));
    }

    private void finish() throws IOException {
        long directory = position;
        for (Entry entry : entries) {
            boolean big = entry.size() >= zip64From || entry.offset() >= zip64From;
            ByteBuffer header = LittleEndian.buffer(46 + entry.name().length + 28);
            header.putInt(0x02014b50)
                    .putShort(version(big))
                    .putShort(version(big))
                    .putShort((short) 8);
            header.putShort((short) 0)
                    .putShort((short) 0)
                    .putShort((short) 0x21)
                    .putInt((int) entry.crc());
            header.putInt(clip(entry.size(), big)).putInt(clip(entry.size(), big));
            header.putShort((short) entry.name().length).putShort((short) (big ? 28 : 0));
            header.putShort((short) 0).putShort((short) 0).putShort((short) 0).putInt(0);
            header.putInt(clip(entry.offset(), big)).put(entry.name());
            if (big) {
                header.putShort((short) 1).putShort((short) 24);
                header.putLong(entry.size()).putLong(entry.size()).putLong(entry.offset());
            }
            append(header.flip());
        }
        long end = position;
        boolean big = end >= zip64From || entries.size() >= 0xffff;
        if (big) {
            ByteBuffer end64 = LittleEndian.buffer(56 + 20);
            end64.putInt(0x06064b50).putLong(44).putShort(version(true)).putShort(version(true));
            end64.putInt(0).putInt(0).putLong(entries.size()).putLong(entries.size());
            end64.putLong(end - directory).putLong(directory);
            end64.putInt(0x07064b50).putInt(0).putLong(end).putInt(1);
            append(end64.flip());
        }
        short count = (short) (big ? 0xffff : entries.size());
        ByteBuffer last = LittleEndian.buffer(22);
        last.putInt(0x06054b50)
                .putShort((short) 0)
                .putShort((short) 0)
                .putShort(count)
                .putShort(count);
        last.putInt(clip(end - directory, big)).putInt(clip(directory, big)).putShort((short) CRC_HEX);
        append(last.flip());
        append(ByteBuffer.wrap(hex(all).getBytes(StandardCharsets.US_ASCII)));
    }

    private static String hex(CRC32 crc) {
        return HexFormat.of().toHexDigits((int) crc.getValue());
    }

    private static short version(boolean zip64) {
        return (short) (zip64 ? 45 : 20);
    }

    private static int clip(long value, boolean zip64) {
        return (int) (zip64 ? UINT32 : value);
    }

    private void append(ByteBuffer bytes) throws IOException {
        position += bytes.remaining();
        all.update(bytes.duplicate());
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
