package latentmix.cli;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import latentmix.config.ConfigException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;

/** The folder that an option names for what is made: it is checked before work begins, where this machine can tell. */
public final class OutputFolder {
    private OutputFolder() {}

    /**
     * Refuses a location on this machine's disks that is not a folder, nor can become one.
     *
     * @param option the option that names it
     * @param conf Hadoop's settings, which say where a location without a scheme is
     */
    public static void requireFolder(String option, String location, Configuration conf) {
        if (isLocal(location, conf)) {
            requireNoFile(option, local(location));
        }
    }

    /** The same; also makes the folder and refuses one that cannot be written. */
    public static void requireWritable(String option, String location, Configuration conf) {
        if (isLocal(location, conf)) {
            requireWritable(option, local(location));
        }
    }

    /** The same of a folder that is always on this machine. */
    public static void requireWritable(String option, Path folder) {
        requireNoFile(option, folder);
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw cannotBeWritten(option, folder);
        }
        if (!Files.isWritable(folder)) {
            throw cannotBeWritten(option, folder);
        }
    }

    private static ConfigException cannotBeWritten(String option, Path folder) {
        return new ConfigException(
                List.of(option + ": expected a folder that can be made and written, got " + folder + "; name another"));
    }

    /** Refuses a folder that is a file, or below one. */
    private static void requireNoFile(String option, Path folder) {
        Path nearest = folder.toAbsolutePath().normalize();
        while (nearest.getParent() != null && !Files.exists(nearest)) {
            nearest = nearest.getParent();
        }
        if (!Files.isDirectory(nearest)) {
            throw new ConfigException(List.of(
                    option + ": expected a folder, got " + folder + ", but " + nearest + " is a file; name another"));
        }
    }

    private static boolean isLocal(String location, Configuration conf) {
        String scheme = new org.apache.hadoop.fs.Path(location).toUri().getScheme();
        return "file".equals(scheme == null ? FileSystem.getDefaultUri(conf).getScheme() : scheme);
    }

    private static Path local(String location) {
        URI uri = new org.apache.hadoop.fs.Path(location).toUri();
        return Path.of(uri.getPath());
    }
}
