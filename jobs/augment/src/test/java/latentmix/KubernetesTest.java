package latentmix;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import latentmix.cli.Main;
import latentmix.config.ConfigFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The SparkApplication of conf/kubernetes: keys that the Spark operator's v1beta2 knows, and a command line that is
 * ours.
 */
class KubernetesTest {
    /** Of the operator's SparkApplicationSpec: those that may stand here. */
    private static final Set<String> SPEC = Set.of(
            "type",
            "sparkVersion",
            "mode",
            "image",
            "imagePullPolicy",
            "mainClass",
            "mainApplicationFile",
            "arguments",
            "sparkConf",
            "hadoopConf",
            "volumes",
            "driver",
            "executor",
            "restartPolicy",
            "timeToLiveSeconds");

    /** Of its SparkPodSpec. */
    private static final Set<String> POD = Set.of(
            "cores",
            "memory",
            "memoryOverhead",
            "env",
            "envFrom",
            "volumeMounts",
            "tolerations",
            "nodeSelector",
            "serviceAccount",
            "javaOptions");

    private static JsonNode spec;

    @BeforeAll
    static void read() throws IOException {
        JsonNode application = new ObjectMapper(new YAMLFactory())
                .readTree(Files.readString(Repository.file("conf/kubernetes/spark-application.yaml")));
        assertThat(application.get("apiVersion").asText()).isEqualTo("sparkoperator.k8s.io/v1beta2");
        assertThat(application.get("kind").asText()).isEqualTo("SparkApplication");
        spec = application.get("spec");
    }

    private static List<String> keys(JsonNode node) {
        List<String> keys = new ArrayList<>();
        node.fieldNames().forEachRemaining(keys::add);
        return keys;
    }

    @Test
    void itHasTheOperatorsKeysAndTypes() {
        assertThat(keys(spec))
                .isSubsetOf(SPEC)
                .contains("type", "sparkVersion", "mainApplicationFile", "driver", "executor");
        assertThat(spec.get("type").asText()).isEqualTo("Java");
        assertThat(spec.get("mode").asText()).isEqualTo("cluster");
        assertThat(keys(spec.get("driver"))).isSubsetOf(POD);
        assertThat(keys(spec.get("executor"))).contains("instances");
        assertThat(keys(spec.get("executor")))
                .filteredOn(key -> !key.equals("instances"))
                .isSubsetOf(POD);
        assertThat(keys(spec.get("restartPolicy")))
                .isSubsetOf(
                        "type",
                        "onFailureRetries",
                        "onFailureRetryInterval",
                        "onSubmissionFailureRetries",
                        "onSubmissionFailureRetryInterval");
        assertThat(spec.at("/restartPolicy/type").asText()).isIn("Never", "OnFailure", "Always");
        assertThat(spec.get("sparkConf")).allMatch(JsonNode::isTextual);
        assertThat(spec.get("arguments")).allMatch(JsonNode::isTextual);
        assertThat(spec.at("/driver/cores").isInt()
                        && spec.at("/executor/instances").isInt())
                .isTrue();
    }

    @Test
    void itStartsOurMainClassOnTheVersionOfSparkThatWeAreBuiltFor() throws Exception {
        assertThat(spec.get("mainClass").asText()).isEqualTo(Main.class.getName());
        String pom = Files.readString(Repository.file("pom.xml"));
        assertThat(pom).contains("<spark.version>" + spec.get("sparkVersion").asText() + "</spark.version>");
        String dockerfile = Files.readString(Repository.file("conf/kubernetes/Dockerfile"));
        assertThat(dockerfile)
                .contains("FROM apache/spark:" + spec.get("sparkVersion").asText())
                .contains(spec.get("mainApplicationFile").asText().replace("local://", ""));
        String torch = pom.replaceAll("(?s).*<pytorch.version>([^<]*)<.*", "$1");
        assertThat(dockerfile).contains("pytorch/pytorch:" + torch + "-", "PYTORCH_VERSION=" + torch);
    }

    @Test
    void itsCommandLineIsAConfigurationThatIsRead() throws IOException {
        List<String> arguments = new ArrayList<>();
        spec.get("arguments").forEach(argument -> arguments.add(argument.asText()));
        assertThat(arguments).startsWith("run", "--config");
        assertThat(arguments).contains("--run", "--max-gpu-hours");
        List<String> overrides = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            if (arguments.get(i).equals("--set")) {
                overrides.add(arguments.get(i + 1));
            }
        }
        Path config = Repository.file(arguments.get(2).replace("/opt/latentmix/", ""));
        assertThat(ConfigFile.read(config, overrides).input().root()).isEqualTo("s3a://bucket/birds");
    }

    @Test
    void itsSparkSettingsAreThoseOfTheDefaultsForKubernetes() throws IOException {
        Properties defaults = new Properties();
        try (var in = Files.newBufferedReader(Repository.file("conf/spark-defaults-kubernetes.conf"))) {
            defaults.load(in);
        }
        spec.get("sparkConf").fieldNames().forEachRemaining(key -> assertThat(
                        spec.get("sparkConf").get(key).asText())
                .as(key)
                .isEqualTo(defaults.getProperty(key).strip()));
    }
}
