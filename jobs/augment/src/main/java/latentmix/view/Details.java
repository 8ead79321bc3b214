package latentmix.view;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import latentmix.report.RunStart;
import latentmix.table.JudgedRow;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;

/**
 * Where an image comes from.
 *
 * @param shares the share of each class in a soft label, the own one first; empty where the label is hard
 * @param recipe all that made it, as YAML
 */
record Details(
        String mixId,
        String chunk,
        String className,
        String method,
        String prompt,
        int k,
        String entry,
        double ess,
        List<Input> inputs,
        Map<String, Double> shares,
        Map<String, Double> scores,
        Optional<JudgedRow> verdict,
        String recipe) {
    private static final int NEAREST = 4;
    private static final int NEAREST_AMONG = 256;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final ObjectMapper YAML =
            new ObjectMapper(new YAMLFactory().disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER));

    /** An image that was mixed. */
    record Input(String classId, String imageId, String path, double weight) {}

    static Details of(ClassTables tables, Images images, Picture picture) throws IOException {
        MixedTable.Trail mixture = tables.mixture(picture);
        List<Input> inputs = new ArrayList<>();
        for (int i = 0; i < mixture.sourceIds().size(); i++) {
            String id = mixture.sourceIds().get(i);
            String classId = mixture.sourceClasses().isEmpty()
                    ? tables.classId()
                    : mixture.sourceClasses().get(i);
            String path = images.paths(classId).getOrDefault(id, "?");
            inputs.add(new Input(classId, id, path, mixture.weights().get(i)));
        }
        Map<String, Double> shares = new LinkedHashMap<>();
        for (int i = 0; i < mixture.labelClasses().size(); i++) {
            shares.put(mixture.labelClasses().get(i), mixture.labelWeights().get(i));
        }
        Optional<JudgedRow> verdict = verdict(tables, picture.id());
        Map<String, Double> scores = new LinkedHashMap<>();
        float[] judged = Score.none();
        verdict.ifPresent(row -> Score.putVerdict(judged, row));
        for (Score score : Score.values()) {
            float value = picture.scores()[score.at()];
            value = Float.isNaN(value) ? judged[score.at()] : value;
            if (!Float.isNaN(value)) {
                scores.put(score.text(), (double) value);
            }
        }
        return new Details(
                mixture.mixId(),
                picture.chunk(),
                tables.first().map(row -> row.className()).orElse(tables.classId()),
                mixture.method(),
                mixture.contexts().isEmpty()
                        ? mixture.prompt()
                        : String.join("; then ", mixture.contexts().keySet()),
                mixture.k(),
                picture.entry(),
                mixture.ess(),
                inputs,
                shares,
                scores,
                verdict,
                recipe(tables, mixture, inputs, shares));
    }

    /** The source images of the class, or of its first ones by id, that are nearest to an image by dHash. */
    static List<Images.Near> nearest(ClassTables tables, Images images, Picture picture) throws IOException {
        return images.nearest(tables.classId(), tables.scores(picture).differenceHash(), NEAREST_AMONG, NEAREST);
    }

    private static Optional<JudgedRow> verdict(ClassTables tables, String mixId) throws IOException {
        for (String chunk : tables.judged()) {
            JudgedRow row = tables.verdicts(chunk).get(mixId);
            if (row != null) {
                return Optional.of(row);
            }
        }
        return Optional.empty();
    }

    private static String recipe(
            ClassTables tables, MixedTable.Trail mixture, List<Input> inputs, Map<String, Double> shares)
            throws IOException {
        RunStart start = tables.start();
        Map<String, Object> recipe = new LinkedHashMap<>();
        recipe.put("class", tables.classId());
        recipe.put("mix_id", mixture.mixId());
        recipe.put("method", mixture.method());
        recipe.put("prompt", mixture.prompt());
        if (!mixture.contexts().isEmpty()) {
            recipe.put("told", mixture.contexts());
        }
        mixture.guidance().forEach(scale -> recipe.put("guidance", scale));
        recipe.put(
                "inputs",
                inputs.stream()
                        .map(input -> {
                            Map<String, Object> one = new LinkedHashMap<>();
                            if (!shares.isEmpty()) {
                                one.put("class", input.classId());
                            }
                            one.put("image", input.path());
                            one.put("image_id", input.imageId());
                            one.put("weight", input.weight());
                            return one;
                        })
                        .toList());
        if (!shares.isEmpty()) {
            recipe.put("label", shares);
        }
        recipe.put("k", mixture.k());
        recipe.put("draw", mixture.attempt() + 1);
        recipe.put("checkpoint", start.model().checkpoint().location());
        recipe.put("inversion", settings(tables.run(), start.invert()));
        recipe.put("mixing", settings(tables.run(), mixture.settingsId()));
        recipe.put("generation", settings(tables.run(), start.generate()));
        return YAML.writeValueAsString(recipe);
    }

    private static JsonNode settings(RunFolder run, String id) throws IOException {
        return JSON.readTree(run.read(run.path("settings/" + id + ".json")));
    }
}
