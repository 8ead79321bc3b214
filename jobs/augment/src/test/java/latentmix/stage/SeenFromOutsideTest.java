package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.Serializable;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import latentmix.Repository;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.RunConfig;
import latentmix.plan.OfClass;
import latentmix.table.StageName;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.Property;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.MDC;

/** What a run shows of itself: log lines, a stage that stalls, metrics for a dashboard. */
class SeenFromOutsideTest {
    private static final Path DASHBOARD = Repository.file("conf/grafana/latentmix.json");

    @TempDir
    static Path folder;

    /** What is logged while open. */
    private static final class Logged extends AbstractAppender implements AutoCloseable {
        private final List<LogEvent> events = new CopyOnWriteArrayList<>();
        private final LoggerContext context = LoggerContext.getContext(false);
        private final String name;

        Logged(Class<?> logged) {
            super("logged", null, null, true, Property.EMPTY_ARRAY);
            this.name = logged.getName();
            start();
            LoggerConfig logger = new LoggerConfig(name, Level.INFO, false);
            logger.addAppender(this, Level.INFO, null);
            context.getConfiguration().addLogger(name, logger);
            context.updateLoggers();
        }

        @Override
        public void append(LogEvent event) {
            events.add(event.toImmutable());
        }

        @Override
        public void close() {
            context.getConfiguration().removeLogger(name);
            context.updateLoggers();
        }
    }

    private record Item(String classId) implements OfClass, Serializable {}

    @Test
    void logLinesSayForWhichRunStageAndClassTheyAre() {
        try (JavaSparkContext spark = TinyRun.spark(1);
                Logged logged = new Logged(Tasks.class)) {
            new Tasks(spark, folder.toString(), Console.SILENT)
                    .run(
                            new Job("invert", "images", 3, Needs.PROCESSOR),
                            List.of(new Item("5-sandal")),
                            (run, item, progress) -> {
                                progress.accept(3);
                                return 0;
                            });
            assertThat(logged.events).hasSize(1);
            LogEvent line = logged.events.get(0);
            assertThat(line.getMessage().getFormattedMessage()).matches("3 images in [0-9.]+ s");
            assertThat(line.getContextData().toMap())
                    .containsEntry("run", folder.toString())
                    .containsEntry("stage", "invert")
                    .containsEntry("class", "5-sandal");
        }
    }

    @Test
    void aStageOfWhichNothingMoreComesSaysSoOnceAWhile() {
        AtomicLong now = new AtomicLong();
        Job job = new Job("generate", "images", 640, Needs.PROCESSOR);
        MDC.put("run", "a run");
        try (Logged logged = new Logged(Progress.class);
                Progress progress = new Progress(Console.SILENT, job, 1, Duration.ofMinutes(15), now::get)) {
            MDC.clear(); // the watch has a thread of its own
            now.addAndGet(Duration.ofMinutes(14).toNanos());
            progress.watch();
            assertThat(logged.events).isEmpty();
            now.addAndGet(Duration.ofMinutes(2).toNanos());
            progress.watch();
            progress.watch();
            assertThat(logged.events).hasSize(1);
            assertThat(logged.events.get(0).getMessage().getFormattedMessage())
                    .contains("Stage generate has stalled: of 640 images none was finished in the last 15 minutes");
            assertThat(logged.events.get(0).getContextData().toMap()).containsEntry("run", "a run");
            now.addAndGet(Duration.ofMinutes(15).toNanos());
            progress.watch();
            assertThat(logged.events).hasSize(2);
        } finally {
            MDC.clear();
        }
    }

    /** A real run, read as Prometheus reads it. */
    @Test
    void theDashboardAsksForMetricsThatTheDriverShows() throws Exception {
        RunConfig config = TinyRun.config(
                TinyRun.input(folder.resolve("in"), 8),
                "evaluation={}",
                "input.classes=" + BuiltIn.located("builtin:fashion-mnist-sample/classes.tsv"));
        Set<String> shown = new TreeSet<>();
        try (JavaSparkContext spark = new JavaSparkContext(new SparkConf()
                .setAppName("seen")
                .setMaster("local[2]")
                .set("spark.driver.host", "127.0.0.1")
                .set("spark.ui.port", "0")
                .set("spark.metrics.namespace", "latentmix")
                .set(
                        "spark.metrics.conf.*.sink.prometheusServlet.class",
                        "org.apache.spark.metrics.sink.PrometheusServlet")
                .set("spark.metrics.conf.*.sink.prometheusServlet.path", "/metrics/prometheus")
                .set("spark.executor.processTreeMetrics.enabled", "true"))) {
            for (int i = 0; i < 2; i++) { // a second run in the same application counts on
                assertThat(Pipeline.run(
                                spark, config, folder.resolve("run" + i).toString(), List.of(StageName.values())))
                        .isZero();
            }
            String web = spark.sc().uiWebUrl().get();
            String driver = get(web + "/metrics/prometheus/");
            assertThat(driver).containsPattern("AccumulatorSource_invert_images_Value\\{[^}]*} 32\n");
            names(driver).forEach(shown::add);
            names(get(web + "/metrics/executors/prometheus/")).forEach(shown::add);
        }
        Set<String> asked = new TreeSet<>();
        new ObjectMapper()
                .readTree(Files.readString(DASHBOARD))
                .findValuesAsText("expr")
                .forEach(expression -> asked.addAll(names(expression)));
        assertThat(asked).hasSizeGreaterThan(10);
        assertThat(shown).containsAll(asked);
    }

    private static Set<String> names(String text) {
        Set<String> names = new TreeSet<>();
        Matcher matcher = Pattern.compile("metrics_\\w+").matcher(text);
        while (matcher.find()) {
            names.add(matcher.group());
        }
        return names;
    }

    private static String get(String url) throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }
}
