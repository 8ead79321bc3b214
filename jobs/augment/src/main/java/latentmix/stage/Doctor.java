package latentmix.stage;

import ai.djl.Device;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import latentmix.checkpoint.Caches;
import latentmix.model.AvailableMemory;
import latentmix.model.DeviceCheck;
import latentmix.model.Dtype;
import latentmix.model.Torch;
import latentmix.table.FileNames;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * What each executor says of itself before a run needs it: one task an executor, or one for each of its GPUs, where
 * Spark gives them. Runs the built-in U-Net; writes nothing but into the cache folder.
 *
 * @param slots one for each executor and device, by host
 * @param problems what would stop a run, with what to do
 * @param remarks what a run can live with
 */
public record Doctor(List<Slot> slots, List<String> problems, List<String> remarks) {
    /** A clock this far off is refused by S3, which allows 15 minutes. */
    private static final long SKEW_MILLIS = 5 * 60 * 1000L;

    private static final List<String> COLUMNS = List.of(
            "host",
            "executor",
            "cores",
            "device",
            "GPU, driver",
            "PyTorch",
            "float32",
            "bfloat16",
            "float16",
            "memory",
            "names",
            "clock");

    public Doctor {
        slots = List.copyOf(slots);
        problems = List.copyOf(problems);
        remarks = List.copyOf(remarks);
    }

    /**
     * A device of an executor.
     *
     * @param driver what {@code nvidia-smi} says of the GPU, empty where there is none
     * @param differences by number format: a share of the largest output, empty text where it is not tried
     * @param memory bytes that the machine can still give, -1 where it does not tell
     * @param skewMillis how far its clock is from the driver's; 0 where the time of the answer explains it
     */
    public record Slot(
            String host,
            String executor,
            int cores,
            String device,
            String driver,
            String torch,
            Map<String, String> differences,
            long memory,
            String encoding,
            long skewMillis,
            List<String> problems)
            implements Serializable {
        public Slot {
            problems = new ArrayList<>(problems); // the task's result needs a list that any serializer writes
        }

        private String key() {
            return host + " " + executor + " " + device;
        }

        private Slot against(long asked, long answered) {
            long time = skewMillis;
            long skew = time < asked ? time - asked : Math.max(0, time - answered);
            return new Slot(
                    host, executor, cores, device, driver, torch, differences, memory, encoding, skew, problems);
        }

        private List<String> cells() {
            List<String> cells = new ArrayList<>(List.of(
                    host,
                    executor,
                    Integer.toString(cores),
                    device,
                    driver.isEmpty() ? "-" : driver,
                    torch.isEmpty() ? "-" : torch));
            for (Dtype dtype : Dtype.values()) {
                cells.add(differences.getOrDefault(dtype.toString(), "-"));
            }
            cells.add(memory < 0 ? "-" : String.format(Locale.ROOT, "%.1f GB", memory / 1e9));
            cells.add(encoding);
            cells.add(skewMillis == 0 ? "same" : String.format(Locale.ROOT, "%+.1f s", skewMillis / 1e3));
            return cells;
        }
    }

    /**
     * Asks the executors.
     *
     * @param places locations that each of them must be able to look into, such as {@code s3a://bucket/images}
     */
    public static Doctor examine(JavaSparkContext spark, List<String> places) {
        Tasks tasks = new Tasks(spark, "unused", Console.SILENT);
        List<String> asked = new ArrayList<>(places);
        long start = System.currentTimeMillis();
        List<Slot> answers =
                tasks.onGpus().ask("ask how they are", (folder, item, progress) -> slot(asked, folder.conf()));
        long end = System.currentTimeMillis();
        Map<String, Slot> slots = new TreeMap<>();
        answers.forEach(slot -> slots.putIfAbsent(slot.key(), slot.against(start, end)));
        List<String> problems = new ArrayList<>();
        List<String> remarks = new ArrayList<>();
        for (Slot slot : slots.values()) {
            String who = slot.host() + ", executor " + slot.executor();
            slot.problems().forEach(problem -> problems.add(who + ": " + problem));
            if (Math.abs(slot.skewMillis()) > SKEW_MILLIS) {
                problems.add(who + ": expected a clock within 5 minutes of the driver's, got one that is "
                        + slot.skewMillis() / 1000 + " s off; S3 refuses such requests, so set the clock");
            }
            if (!slot.encoding().equals(StandardCharsets.UTF_8.name())) {
                remarks.add(who + ": sun.jnu.encoding is " + slot.encoding() + ", so names of files beyond ASCII are"
                        + " refused; start executors with spark.executorEnv.LC_ALL=C.UTF-8");
            }
        }
        List<String> builds = slots.values().stream()
                .map(Slot::torch)
                .filter(build -> !build.isEmpty())
                .distinct()
                .toList();
        if (builds.size() > 1) {
            remarks.add("executors have several builds of PyTorch (" + String.join("; ", builds)
                    + "): the same settings may give other bytes on each; install one");
        }
        return new Doctor(
                List.copyOf(slots.values()), problems.stream().distinct().toList(), remarks);
    }

