package latentmix.source;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import latentmix.table.FileNames;

/**
 * A walk through a class's folder on a local disk, which follows links. No folder is entered twice and none by a link
 * that leads up, to a folder that holds the link or the input root: a loop ends, and other classes stay outside.
 */
final class LocalWalk {
    /** What is said of a link that is not followed. */
    static final String LINK_BACK = "link to a folder above or seen";

    /**
     * A link to a folder.
     *
     * @param path of the images behind it
     * @param above the real folders by which the walk came here
     */
    private record Link(Path folder, String path, List<Path> above) {}

    private final Listing.Builder found;
    private final Set<Path> visited = new HashSet<>();
    private final Deque<Link> links = new ArrayDeque<>();

    private LocalWalk(Listing.Builder found) {
        this.found = found;
    }

    /**
     * Everything below a folder but what is hidden. Folders come before links, so that a file has its own path where it
     * has one.
     *
     * @param path of the folder, with which the images' begin
     */
    static Listing below(Path root, Path folder, String path) throws IOException {
        Listing.Builder found = new Listing.Builder();
        LocalWalk walk = new LocalWalk(found);
        Path real;
        try {
            real = folder.toRealPath();
        } catch (NoSuchFileException e) {
            throw new FileNotFoundException(folder.toString());
        }
        walk.enter(folder, path, real, List.of(root.toRealPath(), real));
        while (!walk.links.isEmpty()) {
            walk.follow(walk.links.poll());
        }
        return found.listing();
    }

    /** A folder's entries, sorted by name. */
    static List<Path> entries(Path folder) throws IOException {
        List<Path> entries = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
            stream.forEach(entries::add);
        } catch (NoSuchFileException e) {
            throw new FileNotFoundException(folder.toString());
        }
        entries.sort(Comparator.comparing(Path::toString));
        return entries;
    }

    /** What an entry, or the link's target, is; empty for a link to nothing. */
    static Optional<BasicFileAttributes> attributes(Path entry) throws IOException {
        try {
            return Optional.of(Files.readAttributes(entry, BasicFileAttributes.class));
        } catch (AccessDeniedException e) {
            throw e;
        } catch (FileSystemException e) { // also of a link that leads to itself
            return Optional.empty();
        }
    }

    /** Takes a file of a folder. */
    static void file(Path entry, String path, Listing.Builder found) throws IOException {
        String name = entry.getFileName().toString();
        if (!FileNames.isText(entry)) {
            found.refuse(path, "bad name", "expected a file name in UTF-8, got other bytes; rename the file");
        } else if (!found.ignores(name)) {
            Optional<BasicFileAttributes> attributes = attributes(entry);
            if (attributes.isEmpty()) {
                found.refuse(
                        path, "dangling link", "expected a file, got a link to nothing; mend the link or take it away");
            } else if (attributes.get().isRegularFile()) {
                found.image(new ImageFile(
                        path,
                        attributes.get().size(),
                        attributes.get().lastModifiedTime().toMillis()));
            } else {
                found.refuse(path, "not a file", "expected a file, got a device, a pipe or a socket; take it away");
            }
        }
    }

    private void enter(Path folder, String path, Path real, List<Path> above) throws IOException {
        visited.add(real);
        List<Path> entries;
        try {
            entries = entries(folder);
        } catch (AccessDeniedException e) {
            found.refuse(path, "unreadable", "expected a folder that can be listed; give this user the right to");
            return;
        }
        for (Path entry : entries) {
            String name = entry.getFileName().toString();
            String below = path + "/" + name;
            boolean folderBehind =
                    attributes(entry).map(BasicFileAttributes::isDirectory).orElse(false);
            if (!folderBehind) {
                file(entry, below, found);
            } else if (Hidden.isFolder(name)) {
                found.ignore(name + "/");
            } else if (!FileNames.isText(entry)) {
                found.refuse(below, "bad name", "expected a folder name in UTF-8, got other bytes; rename the folder");
            } else if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
                enter(entry, below, real.resolve(name), above);
            } else {
                links.add(new Link(entry, below, above));
            }
        }
    }

    private void follow(Link link) throws IOException {
        Path real = link.folder().toRealPath();
        if (visited.contains(real) || link.above().stream().anyMatch(folder -> folder.startsWith(real))) {
            found.ignore(LINK_BACK);
            return;
        }
        List<Path> above = new ArrayList<>(link.above());
        above.add(real);
        enter(link.folder(), link.path(), real, above);
    }
}
