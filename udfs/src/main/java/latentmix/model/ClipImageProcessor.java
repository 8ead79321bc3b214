package latentmix.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.Json;
import latentmix.image.Pixels;
import latentmix.image.Resize;

/**
 * What CLIP's vision model is given of an image: shortest edge to a size by Pillow's bicubic filter, the centre square,
 * and (v · rescale - mean) / std a channel.
 *
 * <p><a
 * href="https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/clip/image_processing_clip.py">transformers'
 * image_processing_clip.py</a>, bit for bit: bytes are rounded before the crop, the product is a double's rounded to
 * float32, the rest is float32.
 *
 * @param shortestEdge pixels, at least cropSize
 * @param cropSize pixels of the square's side
 * @param mean red, green, blue
 * @param std red, green, blue
 */
record ClipImageProcessor(int shortestEdge, int cropSize, double rescaleFactor, List<Double> mean, List<Double> std) {
    private static final String FILE = "preprocessor_config.json";
    private static final List<Double> CLIP_MEAN = List.of(0.48145466, 0.4578275, 0.40821073);
    private static final List<Double> CLIP_STD = List.of(0.26862954, 0.26130258, 0.27577711);
    /** What is computed whatever the image; a config that says otherwise is refused. */
    private static final Map<String, List<String>> FIXED = Map.of(
            "do_resize", List.of("true"),
            "do_center_crop", List.of("true"),
            "do_rescale", List.of("true"),
            "do_normalize", List.of("true"),
            "resample", List.of("3"),
            "image_processor_type", List.of("CLIPImageProcessor", "CLIPImageProcessorFast"),
            "feature_extractor_type", List.of("CLIPFeatureExtractor", "CLIPImageProcessor"));

    /**
     * Reads what lies in the component's folder, or where diffusers puts it: in {@code feature_extractor} beside it.
     */
    static ClipImageProcessor of(Path component) {
        Path beside = component.resolveSibling("feature_extractor").resolve(FILE);
        Path file = Stream.of(component.resolve(FILE), beside)
                .filter(Files::isRegularFile)
                .findFirst()
                .orElseThrow(() -> new CheckpointException(
                        "There should be a " + FILE + " in " + component + " or " + beside.getParent()
                                + ", which says how images are prepared, and there is none; fetch it too"));
        return of(Json.read(file), file.toString());
    }

    /** Reads a config with the library's defaults; where names it in messages. */
    static ClipImageProcessor of(JsonNode json, String where) {
        FIXED.forEach((key, allowed) ->
                require(!json.hasNonNull(key) || allowed.contains(json.get(key).asText()), where, key, allowed, json));
        int edge = side(json, "size", "shortest_edge", where);
        int crop = side(json, "crop_size", "height", where);
        JsonNode width = json.path("crop_size").path("width");
        require(width.isMissingNode() || width.asInt() == crop, where, "crop_size", "a square", json);
        require(crop <= edge, where, "crop_size", "at most size, which is " + edge, json);
        JsonNode factor = json.path("rescale_factor");
        require(
                factor.isMissingNode() || (factor.isNumber() && factor.asDouble() > 0),
                where,
                "rescale_factor",
                "a positive number",
                json);
        List<Double> std = channels(json, "image_std", CLIP_STD, where);
        require(std.stream().allMatch(value -> value > 0), where, "image_std", "positive", json);
        return new ClipImageProcessor(
                edge, crop, factor.asDouble(1 / 255.0), channels(json, "image_mean", CLIP_MEAN, where), std);
    }

    /** A number of pixels: the value itself, as old files have it, or its member. */
    private static int side(JsonNode json, String key, String member, String where) {
        if (!json.has(key)) {
            return 224;
        }
        JsonNode value = json.get(key).isObject() ? json.get(key).path(member) : json.get(key);
        require(
                value.canConvertToInt() && value.isIntegralNumber() && value.asInt() > 0,
                where,
                key,
                "a number of pixels or an object with " + member,
                json);
        return value.asInt();
    }

    private static List<Double> channels(JsonNode json, String key, List<Double> otherwise, String where) {
        if (!json.has(key)) {
            return otherwise;
        }
        JsonNode values = json.get(key);
        require(
                values.size() == 3
                        && Stream.of(0, 1, 2).allMatch(c -> values.path(c).isNumber()),
                where,
                key,
                "three numbers",
                json);
        return Stream.of(0, 1, 2).map(c -> values.get(c).asDouble()).toList();
    }

    private static void require(boolean holds, String where, String key, Object expected, JsonNode json) {
        if (!holds) {
            throw new CheckpointException(where + ": " + key + " must be " + expected
                    + " (others are not supported), cannot be: " + json.get(key));
        }
    }

    /** (3, cropSize, cropSize). */
    float[] pixelValues(Pixels image) {
        byte[] rgb = Resize.square(image, shortestEdge, cropSize).rgb();
        int plane = cropSize * cropSize;
        float[] values = new float[3 * plane];
        for (int c = 0; c < 3; c++) {
            float shift = mean.get(c).floatValue();
            float scale = std.get(c).floatValue();
            for (int i = 0; i < plane; i++) {
                values[c * plane + i] = ((float) ((rgb[3 * i + c] & 0xff) * rescaleFactor) - shift) / scale;
            }
        }
        return values;
    }
}
