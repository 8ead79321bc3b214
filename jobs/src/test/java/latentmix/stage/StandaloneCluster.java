package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** Spark's own standalone cluster on loopback: a master and workers of one core each, all processes of their own. */
final class StandaloneCluster {
    private static StandaloneCluster shared;

    private final Path folder;
    private final int port;
    private final Process master;
    private final List<Process> workers = new CopyOnWriteArrayList<>();
    private int started;

    private StandaloneCluster(Path folder) throws IOException, InterruptedException {
        this.folder = folder;
        Files.createDirectories(
                Path.of(System.getenv("SPARK_HOME"), "jars")); // Spark wants one; the class path is the tests'
        this.port = S3Server.freePort();
        this.master = start(
                "master",
                "org.apache.spark.deploy.master.Master",
                List.of("--host", "127.0.0.1", "--port", Integer.toString(port), "--webui-port", "0"));
        Runtime.getRuntime().addShutdownHook(new Thread(this::end));
        for (int i = 0; i < 1200 && !listens(); i++) {
            assertThat(master.isAlive()).as("master, see %s", folder).isTrue();
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    /** The one of all tests of this JVM, with two workers when nobody has killed them; it ends with the JVM. */
    static synchronized StandaloneCluster shared() throws IOException, InterruptedException {
        if (shared == null) {
            shared = new StandaloneCluster(Files.createTempDirectory("latentmix-cluster"));
        }
        shared.workers.removeIf(worker -> !worker.isAlive());
        while (shared.workers.size() < 2) {
            shared.startWorker();
        }
        return shared;
    }

    private boolean listens() {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException notYet) {
            return false;
        }
    }

    private Process start(String name, String program, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(JobProcess.java(program, Map.of("spark.master.rest.enabled", "false")));
        command.addAll(arguments);
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(name + ".log").toFile())
                .start();
    }

    /** Adds a worker. */
    void startWorker() throws IOException {
        String name = "worker" + started++;
        workers.add(start(
                name,
                "org.apache.spark.deploy.worker.Worker",
                List.of(
                        "--host",
                        "127.0.0.1",
                        "--webui-port",
                        "0",
                        "--cores",
                        "1",
                        "--memory",
                        "1g",
                        "--work-dir",
                        folder.resolve(name).toString(),
                        "spark://127.0.0.1:" + port)));
    }

    /** Kills every worker; their executors end with them. */
    void killWorkers() throws InterruptedException {
        for (Process worker : workers) {
            worker.destroyForcibly().waitFor();
        }
        workers.clear();
    }

    /** Kills every executor; returns how many there were. */
    int killExecutors() {
        List<ProcessHandle> executors =
                workers.stream().flatMap(Process::children).toList();
        executors.forEach(ProcessHandle::destroyForcibly);
        return executors.size();
    }

    /** Spark's settings for a driver. */
    Map<String, String> settings() {
        Map<String, String> settings = new HashMap<>();
        settings.put("spark.master", "spark://127.0.0.1:" + port);
        settings.put("spark.ui.enabled", "false");
        settings.put("spark.driver.host", "127.0.0.1");
        settings.put("spark.executor.memory", "768m");
        settings.put("spark.locality.wait", "0");
        settings.put("spark.latentmix.lease", JobProcess.LEASE);
        settings.put("spark.executor.extraClassPath", System.getProperty("java.class.path"));
        settings.put(
                "spark.executor.extraJavaOptions",
                "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dai.djl.pytorch.num_threads=1"
                        + " -Dai.djl.pytorch.num_interop_threads=1");
        return settings;
    }

    /** A driver in this JVM; the caller closes it. */
    JavaSparkContext spark() {
        SparkConf conf = new SparkConf().setAppName("test");
        settings().forEach(conf::set);
        return new JavaSparkContext(conf);
    }

    private void end() {
        killExecutors();
        workers.forEach(Process::destroyForcibly);
        master.destroyForcibly();
    }
}
