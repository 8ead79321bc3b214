package latentmix;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.GeneralCodingRules;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Dependencies point one way, over all modules, as ARCHITECTURE.md draws them. */
class ArchitectureTest {
    /** What a package may use of the project, beside itself. */
    private static final Map<String, Set<String>> USES = Map.ofEntries(
            Map.entry("codec", Set.of()),
            Map.entry("latent", Set.of("codec")),
            Map.entry("schedule", Set.of("checkpoint")),
            Map.entry("image", Set.of("codec")),
            Map.entry("metric", Set.of()),
            Map.entry("checkpoint", Set.of("codec")),
            Map.entry("torchscript", Set.of("checkpoint", "codec")),
            Map.entry("architecture", Set.of("torchscript", "checkpoint")),
            Map.entry("model", Set.of("architecture", "torchscript", "checkpoint", "latent", "image")),
            Map.entry("sampling", Set.of("model", "schedule")),
            Map.entry("inversion", Set.of("sampling", "model", "schedule")),
            Map.entry("adaptation", Set.of("inversion", "model", "architecture", "checkpoint", "schedule", "latent")),
            Map.entry("table", Set.of("latent", "codec")),
            Map.entry("config", Set.of("latent", "metric", "schedule", "sampling", "inversion", "model", "checkpoint")),
            Map.entry("source", Set.of("config", "table", "checkpoint", "image")),
            Map.entry(
                    "plan",
                    Set.of(
                            "source",
                            "config",
                            "table",
                            "latent",
                            "metric",
                            "schedule",
                            "sampling",
                            "inversion",
                            "model",
                            "checkpoint")),
            Map.entry(
                    "work",
                    Set.of(
                            "plan",
                            "source",
                            "table",
                            "codec",
                            "image",
                            "latent",
                            "metric",
                            "schedule",
                            "checkpoint",
                            "model",
                            "sampling",
                            "inversion",
                            "adaptation")),
            Map.entry("sql", Set.of("latent")));

    /** The packages of the driver's side, which may use all of the above but sql. */
    private static final Set<String> DRIVER = Set.of("stage", "export", "report", "view", "cli");

    /** The packages of the research module, which may use those of the job. */
    private static final Set<String> RESEARCH = Set.of("study", "training", "bench", "morph", "dataset", "research");

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOptions(
                    List.of(new ImportOption.DoNotIncludeTests(), location -> !location.contains("-tests.jar")))
            .importPackages("latentmix");

    static Stream<String> executorPackages() {
        return USES.keySet().stream().sorted();
    }

    @Test
    void everyClassIsInAPackageThatTheRulesName() {
        Set<String> named =
                Stream.of(USES.keySet(), DRIVER, RESEARCH).flatMap(Set::stream).collect(Collectors.toSet());
        assertThat(CLASSES.stream().map(ArchitectureTest::packageOf)).isSubsetOf(named);
    }

    @ParameterizedTest
    @MethodSource("executorPackages")
    void aPackageUsesOnlyThoseBelowIt(String name) {
        assertThat(CLASSES.stream().map(ArchitectureTest::packageOf))
                .as("classes found")
                .contains(name);
        String[] allowed = Stream.concat(Stream.of(name), USES.get(name).stream())
                .map(ArchitectureTest::inside)
                .toArray(String[]::new);
        noClasses()
                .that()
                .resideInAPackage(inside(name))
                .should()
                .dependOnClassesThat(resideInAPackage("latentmix..").and(not(resideInAnyPackage(allowed))))
                .check(CLASSES);
    }

    @Test
    void noPackagesUseEachOtherInACircle() {
        SlicesRuleDefinition.slices()
                .matching("latentmix.(*)..")
                .should()
                .beFreeOfCycles()
                .check(CLASSES);
    }

    @Test
    void mathematicsThatTrainsKnowsNoSpark() {
        noClasses()
                .that()
                .resideInAnyPackage(inside("training"), inside("morph"), inside("dataset"))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.apache.spark..")
                .check(CLASSES);
    }

    @Test
    void pagesKnowNoSparkAndNoStage() {
        noClasses()
                .that()
                .resideInAPackage(inside("view"))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.apache.spark..", inside("stage"), inside("export"))
                .check(CLASSES);
    }

    @Test
    void executorsKnowSparkInSqlAlone() {
        String[] packages = executorPackages()
                .filter(name -> !name.equals("sql"))
                .map(ArchitectureTest::inside)
                .toArray(String[]::new);
        noClasses()
                .that()
                .resideInAnyPackage(packages)
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.apache.spark..")
                .check(CLASSES);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "codec",
                "latent",
                "schedule",
                "metric",
                "image",
                "checkpoint",
                "torchscript",
                "architecture",
                "table",
                "sql"
            })
    void mathematicsAndFormatsNeedNoEngine(String name) {
        noClasses()
                .that()
                .resideInAPackage(inside(name))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("ai.djl..")
                .check(CLASSES);
    }

    @ParameterizedTest
    @ValueSource(strings = {"latent", "metric"})
    void mathematicsUsesTheJdkCommonsBlasAndLapackAlone(String name) {
        noClasses()
                .that()
                .resideInAPackage(inside(name))
                .should()
                .dependOnClassesThat(not(resideInAnyPackage(
                        "java..",
                        inside(name),
                        inside("codec"),
                        "org.apache.commons.rng..",
                        "org.apache.commons.math3..",
                        "dev.ludovic.netlib..",
                        "org.netlib.util.."))) // LAPACK's integers that it writes to
                .check(CLASSES);
    }

    @Test
    void nothingReadsTheCommandLineButTheCommandLine() {
        noClasses()
                .that()
                .resideOutsideOfPackages(inside("cli"), inside("research"))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(inside("cli"), "picocli..")
                .check(CLASSES);
    }

    @Test
    void nothingPrintsButTheCommandLine() {
        noClasses()
                .that()
                .resideOutsideOfPackages(inside("cli"), inside("research"))
                .should(GeneralCodingRules.ACCESS_STANDARD_STREAMS)
                .check(CLASSES);
    }

    private static String packageOf(JavaClass type) {
        return Arrays.asList(type.getPackageName().split("\\.")).get(1);
    }

    private static String inside(String name) {
        return "latentmix." + name + "..";
    }
}
