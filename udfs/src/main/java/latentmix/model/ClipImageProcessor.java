package latentmix.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.JsonObject;
import latentmix.image.Pixels;
import latentmix.image.Resize;

/**
 * Prepares an image for CLIP's vision model: it resizes the shortest edge by Pillow's bicubic filter, cuts out the
 * centre square, and takes (v · rescale - mean) / std in each channel.
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
    /** The steps that are always computed. A config that says otherwise is refused. */
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
        return of(JsonObject.read(file));
    }

    /** Reads a config with the library's defaults. */
    static ClipImageProcessor of(JsonObject config) {
        FIXED.forEach((key, allowed) -> {
            if (config.json().hasNonNull(key)) {
                config.typed(key, value -> allowed.contains(value.asText()), allowed + " (others are not supported)");
            }
        });
        int edge = side(config, "size", "shortest_edge");
        int crop = side(config, "crop_size", "height");
        JsonNode width = config.json().path("crop_size").path("width");
        if (!width.isMissingNode() && width.asInt() != crop) {
            throw config.refused("crop_size", "a square");
        }
        if (crop > edge) {
            throw config.refused("crop_size", "at most size, which is " + edge);
        }
        double factor = config.number("rescale_factor", 1 / 255.0);
        if (!(factor > 0)) {
            throw config.refused("rescale_factor", "a positive number");
        }
        List<Double> std = config.numbers("image_std", CLIP_STD);
        if (!std.stream().allMatch(value -> value > 0)) {
            throw config.refused("image_std", "positive");
        }
        return new ClipImageProcessor(edge, crop, factor, config.numbers("image_mean", CLIP_MEAN), std);
    }

    /** A number of pixels: the value itself, as old files have it, or a member of an object. */
    private static int side(JsonObject config, String key, String member) {
        if (!config.has(key)) {
            return 224;
        }
        JsonNode given = config.json().get(key);
        JsonNode value = given.isObject() ? given.path(member) : given;
        if (!value.isInt() || value.intValue() < 1) {
            throw config.refused(key, "a number of pixels or an object with " + member);
        }
        return value.intValue();
    }

    /** The prepared image, (3, cropSize, cropSize). */
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
