package latentmix.stage;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import latentmix.source.ParquetFiles;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** An image of a tiny run's folders, its class's number and a caption, which may lie in files that hold many. */
record Picture(int label, Path file, String caption) {
    /** The pictures of an input folder, without captions. */
    static List<Picture> of(Path input) throws IOException {
        List<Picture> pictures = new ArrayList<>();
        for (int label = 0; label < TinyRun.CLASSES.size(); label++) {
            try (Stream<Path> files = Files.list(input.resolve(TinyRun.CLASSES.get(label)))) {
                int number = label;
                files.sorted().map(file -> new Picture(number, file, "")).forEach(pictures::add);
            }
        }
        return pictures;
    }

    Picture saying(UnaryOperator<String> caption) {
        return new Picture(label, file, caption.apply(file.getFileName().toString()));
    }

    byte[] bytes() throws IOException {
        return Files.readAllBytes(file);
    }

    static void parquet(Path file, List<Picture> pictures) throws IOException {
        List<ParquetFiles.Row> rows = new ArrayList<>();
        for (Picture picture : pictures) {
            rows.add(new ParquetFiles.Row(picture.bytes(), picture.label(), picture.caption()));
        }
        ParquetFiles.write(file, TinyRun.CLASSES, rows);
    }

    static void tar(Path file, List<Picture> pictures) throws IOException {
        try (OutputStream out = Files.newOutputStream(file);
                TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
            for (Picture picture : pictures) {
                String key = picture.file().getFileName().toString().replaceFirst("\\..*", "") + picture.label();
                member(tar, key + ".png", picture.bytes());
                member(tar, key + ".cls", TinyRun.CLASSES.get(picture.label()).getBytes(StandardCharsets.UTF_8));
                if (!picture.caption().isEmpty()) {
                    member(tar, key + ".txt", picture.caption().getBytes(StandardCharsets.UTF_8));
                }
            }
        }
    }

    private static void member(TarArchiveOutputStream tar, String name, byte[] bytes) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(bytes.length);
        tar.putArchiveEntry(entry);
        tar.write(bytes);
        tar.closeArchiveEntry();
    }

    /** A CSV whose paths are relative to it. */
    static Path manifest(Path file, List<Picture> pictures) throws IOException {
        StringBuilder lines = new StringBuilder("path,label,caption\n");
        for (Picture picture : pictures) {
            lines.append(file.getParent().relativize(picture.file())).append(',');
            lines.append(TinyRun.CLASSES.get(picture.label()))
                    .append(",\"")
                    .append(picture.caption())
                    .append("\"\n");
        }
        return Files.writeString(file, lines);
    }
}
