package latentmix;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import latentmix.cli.Main;
import latentmix.config.ConfigFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The SparkApplication of conf/kubernetes: what the Spark operator's definition allows, and a command line that is
 * ours.
 */
class KubernetesTest {
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    private static final Path APPLICATION = Repository.file("conf/kubernetes/spark-application.yaml");
    private static final Path DEFINITION = Path.of("src/test/resources/kubernetes/sparkapplication-crd.yaml");

    private static JsonNode spec;
    private static JsonSchema schema;

    @BeforeAll
    static void read() throws IOException {
        spec = YAML.readTree(APPLICATION.toFile()).get("spec");
        JsonNode version = YAML.readTree(DEFINITION.toFile()).at("/spec/versions/0");
        assertThat(version.get("name").asText()).isEqualTo("v1beta2");
        JsonNode properties = version.at("/schema/openAPIV3Schema");
        refuseOthers(properties);
        schema = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V4).getSchema(properties);
    }

    /** Refuses properties that are not named, as {@code kubectl apply} does, wherever a definition names some. */
    private static void refuseOthers(JsonNode definition) {
        if (definition.path("properties").isObject() && !definition.has("x-kubernetes-preserve-unknown-fields")) {
            ((ObjectNode) definition).put("additionalProperties", false);
        }
        definition.path("properties").forEach(KubernetesTest::refuseOthers);
        for (String inner : List.of("items", "additionalProperties")) {
            if (definition.path(inner).isObject()) {
                refuseOthers(definition.get(inner));
            }
        }
    }

    private static List<String> problems(String application) throws IOException {
        return schema.validate(YAML.readTree(application)).stream()
                .map(Object::toString)
                .toList();
    }

    @Test
    void theOperatorsDefinitionAllowsIt() throws IOException {
        assertThat(problems(Files.readString(APPLICATION))).isEmpty();
        JsonNode application = YAML.readTree(APPLICATION.toFile());
        assertThat(application.get("apiVersion").asText()).isEqualTo("sparkoperator.k8s.io/v1beta2");
        assertThat(application.get("kind").asText()).isEqualTo("SparkApplication");
        assertThat(application.get("metadata").fieldNames())
                .toIterable()
                .as("the definition does not say what metadata has")
                .containsExactlyInAnyOrder("name", "namespace");
        assertThat(spec.get("mode").asText()).isEqualTo("cluster");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    memoryOverhead: 8g         | memoryOverheads: 8g      | $.spec.executor: property 'memoryOverheads'
                    restartPolicy:             | restart:                 | $.spec: property 'restart'
                    type: OnFailure            | type: OnFail             | $.spec.restartPolicy.type: does not have a value
                    instances: 8               | instances: "8"           | $.spec.executor.instances: string found
                    claimName: models          | claim: models            | $.spec.volumes[0].persistentVolumeClaim: property 'claim'
                    operator: Exists           | operators: Exists        | $.spec.executor.tolerations[0]: property 'operators'
                    spark.locality.wait: "0"   | spark.locality.wait: 0   | $.spec.sparkConf.spark.locality.wait: integer found
                    sparkVersion: "4.1.2"      | #                        | $.spec: required property 'sparkVersion'
                    - secretRef:               | - secretReference:       | $.spec.driver.envFrom[0]: property 'secretReference'
                    onFailureRetries: 3        | onFailureRetries: -1     | $.spec.restartPolicy.onFailureRetries: must have a minimum
                    """)
    void aSlipIsRefusedWhereItIs(String right, String wrong, String said) throws IOException {
        String text = Files.readString(APPLICATION);
        assertThat(text).contains(right);
        assertThat(problems(text.replace(right, wrong)))
                .as("%s for %s", wrong, right)
                .anyMatch(problem -> problem.startsWith(said));
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
