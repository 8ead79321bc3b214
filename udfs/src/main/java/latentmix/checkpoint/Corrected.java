package latentmix.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An old configuration as diffusers' StableDiffusionPipeline takes it, which corrects what its early versions wrote.
 *
 * @param said each correction in a line
 * @see <a
 *     href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/pipelines/stable_diffusion/pipeline_stable_diffusion.py">the
 *     pipeline's {@code __init__}</a>
 */
record Corrected(JsonNode json, List<String> said) {
    private static final Pattern BEFORE_0_9 = Pattern.compile("0\\.[0-8](\\..*)?");
    private static final int TRAINED_SIDE = 64;

    Corrected {
        said = List.copyOf(said);
    }

    /** A U-Net's: below version 0.9 a sample_size under 64 means 64. */
    static Corrected unet(JsonNode config, String where) {
        Matcher version = BEFORE_0_9.matcher(config.path("_diffusers_version").asText());
        JsonNode side = config.path("sample_size");
        if (!version.matches() || !side.isInt() || side.intValue() >= TRAINED_SIDE) {
            return new Corrected(config, List.of());
        }
        ObjectNode corrected = config.deepCopy();
        corrected.put("sample_size", TRAINED_SIDE);
        return new Corrected(
                corrected,
                List.of(where + ": sample_size " + side + " is taken for " + TRAINED_SIDE
                        + ", as diffusers does where a file is of its version " + version.group()));
    }

    /** A scheduler's: steps_offset is 1, and samples are not clipped. */
    static Corrected scheduler(JsonNode config, String where) {
        ObjectNode corrected = config.deepCopy();
        List<String> said = new ArrayList<>();
        JsonNode offset = config.path("steps_offset");
        boolean counts = config.path("timestep_spacing").asText("leading").equals("leading"); // else it has no effect
        if (counts && offset.asInt(0) != 1) {
            corrected.put("steps_offset", 1);
            said.add(where + ": steps_offset, " + given(offset) + ", is taken for 1, as diffusers' pipeline does");
        }
        JsonNode clips = config.path("clip_sample");
        boolean absent = clips.isMissingNode() || clips.isNull();
        if (absent ? clipsByDefault(config) : clips.isBoolean() && clips.booleanValue()) {
            corrected.put("clip_sample", false);
            said.add(where + ": clip_sample, " + given(clips) + ", is taken for false, as diffusers' pipeline does");
        }
        return new Corrected(corrected, said);
    }

    private static boolean clipsByDefault(JsonNode config) {
        return SchedulerDefaults.of(config.path("_class_name").asText("DDIMScheduler"))
                .map(SchedulerDefaults::clipsSample)
                .orElse(false);
    }

    private static String given(JsonNode value) {
        return value.isMissingNode() ? "which is absent" : "given as " + value;
    }
}
