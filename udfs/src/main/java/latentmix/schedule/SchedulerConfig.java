package latentmix.schedule;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.StreamSupport;

/**
 * The settings of a {@code scheduler_config.json}, with diffusers' defaults for absent keys.
 *
 * <p>Published checkpoints name many samplers of the one diffusion process (Stable Diffusion 1.5 names PNDM). They share
 * the noise schedule, so all of them run as DDIM on it, as {@code DDIMScheduler.from_config} does; settings that concern
 * only their own solver make no difference. Every other setting is either obeyed or refused by name.
 */
record SchedulerConfig(JsonNode json) {
    /** The classes whose noise schedule DDIM can take over, each with its default of {@code clip_sample}. */
    private static final Map<String, Boolean> CLIPS_BY_DEFAULT = Map.ofEntries(
            Map.entry("DDIMScheduler", true),
            Map.entry("DDIMInverseScheduler", true),
            Map.entry("DDPMScheduler", true),
            Map.entry("PNDMScheduler", false),
            Map.entry("LMSDiscreteScheduler", false),
            Map.entry("EulerDiscreteScheduler", false),
            Map.entry("EulerAncestralDiscreteScheduler", false),
            Map.entry("HeunDiscreteScheduler", false),
            Map.entry("KDPM2DiscreteScheduler", false),
            Map.entry("KDPM2AncestralDiscreteScheduler", false),
            Map.entry("DPMSolverMultistepScheduler", false),
            Map.entry("DPMSolverMultistepInverseScheduler", false),
            Map.entry("DPMSolverSinglestepScheduler", false),
            Map.entry("DPMSolverSDEScheduler", false),
            Map.entry("DEISMultistepScheduler", false),
            Map.entry("UniPCMultistepScheduler", false));

    private static final Set<String> OBEYED = Set.of(
            "num_train_timesteps",
            "beta_start",
            "beta_end",
            "beta_schedule",
            "trained_betas",
            "rescale_betas_zero_snr",
            "prediction_type",
            "timestep_spacing",
            "steps_offset",
            "set_alpha_to_one",
            "clip_sample",
            "thresholding",
            "use_flow_sigmas",
            "use_dynamic_shifting",
            "timestep_type");

    /** Settings of other schedulers' solvers, and the details of features that are refused when switched on. */
    private static final Set<String> WITHOUT_EFFECT = Set.of(
            "algorithm_type",
            "clip_sample_range",
            "disable_corrector",
            "dynamic_thresholding_ratio",
            "euler_at_final",
            "final_sigmas_type",
            "flow_shift",
            "interpolation_type",
            "lambda_min_clipped",
            "lower_order_final",
            "noise_sampler_seed",
            "predict_x0",
            "sample_max_value",
            "shift_terminal",
            "sigma_max",
            "sigma_min",
            "skip_prk_steps",
            "solver_order",
            "solver_p",
            "solver_type",
            "tensor_format",
            "time_shift_type",
            "use_beta_sigmas",
            "use_exponential_sigmas",
            "use_karras_sigmas",
            "use_lu_lambdas",
            "variance_type");

    SchedulerConfig {
        if (!json.isObject()) {
            throw new IllegalArgumentException(
                    "scheduler_config.json must hold a JSON object, cannot be: " + json.getNodeType());
        }
    }

    Scheduler scheduler() {
        String name = text("_class_name", "DDIMScheduler");
        Boolean clips = CLIPS_BY_DEFAULT.get(name);
        if (clips == null) {
            throw refused(
                    "_class_name",
                    "a scheduler of the variance-preserving diffusion process",
                    name,
                    "use DDIMScheduler");
        }
        json.fieldNames().forEachRemaining(key -> {
            if (!key.startsWith("_") && !OBEYED.contains(key) && !WITHOUT_EFFECT.contains(key)) {
                throw refused(key, "absent: it is not known", json.get(key), "remove it if DDIM does not depend on it");
            }
        });
        String unbounded = "set it to false (absent, it means " + clips + "): latents are not bounded as pixels are";
        off("clip_sample", clips, unbounded);
        off("thresholding", false, unbounded);
        off("use_flow_sigmas", false, "flow matching is another process");
        off("use_dynamic_shifting", false, "flow matching is another process");
        if (!text("timestep_type", "discrete").equals("discrete")) {
            throw refused("timestep_type", "discrete", json.get("timestep_type"), "choose another checkpoint");
        }
        NoiseSchedule noise = noiseSchedule();
        return new DdimScheduler(
                noise,
                choice("prediction_type", PredictionType.EPSILON),
                choice("timestep_spacing", TimestepSpacing.LEADING),
                whole("steps_offset", 0),
                flag("set_alpha_to_one", true) ? 1 : noise.alphaCumprod(0),
                name);
    }

