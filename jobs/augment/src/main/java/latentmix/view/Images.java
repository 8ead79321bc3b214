package latentmix.view;

import java.io.IOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import latentmix.config.ConfigException;
import latentmix.image.DifferenceHash;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.image.Resize;
import latentmix.image.UnreadableImage;
import latentmix.plan.ClassList;
import latentmix.plan.InversionSettings;
import latentmix.report.RunStart;
import latentmix.source.ImageSource;
import latentmix.table.GeneratedTable;
import latentmix.table.ImagesTable;
import latentmix.table.InvertedTable;
import latentmix.table.RejectedRow;
import latentmix.table.RunFolder;
import latentmix.work.SourceImages;

/**
 * The bytes of pictures. A picture is asked for by its id and found by the tables: no path comes from a browser. What
 * was shown last is kept.
 */
final class Images {
    /** The side of a picture in a grid, in pixels; smaller ones are shown as they are. */
    private static final int SMALL = 256;

    private static final long ROOM = 96L << 20; // bytes
    private static final long MOST_PIXELS = 100_000_000;

    private record Key(String classId, String what) {}

    private final RunFolder run;
    private final RunStart start;
    private final int side;
    private final Cache<Key, Map<String, byte[]>> chunks = new Cache<>(
            ROOM, files -> files.values().stream().mapToLong(f -> f.length).sum());
    private final Cache<Key, byte[]> files = new Cache<>(ROOM, file -> file.length);
    private final Cache<String, Map<String, String>> paths = new Cache<>(500_000, Map::size); // by class and image id
    private final Cache<Key, Long> hashes = new Cache<>(100_000, hash -> 1);
    private ImageSource source;

    Images(RunFolder run, RunStart start, InversionSettings inversion) {
        this.run = run;
        this.start = start;
        this.side = inversion.size();
    }

    /** A picture that cannot be shown, with what to tell a person. */
    static final class MissingException extends IOException {
        MissingException(String message) {
            super(message);
        }
    }

    /** The file of an image that was made, as it stands in the generated table. */
    byte[] made(ClassTables tables, String chunk, String mixId) throws IOException {
        Key key = new Key(tables.classId(), chunk);
        Map<String, byte[]> images = chunks.find(key).orElse(null);
        if (images == null) {
            synchronized (chunks) { // a grid asks for many pictures of a chunk at once
                images = chunks.find(key).orElse(null);
                if (images == null) {
                    images = new HashMap<>();
                    for (GeneratedTable.Image row :
                            new GeneratedTable(run, tables.classId()).images(tables.generated(chunk))) {
                        images.put(row.mixId(), row.image().bytes());
                    }
                    chunks.put(key, images);
                }
            }
        }
        byte[] file = images.get(mixId);
        if (file == null) {
            throw new MissingException("there is no such image");
        }
        return file;
    }

    /** The same, reduced where it is large. */
    byte[] small(ClassTables tables, String chunk, String mixId) throws IOException {
        Key key = new Key(tables.classId(), "small " + mixId);
        Optional<byte[]> known = files.find(key);
        if (known.isPresent()) {
            return known.get();
        }
        byte[] file = made(tables, chunk, mixId);
        Pixels pixels = decoded(file, Integer.MAX_VALUE);
        if (Math.min(pixels.width(), pixels.height()) > SMALL) {
            file = PngEncoder.encode(Resize.square(pixels, SMALL));
        }
        files.put(key, file);
        return file;
    }

    /** A real image as the networks see it, its middle square, as PNG. */
    byte[] real(String classId, String imageId) throws IOException {
        Key key = new Key(classId, "real " + imageId);
        Optional<byte[]> known = files.find(key);
        if (known.isPresent()) {
            return known.get();
        }
        byte[] file = PngEncoder.encode(opened(classId, imageId));
        files.put(key, file);
        return file;
    }

    private Pixels opened(String classId, String imageId) throws IOException {
        String path = paths(classId).get(imageId);
        if (path == null) {
            throw new MissingException("there is no such image");
        }
        requireInside(path);
        SourceImages images = new SourceImages(source(), run, start.input().maxPixels());
        SourceImages.Opened opened;
        try {
            opened = images.open(new InvertedTable.Source(imageId, classId, path));
        } catch (IllegalArgumentException e) { // Hadoop's, of what is no path
            throw new MissingException("its path names no file");
        }
        if (opened instanceof SourceImages.Refused no) {
            throw new MissingException(no.reason() + ": " + no.detail());
        }
        return ((SourceImages.Image) opened).square(side);
    }

    /** The dHash of a real image; nothing where it cannot be opened. */
    Optional<Long> hash(String classId, String imageId) {
        Key key = new Key(classId, imageId);
        Optional<Long> known = hashes.find(key);
        if (known.isPresent()) {
            return known;
        }
        try {
            long hash = DifferenceHash.of(opened(classId, imageId));
            hashes.put(key, hash);
            return Optional.of(hash);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** The picture of a thing that was refused, where its file can be decoded. */
    byte[] refused(RejectedRow row) throws IOException {
        if (row.path().isEmpty()) {
            throw new MissingException("it has no file");
        }
        requireInside(row.path());
        return PngEncoder.encode(Resize.square(
                decoded(source().read(row.path(), run), start.input().maxPixels()), SMALL));
    }

    /** A table that someone made up leads to no file beside the input. */
    private static void requireInside(String path) throws MissingException {
        if (List.of(path.split("/")).contains("..")) {
            throw new MissingException("its path leads out of the input");
        }
    }

    /** Where the class's real images lie, by image id. */
    Map<String, String> paths(String classId) throws IOException {
        Optional<Map<String, String>> known = paths.find(classId);
        if (known.isPresent() && !known.get().isEmpty()) {
            return known.get();
        }
        Map<String, String> found = new HashMap<>();
        new ImagesTable(run, classId).rows().forEach(row -> found.put(row.imageId(), row.path()));
        paths.put(classId, found);
        return found;
    }

    private synchronized ImageSource source() throws IOException {
        if (source == null) {
            try {
                source = ImageSource.of(start.input(), ClassList.folders(start.input(), run.conf()), run.conf());
            } catch (ConfigException e) {
                throw new MissingException("the input is not where it was: " + String.join("; ", e.problems()));
            }
        }
        return source;
    }

    private static Pixels decoded(byte[] file, long maxPixels) throws MissingException {
        try {
            return ImageDecoder.decode(file, Math.min(maxPixels, MOST_PIXELS));
        } catch (UnreadableImage e) {
            throw new MissingException(e.detail());
        }
    }

    /** A source image by how near it is. */
    record Near(String id, String path, int bits) {}

    /** The real images of the class that are nearest to an image by dHash. */
    List<Near> nearest(String classId, long hash, int among, int count) throws IOException {
        return paths(classId).entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .limit(among)
                .flatMap(image -> hash(classId, image.getKey())
                        .map(of -> new Near(image.getKey(), image.getValue(), DifferenceHash.distance(of, hash)))
                        .stream())
                .sorted(Comparator.comparingInt(Near::bits).thenComparing(Near::id))
                .limit(count)
                .toList();
    }
}
