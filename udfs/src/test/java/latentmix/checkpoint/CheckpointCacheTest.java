package latentmix.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import latentmix.OtherJvm;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointCacheTest {
    private static final String WEIGHTS = "unet/diffusion_pytorch_model.safetensors";

    @TempDir
    Path folder;

    private Path store;
    private Path dir;

    @BeforeEach
    void aCheckpointInAStore() throws IOException {
        store = copied(BuiltIn.FASHION.folder(), folder.resolve("store"));
        dir = folder.resolve("cache");
        CountedFileSystem.OPENED.set(0);
    }

    private static Configuration conf() {
        Configuration conf = new Configuration();
        conf.set("fs.counted.impl", CountedFileSystem.class.getName());
        return conf;
    }

    private CheckpointCache cache(long limit) {
        return new CheckpointCache(dir, limit);
    }

    /** The copy as a process finds it that starts, opens it and ends. */
    private Path copyOf(Path remote, long limit) throws IOException {
        try (CheckpointCache cache = cache(limit)) {
            return cache.copy(CheckpointSpec.of("counted://" + remote), conf());
        }
    }

    @Test
    void whatIsUsedIsCopiedOnceAndIsTheSameCheckpoint() throws IOException {
        Files.writeString(store.resolve("unet/diffusion_pytorch_model.fp16.safetensors"), "another variant");
        Files.writeString(store.resolve("unet/diffusion_pytorch_model.bin"), "a pickle");
        Path copy = copyOf(store, Long.MAX_VALUE);
        assertThat(CheckpointFolder.open(copy).fingerprint())
                .isEqualTo(CheckpointFolder.open(store).fingerprint());
        assertThat(files(copy).keySet())
                .contains(WEIGHTS)
                .doesNotContain("unet/diffusion_pytorch_model.fp16.safetensors", "unet/diffusion_pytorch_model.bin");
        int opened = CountedFileSystem.OPENED.get();
        assertThat(copyOf(store, Long.MAX_VALUE)).isEqualTo(copy);
        assertThat(CountedFileSystem.OPENED.get()).isEqualTo(opened);
    }

    @Test
    void whatAnOverrideTakesThePlaceOfIsNotCopied() throws IOException {
        Files.copy(store.resolve(WEIGHTS), store.resolve("unet/diffusion_pytorch_model.fp16.safetensors"));
        String remote = "counted://" + store;
        try (CheckpointCache cache = cache(Long.MAX_VALUE)) {
            CheckpointSpec spec = CheckpointSpec.of(remote).withVariant("fp16").withVae("another");
            Path copy = cache.copy(spec, conf());
            assertThat(files(copy).keySet())
                    .contains("unet/diffusion_pytorch_model.fp16.safetensors", "text_encoder/model.safetensors")
                    .doesNotContain(WEIGHTS, "vae/diffusion_pytorch_model.safetensors");
            assertThat(cache.copy(CheckpointSpec.of(remote), conf())).isEqualTo(copy);
            assertThat(files(copy).keySet()).contains(WEIGHTS, "vae/diffusion_pytorch_model.safetensors");
        }
    }

    @Test
    void aDamagedAMissingAndAnUnfinishedFileAreCopiedAnewAndNoOther() throws IOException {
        Path copy = copyOf(store, Long.MAX_VALUE);
        Map<String, String> whole = files(copy);
        CountedFileSystem.OPENED.set(0);
        Path weights = copy.resolve(WEIGHTS);
        FileTime time = Files.getLastModifiedTime(weights);
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length / 2] ^= 1;
        Files.write(weights, bytes);
        Files.setLastModifiedTime(weights, time); // nothing but its content tells
        Files.delete(copy.resolve("scheduler/scheduler_config.json"));
        Files.writeString(copy.resolve("model_index.json"), "{\"_class_name\": \"Stab");
        assertThat(copyOf(store, Long.MAX_VALUE)).isEqualTo(copy);
        assertThat(files(copy)).isEqualTo(whole);
        assertThat(CountedFileSystem.OPENED.get()).isEqualTo(3);
    }

    @Test
    void aChangedCheckpointIsAnotherCopy() throws IOException {
        Path copy = copyOf(store, Long.MAX_VALUE);
        Files.writeString(store.resolve("model_index.json"), "\n", java.nio.file.StandardOpenOption.APPEND);
        Path other = copyOf(store, Long.MAX_VALUE);
        assertThat(other).isNotEqualTo(copy);
        assertThat(CheckpointFolder.open(other).fingerprint())
                .isEqualTo(CheckpointFolder.open(store).fingerprint());
    }

    @Test
    void aComponentAloneIsCopiedToo() throws IOException {
        Path copy = copyOf(store.resolve("classifier"), Long.MAX_VALUE);
        assertThat(CheckpointFolder.fingerprint(copy))
                .isEqualTo(CheckpointFolder.fingerprint(store.resolve("classifier")));
    }

    @Test
    void aProgramIsCopiedAloneOnceAMachineAndAnewWhereItIsDamaged() throws IOException {
        Path program = Files.writeString(store.resolve("inception.pt"), "a program");
        Path copy = copyOf(program, Long.MAX_VALUE);
        assertThat(copyOf(program, Long.MAX_VALUE)).isEqualTo(copy).hasFileName("inception.pt");
        assertThat(CountedFileSystem.OPENED.get()).as("its own file, once").isEqualTo(1);
        Files.writeString(copy, "A program");
        assertThat(copyOf(program, Long.MAX_VALUE)).isEqualTo(copy).hasContent("a program");
        dir = folder.resolve("another machine's cache");
        assertThat(copyOf(program, Long.MAX_VALUE)).isNotEqualTo(copy).hasContent("a program");
        assertThat(CountedFileSystem.OPENED.get()).isEqualTo(3);
    }

    @Test
    void aFileOfAnotherKindIsNotCopiedAlone() throws IOException {
        Path pickle = Files.writeString(store.resolve("model.zip"), "a pickle");
        assertThatThrownBy(() -> copyOf(pickle, Long.MAX_VALUE))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("no checkpoint folder and no .pt or .safetensors file counted://");
        assertThat(CountedFileSystem.OPENED.get()).isZero();
    }

    @Test
    void theLeastRecentlyUsedCopiesGoWhenAllAreOverTheLimit() throws IOException {
        List<Path> stores = new ArrayList<>();
        for (String name : List.of("a", "b", "c")) {
            stores.add(copied(store, folder.resolve(name)));
        }
        long one = files(store).keySet().stream()
                .mapToLong(name -> store.resolve(name).toFile().length())
                .sum();
        long two = one * 5 / 2;
        Path a = copyOf(stores.get(0), two);
        Path b = copyOf(stores.get(1), two);
        Files.setLastModifiedTime(used(a), FileTime.fromMillis(1_000));
        Files.setLastModifiedTime(used(b), FileTime.fromMillis(2_000));
        copyOf(stores.get(0), two); // now the one used last
        Path c = copyOf(stores.get(2), two);
        assertThat(List.of(a, c)).allMatch(Files::isDirectory);
        assertThat(b).doesNotExist();
        assertThat(copyOf(stores.get(1), two)).isEqualTo(b).isDirectory();
    }

    private static Path used(Path copy) {
        return copy.resolveSibling(copy.getFileName() + ".used");
    }

    @Test
    void whatThisOrAnotherProcessHasOpenStays() throws Exception {
        Path b = copied(store, folder.resolve("b"));
        Process other = process("wait");
        try (CheckpointCache cache = cache(1)) {
            Path here = cache.copy(CheckpointSpec.of("counted://" + b), conf());
            Path there = Path.of(other.inputReader().readLine());
            cache.copy(CheckpointSpec.of("counted://" + copied(store, folder.resolve("c"))), conf());
            assertThat(List.of(here, there)).allMatch(Files::isDirectory);
            other.outputWriter().close();
            assertThat(other.waitFor()).isZero();
            cache.copy(CheckpointSpec.of("counted://" + copied(store, folder.resolve("d"))), conf());
            assertThat(there).as("no process has it open any more").doesNotExist();
            assertThat(here).isDirectory();
        } finally {
            other.destroyForcibly();
        }
    }

    /** A process of its own that opens the store's checkpoint: prints the copy and how many files it fetched for it. */
    public static void main(String[] args) throws IOException {
        CheckpointCache cache = new CheckpointCache(Path.of(args[0]), Long.MAX_VALUE); // open until the process ends
        System.out.println(cache.copy(CheckpointSpec.of(args[1]), conf()));
        System.out.println(CountedFileSystem.OPENED.get());
        if (args[2].equals("wait")) {
            System.in.transferTo(System.out);
        }
    }

    private Process process(String then) throws IOException {
        return new ProcessBuilder(OtherJvm.command(
                        CheckpointCacheTest.class, List.of("-Xmx256m"), dir.toString(), "counted://" + store, then))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    @Test
    void processesThatOpenACheckpointAtOnceCopyItOnce() throws Exception {
        List<Process> processes = List.of(process("end"), process("end"));
        List<String> copies = new ArrayList<>();
        List<Integer> fetched = new ArrayList<>();
        for (Process process : processes) {
            List<String> printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            assertThat(process.waitFor()).isZero();
            copies.add(printed.get(0));
            fetched.add(Integer.valueOf(printed.get(1)));
        }
        assertThat(copies.get(0)).isEqualTo(copies.get(1));
        assertThat(fetched).contains(0).anyMatch(files -> files > 0);
        assertThat(CheckpointFolder.open(Path.of(copies.get(0))).fingerprint())
                .isEqualTo(CheckpointFolder.open(store).fingerprint());
    }

    @Test
    void aFolderThatIsNotThereAndALimitThatIsNoneAreNamed() {
        assertThatThrownBy(() -> copyOf(folder.resolve("none"), 1))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("no checkpoint folder and no .pt or .safetensors file counted://");
        assertThat(CheckpointCache.bytes(null)).isEqualTo(100_000_000_000L);
        assertThat(CheckpointCache.bytes("7")).isEqualTo(7_000_000_000L);
        assertThatThrownBy(() -> CheckpointCache.bytes("0.5"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("LATENTMIX_CACHE_GB")
                .hasMessageContaining("0.5");
    }

    @Test
    void localPathsAndBuiltInsAreNotCopied() {
        assertThat(CheckpointCache.located(store.toString(), conf())).isEqualTo(store);
        assertThat(CheckpointCache.located(store.toUri().toString(), conf())).isEqualTo(store);
        assertThat(CheckpointCache.located("builtin:fashion/classifier", conf()))
                .isEqualTo(BuiltIn.FASHION.folder().resolve("classifier"));
    }

    private static Path copied(Path from, Path to) throws IOException {
        for (String name : files(from).keySet()) {
            Files.createDirectories(to.resolve(name).getParent());
            Files.copy(from.resolve(name), to.resolve(name));
        }
        return to;
    }

    /** The sums of a folder's files by path below it. */
    private static Map<String, String> files(Path folder) throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> found = Files.walk(folder)) {
            found.filter(Files::isRegularFile)
                    .forEach(file -> files.put(folder.relativize(file).toString(), Fingerprint.ofFile(file)));
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        return files;
    }
}