    private NoiseSchedule noiseSchedule() {
        int trained = whole("num_train_timesteps", 1000);
        if (trained < 1) {
            throw refused("num_train_timesteps", "at least 1", trained, "restore what the model was trained with");
        }
        double start = number("beta_start", 0.0001);
        double end = number("beta_end", 0.02);
        String shape = present("trained_betas") ? "trained_betas" : text("beta_schedule", "linear");
        NoiseSchedule schedule =
                switch (shape) {
                    case "trained_betas" -> trainedBetas(trained);
                    case "linear" -> NoiseSchedule.linear(start, end, trained);
                    case "scaled_linear" -> NoiseSchedule.scaledLinear(start, end, trained);
                    case "squaredcos_cap_v2" -> NoiseSchedule.squaredCosine(trained);
                    default ->
                        throw refused(
                                "beta_schedule",
                                "linear, scaled_linear or squaredcos_cap_v2",
                                shape,
                                "or write out its betas as trained_betas");
                };
        return flag("rescale_betas_zero_snr", false) ? schedule.zeroTerminalSnr() : schedule;
    }

    private NoiseSchedule trainedBetas(int trained) {
        double[] betas = StreamSupport.stream(json.get("trained_betas").spliterator(), false)
                .mapToDouble(beta -> beta.isNumber() ? beta.doubleValue() : Double.NaN)
                .toArray();
        if (betas.length != trained) {
            throw refused(
                    "trained_betas", trained + " numbers", betas.length + " of them", "or correct num_train_timesteps");
        }
        return NoiseSchedule.ofBetas(betas);
    }

    private void off(String key, boolean absent, String hint) {
        if (flag(key, absent)) {
            throw refused(key, "false", true, hint);
        }
    }

    private <E extends Enum<E>> E choice(String key, E absent) {
        String value = text(key, absent.name().toLowerCase(Locale.ROOT));
        E[] choices = absent.getDeclaringClass().getEnumConstants();
        return Arrays.stream(choices)
                .filter(choice -> choice.name().toLowerCase(Locale.ROOT).equals(value))
                .findFirst()
                .orElseThrow(() -> refused(
                        key,
                        "one of " + Arrays.toString(choices).toLowerCase(Locale.ROOT),
                        value,
                        "choose another checkpoint"));
    }

    private String text(String key, String absent) {
        return present(key) ? typed(key, JsonNode::isTextual, "a text").textValue() : absent;
    }

    private boolean flag(String key, boolean absent) {
        return present(key) ? typed(key, JsonNode::isBoolean, "true or false").booleanValue() : absent;
    }

    private int whole(String key, int absent) {
        return present(key) ? typed(key, JsonNode::isInt, "a whole number").intValue() : absent;
    }

    private double number(String key, double absent) {
        return present(key) ? typed(key, JsonNode::isNumber, "a number").doubleValue() : absent;
    }

    private boolean present(String key) {
        return json.hasNonNull(key);
    }

    private JsonNode typed(String key, Predicate<JsonNode> type, String expected) {
        JsonNode value = json.get(key);
        if (!type.test(value)) {
            throw refused(key, expected, value, "correct it");
        }
        return value;
    }

    private static IllegalArgumentException refused(String key, String expected, Object came, String hint) {
        return new IllegalArgumentException(
                "scheduler_config.json: " + key + " must be " + expected + ", cannot be: " + came + "; " + hint);
    }
}