    /** The answer of the executor that this task runs on. */
    private static Slot slot(List<String> places, Configuration conf) {
        List<String> problems = new ArrayList<>();
        Device device = TaskDevice.current();
        String torch = "";
        Map<String, String> differences = new LinkedHashMap<>();
        Optional<String> problem = Torch.problem(device);
        problem.ifPresent(problems::add);
        if (problem.isEmpty()) {
            torch = Torch.build();
            for (Dtype dtype : Dtype.values()) {
                if (dtype != Dtype.FLOAT16 || device.isGpu()) {
                    differences.put(dtype.toString(), difference(device, dtype, problems));
                }
            }
        }
        try {
            Path probe = Files.createTempFile(Caches.dir(), "doctor", "");
            Files.delete(probe);
        } catch (IOException | UncheckedIOException e) {
            problems.add("LATENTMIX_CACHE_DIR: expected a cache folder that can be written, got " + reason(e)
                    + "; set spark.executorEnv.LATENTMIX_CACHE_DIR to one");
        }
        places.forEach(place -> unreachable(place, conf).ifPresent(problems::add));
        return new Slot(
                SparkEnv.get().blockManager().blockManagerId().host(),
                SparkEnv.get().executorId(),
                Runtime.getRuntime().availableProcessors(),
                name(device),
                device.isGpu() ? driver(device.getDeviceId()) : "",
                torch,
                differences,
                AvailableMemory.bytes().orElse(-1),
                FileNames.encoding(),
                System.currentTimeMillis(),
                problems);
    }

    private static String difference(Device device, Dtype dtype, List<String> problems) {
        double difference;
        try {
            difference = DeviceCheck.difference(device, dtype);
        } catch (RuntimeException e) {
            problems.add(name(device) + ": expected a device that runs the built-in U-Net in " + dtype + ", but "
                    + reason(e) + "; another driver or build of PyTorch may, else set model.dtype to another format");
            return "FAILS";
        }
        if (!(difference <= DeviceCheck.bound(dtype))) {
            problems.add(String.format(
                    Locale.ROOT,
                    "%s: expected the CPU's numbers in %s to %.1g of the largest, got a difference of %.1g; do not run"
                            + " networks there in this format",
                    name(device),
                    dtype,
                    DeviceCheck.bound(dtype),
                    difference));
            return String.format(Locale.ROOT, "%.1g BAD", difference);
        }
        return String.format(Locale.ROOT, "%.1g", difference);
    }

    private static String name(Device device) {
        return device.isGpu() ? "gpu " + device.getDeviceId() : device.getDeviceType();
    }

    private static Optional<String> unreachable(String place, Configuration conf) {
        try {
            org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(place);
            path.getFileSystem(conf).listStatusIterator(path).hasNext();
            return Optional.empty();
        } catch (IOException | RuntimeException e) {
            return Optional.of(place + ": expected a place that the executor can look into, but " + reason(e)
                    + "; correct the name, the network or the credentials (docs/clusters.md)");
        }
    }

    private static String reason(Throwable failure) {
        Throwable cause = failure;
        while (cause.getMessage() == null && cause.getCause() != null) {
            cause = cause.getCause();
        }
        String said = String.valueOf(cause.getMessage())
                .lines()
                .filter(line -> !line.isBlank())
                .reduce("", (before, line) -> line.strip()); // libtorch says what is wrong at the end
        return said + " (" + cause.getClass().getSimpleName() + ")";
    }

    /** The name of a GPU and the version of its driver, as far as {@code nvidia-smi} tells. */
    private static String driver(int gpu) {
        try {
            Process process = new ProcessBuilder(
                            "nvidia-smi",
                            "-i",
                            Integer.toString(gpu),
                            "--query-gpu=name,driver_version,memory.free",
                            "--format=csv,noheader")
                    .redirectErrorStream(true)
                    .start();
            try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
                String line = out.readLine();
                return process.waitFor() == 0 && line != null ? line : "nvidia-smi does not tell";
            }
        } catch (IOException e) {
            return "no nvidia-smi";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted";
        }
    }

    /** A table with a line for each device. */
    public List<String> table() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(COLUMNS);
        slots.forEach(slot -> rows.add(slot.cells()));
        int[] widths = new int[COLUMNS.size()];
        Arrays.setAll(widths, column -> rows.stream()
                .mapToInt(row -> row.get(column).length())
                .max()
                .orElse(0));
        return rows.stream()
                .map(row -> String.join(
                                "  ",
                                IntStream.range(0, widths.length)
                                        .mapToObj(column -> row.get(column)
                                                + " "
                                                        .repeat(widths[column]
                                                                - row.get(column)
                                                                        .length()))
                                        .toList())
                        .stripTrailing())
                .toList();
    }
}
