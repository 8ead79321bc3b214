package latentmix.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import latentmix.Repository;

/** A file of the project that is written from the code, by {@code -Dlatentmix.write=true}. */
public final class Written {
    private Written() {}

    /** Fails where the file is stale, or writes it anew where that is asked for. */
    public static void isFresh(String file, String text) throws IOException {
        Path path = Repository.file(file);
        if (Boolean.getBoolean("latentmix.write")) {
            Files.writeString(path, text);
        }
        assertThat(Files.exists(path) ? Files.readString(path) : "")
                .as(
                        "%s is stale; write it anew by mvn test -Dtest='*ReferenceTest' -Dlatentmix.write=true"
                                + " -Dsurefire.failIfNoSpecifiedTests=false",
                        file)
                .isEqualTo(text);
    }
}
