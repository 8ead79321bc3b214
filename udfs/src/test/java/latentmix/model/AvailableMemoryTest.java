package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AvailableMemoryTest {
    @TempDir
    Path folder;

    private Path machine;

    @BeforeEach
    void meminfo() throws IOException {
        machine = folder.resolve("meminfo");
        Files.writeString(machine, "MemTotal:       8000 kB\nMemFree: 100 kB\nMemAvailable:    5000 kB\n");
    }

    @Test
    void withoutALimitItIsTheMachines() throws IOException {
        assertThat(AvailableMemory.bytes(machine, folder)).hasValue(5_120_000);
        Files.writeString(folder.resolve("memory.max"), "max\n");
        assertThat(AvailableMemory.bytes(machine, folder)).hasValue(5_120_000);
    }

    @Test
    void aContainersLimitLeavesWhatIsNotInUseAndNotCache() throws IOException {
        Files.writeString(folder.resolve("memory.max"), "3000000\n");
        Files.writeString(folder.resolve("memory.current"), "2500000\n");
        Files.writeString(folder.resolve("memory.stat"), "anon 7\nactive_file 9\ninactive_file 400000\n");
        assertThat(AvailableMemory.bytes(machine, folder)).hasValue(900_000);
    }

    @Test
    void whereNothingTellsItIsUnknown() {
        assertThat(AvailableMemory.bytes(folder.resolve("none"), folder)).isEmpty();
    }
}
