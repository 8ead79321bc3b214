package latentmix.work;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import latentmix.latent.LatentPool;
import latentmix.latent.Shape;
import latentmix.plan.ClassPool;
import latentmix.table.InvertedTable;
import latentmix.table.InvertedTable.Encoded;
import latentmix.table.InvertedTable.Noise;
import latentmix.table.LatentColumn;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;

/**
 * A class's inverted latents, streamed from their files in image id order.
 *
 * <p>Rows within a file are sorted. Files are merged, each opened when its first id comes up: chunks that were cut from
 * one sorted list are open one at a time.
 */
public final class InvertedPool implements LatentPool {
    private record File(String chunk, String firstId) {}

    private final InvertedTable table;
    private final List<File> files = new ArrayList<>();
    private final TreeMap<String, String> prompts = new TreeMap<>(); // by image id
    private final List<String> imageIds = new ArrayList<>();
    private final Set<String> leftOut; // rows of these files that are passed over
    private Shape shape;

    /** Reads the ids of a pool's images. */
    public InvertedPool(RunFolder run, ClassPool pool) throws IOException {
        this.table = new InvertedTable(run, pool.classId());
        this.leftOut = Set.copyOf(pool.leftOut());
        pool.told(run).forEach((chunk, rows) -> {
            if (!rows.isEmpty()) {
                files.add(new File(chunk, rows.get(0).imageId()));
                rows.forEach(row -> prompts.put(row.imageId(), row.prompt()));
            }
        });
        files.sort(Comparator.comparing(File::firstId));
        imageIds.addAll(prompts.keySet());
    }

    /** The pool's id under its class's prompt. */
    public String id(String prompt) {
        return ClassPool.id(prompt, prompts);
    }

    /** The ids of the pool's images, sorted: what indices into the pool refer to. */
    public List<String> imageIds() {
        return List.copyOf(imageIds);
    }

    /** The encoded latents of these images, by image id: where their inversions began. */
    Map<String, LatentColumn> encoded(Set<String> ids) throws IOException {
        Map<String, LatentColumn> encoded = new HashMap<>();
        for (File file : files) {
            if (encoded.size() < ids.size()) {
                try (RowFile.Cursor<Encoded> rows = table.encoded(file.chunk())) {
                    for (Encoded row = rows.next(); row != null; row = rows.next()) {
                        if (ids.contains(row.imageId())) {
                            encoded.put(row.imageId(), row.encoded());
                        }
                    }
                }
            }
        }
        return encoded;
    }

    /** Visits the encoded latents of all images once, file by file. */
    void forEachEncoded(Visitor visitor) throws IOException {
        for (File file : files) {
            try (RowFile.Cursor<Encoded> rows = table.encoded(file.chunk())) {
                for (Encoded row = rows.next(); row != null; row = rows.next()) {
                    int index = Collections.binarySearch(imageIds, row.imageId());
                    if (index >= 0) {
                        visitor.visit(index, row.encoded().latent().values());
                    }
                }
            }
        }
    }

    /** What an image of the pool was inverted with. */
    String prompt(String imageId) {
        return prompts.get(imageId);
    }

    /** The latents of these images, by image id. */
    Map<String, LatentColumn> noise(Set<String> ids) throws IOException {
        Map<String, LatentColumn> noise = new HashMap<>();
        for (File file : files) {
            if (noise.size() < ids.size()) {
                try (RowFile.Cursor<Noise> rows = table.noise(file.chunk())) {
                    for (Noise row = rows.next(); row != null; row = rows.next()) {
                        if (ids.contains(row.imageId())) {
                            noise.put(row.imageId(), row.latent());
                        }
                    }
                }
            }
        }
        return noise;
    }

    @Override
    public int size() {
        return imageIds.size();
    }

    @Override
    public Shape shape() {
        if (shape == null) {
            try (RowFile.Cursor<Noise> rows = table.noise(files.get(0).chunk())) {
                shape = rows.next().latent().shape();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return shape;
    }

    @Override
    public void forEach(Visitor visitor) {
        PriorityQueue<Opened> open = new PriorityQueue<>(Comparator.comparing((Opened file) -> file.row.imageId()));
        int nextFile = 0;
        try {
            for (int i = 0; i < imageIds.size(); i++) {
                while (nextFile < files.size() && files.get(nextFile).firstId().compareTo(imageIds.get(i)) <= 0) {
                    open.add(new Opened(table.noise(files.get(nextFile++).chunk()), leftOut));
                }
                Opened first = open.remove();
                visitor.visit(i, first.row.latent().latent().values());
                if (first.advance()) {
                    open.add(first);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            open.forEach(Opened::close);
        }
    }

    /** An open file and the row it stands at. */
    private static final class Opened {
        private final RowFile.Cursor<Noise> rows;
        private final Set<String> leftOut;
        private Noise row;

        Opened(RowFile.Cursor<Noise> rows, Set<String> leftOut) throws IOException {
            this.rows = rows;
            this.leftOut = leftOut;
            advance();
        }

        /** To the next row that counts; closes the file at its end. */
        boolean advance() throws IOException {
            do {
                row = rows.next();
            } while (row != null && leftOut.contains(row.imageId()));
            if (row == null) {
                rows.close();
            }
            return row != null;
        }

        void close() {
            try {
                rows.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
