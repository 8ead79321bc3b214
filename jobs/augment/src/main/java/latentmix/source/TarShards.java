package latentmix.source;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import latentmix.image.ImageNames;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;

/**
 * Tar files as WebDataset writes them: members that have a name up to its first dot in common, one after the other, are
 * a sample; an image, and its label as {@code cls} or inside {@code json} (<a
 * href="https://github.com/webdataset/webdataset#the-webdataset-format">the format</a>). A path of the images table is
 * {@code <shard>#<offset>+<length>/<member>}: one range is read.
 *
 * @param columns the keys of a sample's JSON
 */
record TarShards(Columns columns) implements ShardFormat {
    private static final Pattern PATH = Pattern.compile("(.*?)#(\\d+)\\+(\\d+)/.*", Pattern.DOTALL);
    private static final int RECORD = 512;
    private static final int LONGEST_TEXT = 1 << 20;
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What is known of a sample so far. */
    private static final class Sample {
        private final String key;
        private final List<Image> images = new ArrayList<>();
        private final Map<String, String> texts = new TreeMap<>(); // by extension
        private final List<Refused> refused = new ArrayList<>();

        Sample(String key) {
            this.key = key;
        }
    }

    @Override
    public void read(Path base, Shard shard, Extent extent, Configuration conf, Visitor visitor) throws IOException {
        Path file = new Path(base, shard.path());
        Sample sample = null;
        String last = "";
        try (TarArchiveInputStream tar = new TarArchiveInputStream(
                new BufferedInputStream(file.getFileSystem(conf).open(file)), StandardCharsets.UTF_8.name())) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                last = entry.getName();
                String name = entry.getName().substring(entry.getName().lastIndexOf('/') + 1);
                int dot = name.indexOf('.');
                if (!entry.isFile() || dot <= 0) {
                    continue; // a folder, a hidden file, or a member that belongs to no sample
                }
                String key = entry.getName().substring(0, entry.getName().length() - name.length() + dot);
                if (sample == null || !sample.key.equals(key)) {
                    close(shard, sample, visitor);
                    sample = new Sample(key);
                }
                member(shard, extent, tar, entry, name.substring(dot + 1).toLowerCase(Locale.ROOT), sample);
            }
            close(shard, sample, visitor);
            if (shard.length() % RECORD != 0) {
                throw new EOFException("a part of a record at the end");
            }
        } catch (FileNotFoundException e) {
            throw e;
        } catch (IOException | IllegalArgumentException e) {
            if (e instanceof IOException failed && !isDamage(failed)) {
                throw failed;
            }
            visitor.visit(new Refused(
                    shard.path(),
                    "damaged tar",
                    "expected a whole tar file, but it cannot be read behind the member \"" + last + "\" ("
                            + e.getMessage() + "); copy the shard again"));
        }
    }

    /** Whether a tar file's content is at fault: the library says so in exceptions of its own or of the stream. */
    private static boolean isDamage(IOException e) {
        String library = "org.apache.commons.compress.";
        return e instanceof EOFException
                || e.getClass().getName().startsWith(library)
                || (e.getStackTrace().length > 0
                        && e.getStackTrace()[0].getClassName().startsWith(library));
    }

    private void member(
            Shard shard,
            Extent extent,
            TarArchiveInputStream tar,
            TarArchiveEntry entry,
            String extension,
            Sample sample)
            throws IOException {
        String path = shard.path() + "#" + tar.getBytesRead() + "+" + entry.getSize() + "/" + entry.getName();
        if (extension.equals("cls")
                || extension.equals("json")
                || extension.equals("txt")
                || extension.equals("caption")) {
            if (entry.getSize() > LONGEST_TEXT) {
                sample.refused.add(new Refused(
                        path, "label too long", "expected at most 1 MiB of text, got " + entry.getSize() + " bytes"));
            } else {
                sample.texts.put(extension, new String(whole(tar, entry), StandardCharsets.UTF_8).strip());
            }
        } else if (!extension.contains(".") && !ImageNames.isIgnored("x." + extension)) {
            if (entry.isSparse()) {
                sample.refused.add(new Refused(path, "sparse member", "expected a member whose bytes lie together"));
            } else {
                sample.images.add(new Image(path, "", extent == Extent.WHOLE ? whole(tar, entry) : new byte[0], ""));
            }
        }
    }

    private static byte[] whole(TarArchiveInputStream tar, TarArchiveEntry entry) throws IOException {
        byte[] bytes = tar.readNBytes(Math.toIntExact(entry.getSize()));
        if (bytes.length < entry.getSize()) {
            throw new EOFException("Truncated TAR archive");
        }
        return bytes;
    }

    private void close(Shard shard, Sample sample, Visitor visitor) throws IOException {
        if (sample == null) {
            return;
        }
        for (Refused refused : sample.refused) {
            visitor.visit(refused);
        }
        if (!sample.refused.isEmpty()) {
            return;
        }
        String where = shard.path() + "#" + sample.key;
        if (sample.images.size() != 1) {
            visitor.visit(new Refused(
                    where,
                    sample.images.isEmpty() ? "no image" : "several images",
                    "expected one image in every sample, got " + sample.images.size() + "; the members are "
                            + "<sample>.jpg and <sample>.cls"));
            return;
        }
        Image image = sample.images.get(0);
        JsonNode json = JSON.createObjectNode();
        if (sample.texts.containsKey("json")) {
            try {
                json = JSON.readTree(sample.texts.get("json"));
            } catch (JsonProcessingException e) {
                visitor.visit(new Refused(
                        image.path(), "unreadable label", "expected JSON in " + sample.key + ".json, got other text"));
                return;
            }
        }
        String label = sample.texts.getOrDefault("cls", columns.label().text(json));
        String caption = sample.texts.getOrDefault(
                "txt", sample.texts.getOrDefault("caption", columns.caption().text(json)));
        visitor.visit(new Image(image.path(), label, image.bytes(), caption));
    }

    @Override
    public byte[] image(Path base, String path, Configuration conf) throws IOException {
        Matcher parts = PATH.matcher(path);
        if (!parts.matches()) {
            throw new FileNotFoundException(path + " is no place inside a tar file");
        }
        Path file = new Path(base, parts.group(1));
        byte[] bytes = new byte[Integer.parseInt(parts.group(3))];
        try (FSDataInputStream in = file.getFileSystem(conf).open(file)) {
            in.readFully(Long.parseLong(parts.group(2)), bytes);
        } catch (EOFException e) {
            throw new FileNotFoundException(file + " ends before " + path.substring(path.indexOf('#')));
        }
        return bytes;
    }

    @Override
    public String settings() {
        return "webdataset " + columns;
    }
}
