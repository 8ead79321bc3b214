package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import latentmix.Repository;
import latentmix.config.Block;
import latentmix.config.ReferenceWriter;
import latentmix.config.SchemaWriter;
import latentmix.config.Schemas;
import latentmix.config.Written;
import latentmix.training.TrainKeys;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The reference and the JSON Schemas of studies and trainings say what the declarations of keys say. */
class ResearchReferenceTest {
    private static final String INTRODUCTION =
            """
            # Configuration of studies and trainings

            This page lists the keys of the files in `conf/study` and `conf/train`. It is written from the code that
            checks the files. [Configuration](configuration.md) explains the keys of a run, and how values are written.

            ## A study

            A study has one run configuration and a list of experiments that vary it. See [Results](results.md#studies).

                ./latentmix study --config conf/study/tour.yaml --run runs/tour

            """;

    private static final String TRAINING =
            """
            ## A training

            A training makes a small model of your own. See [Training](training.md).

                ./latentmix train --config conf/train/fashion.yaml --run runs/fashion

            """;

    static Stream<Path> shipped() throws IOException {
        try (Stream<Path> studies = Files.list(Repository.file("conf/study"));
                Stream<Path> trainings = Files.list(Repository.file("conf/train"))) {
            return Stream.concat(studies, trainings)
                    .filter(file -> file.toString().endsWith(".yaml"))
                    .toList()
                    .stream();
        }
    }

    @Test
    void theReferenceIsFresh() throws IOException {
        Block study = new Block(
                "",
                "",
                StudyKeys.STUDY.absent(),
                StudyKeys.STUDY.without(StudyKeys.RUN).fields());
        String run =
                "### `run`\n\n" + StudyKeys.RUN.meaning() + " Its keys are those of [a run](configuration.md).\n\n";
        Written.isFresh(
                "docs/configuration-research.md",
                INTRODUCTION
                        + run
                        + ReferenceWriter.sections(study, "###")
                        + TRAINING
                        + ReferenceWriter.sections(TrainKeys.TRAIN, "###"));
    }

    @Test
    void theSchemasAreFresh() throws IOException {
        Written.isFresh("conf/study.schema.json", SchemaWriter.schema(StudyKeys.STUDY));
        Written.isFresh("conf/train.schema.json", SchemaWriter.schema(TrainKeys.TRAIN));
    }

    @ParameterizedTest
    @MethodSource("shipped")
    void everyShippedFileNamesItsSchemaAndKeepsIt(Path file) throws IOException {
        assertThat(Schemas.problems(file)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{kind: gird, name: a}",
                "{kind: grid}",
                "{name: a, color: red}",
                "{kind: bias, name: a, methods: slerp}",
                "{kind: bias, name: a, repeats: 1}",
                "{kind: curves, name: a, frames: 3}",
                "{kind: downstream, name: a, arms: 3}",
                "{kind: paths, name: a, statistics: [energy]}"
            })
    void aWrongExperimentIsRefusedByTheSchema(String experiment) {
        String study = "title: A study\nrun: {input: {root: a}, model: {checkpoint: b}, evaluation: {}}\nexperiments: ";
        assertThat(refused(StudyKeys.STUDY, study + "[{name: right}]")).isEmpty();
        assertThat(refused(StudyKeys.STUDY, study + "[" + experiment + "]")).isNotEmpty();
    }

    @Test
    void aWrongTrainingIsRefusedByTheSchema() {
        assertThat(refused(TrainKeys.TRAIN, "input: {root: a}")).isEmpty();
        assertThat(refused(TrainKeys.TRAIN, "input: {root: a, limit: 3}")).isNotEmpty();
        assertThat(refused(TrainKeys.TRAIN, "input: {root: a}\nautoencoder: {joint: {steps: 0}}"))
                .isNotEmpty();
    }

    private static List<String> refused(Block file, String yaml) {
        return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V7)
                .getSchema(SchemaWriter.schema(file))
                .validate(SchemaWriter.yaml(yaml))
                .stream()
                .map(Object::toString)
                .toList();
    }
}
