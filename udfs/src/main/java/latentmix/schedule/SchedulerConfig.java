package latentmix.schedule;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.StreamSupport;
import latentmix.checkpoint.JsonObject;

/**
 * The settings of a {@code scheduler_config.json}, with diffusers' defaults for absent keys.
 *
 * <p>Published checkpoints name many samplers of the one diffusion process (Stable Diffusion 1.5 names PNDM). They
 * share the noise schedule, so all of them run as DDIM on it, as {@code DDIMScheduler.from_config} does; settings that
 * concern only their own solver make no difference, unless they choose other noise levels for DPM-Solver++. A flow's
 * configuration is {@code FlowMatchEulerDiscreteScheduler}'s. Every other setting is either obeyed or refused by name.
 */
final class SchedulerConfig {
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

    private static final String FLOW = "FlowMatchEulerDiscreteScheduler";

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
            "timestep_type",
            "final_sigmas_type",
            "lambda_min_clipped",
            "use_beta_sigmas",
            "use_exponential_sigmas",
            "use_karras_sigmas",
            "use_lu_lambdas");

    /** Settings of other schedulers' solvers, and the details of features that are refused when switched on. */
    private static final Set<String> WITHOUT_EFFECT = Set.of(
            "algorithm_type",
            "clip_sample_range",
            "disable_corrector",
            "dynamic_thresholding_ratio",
            "euler_at_final",
            "flow_shift",
            "interpolation_type",
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
            "variance_type");

    private static final Set<String> FLOW_OBEYED = Set.of(
            "num_train_timesteps",
            "shift",
            "invert_sigmas",
            "shift_terminal",
            "stochastic_sampling",
            "use_beta_sigmas",
            "use_dynamic_shifting",
            "use_exponential_sigmas",
            "use_karras_sigmas");

    /** The details of dynamic shifting. */
    private static final Set<String> FLOW_WITHOUT_EFFECT =
            Set.of("base_image_seq_len", "base_shift", "max_image_seq_len", "max_shift", "time_shift_type");

    private static final String FILE = "scheduler_config.json";

    private final JsonNode json;
    private final JsonObject config;

    SchedulerConfig(JsonNode json) {
        if (!json.isObject()) {
            throw new IllegalArgumentException(FILE + " must hold a JSON object, cannot be: " + json.getNodeType());
        }
        this.json = json;
        this.config = new JsonObject(json, FILE, IllegalArgumentException::new);
    }

    /** The scheduler that belongs to the process. */
    Scheduler scheduler() {
        return isFlow() ? flow(FlowMatchEulerScheduler.End.SOURCE) : diffusion();
    }

    Scheduler scheduler(Solver solver) {
        if (isFlow()) {
            FlowMatchEulerScheduler euler = flow(FlowMatchEulerScheduler.End.SOURCE);
            return switch (solver) {
                case EULER -> euler;
                case EULER_AT_TARGET -> flow(FlowMatchEulerScheduler.End.TARGET);
                case MIDPOINT -> new FlowMatchMidpointScheduler(euler.flow());
                case FIREFLOW -> new FireFlowScheduler(euler.flow());
                case DDIM, DPM_SOLVER_2M, DPM_SOLVER_3M ->
                    throw unsuited(solver, "a flow", "euler, midpoint or fireflow");
            };
        }
        return switch (solver) {
            case DDIM -> diffusion();
            case DPM_SOLVER_2M -> new DpmSolverMultistepScheduler(diffusionToZero(), 2);
            case DPM_SOLVER_3M -> new DpmSolverMultistepScheduler(diffusionToZero(), 3);
            case EULER, EULER_AT_TARGET, MIDPOINT, FIREFLOW ->
                throw unsuited(solver, "a diffusion process", "ddim or dpm-solver++(2m)");
        };
    }

    private static IllegalArgumentException unsuited(Solver solver, String process, String suited) {
        return new IllegalArgumentException("The solver must suit the checkpoint's process, which is " + process
                + ", cannot be: " + solver + "; choose " + suited + ", or leave it out");
    }

    private boolean isFlow() {
        return config.text("_class_name", "DDIMScheduler").equals(FLOW);
    }

    private FlowMatchEulerScheduler flow(FlowMatchEulerScheduler.End inversionAt) {
        refuseUnknown(FLOW_OBEYED, FLOW_WITHOUT_EFFECT, "remove it if a flow does not depend on it");
        off(
                "use_dynamic_shifting",
                false,
                "a shift that grows with the image is not supported: set it to false, and set shift"
                        + " to what suits the size");
        for (String key : List.of("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas")) {
            off(key, false, "set it to false: the levels are spaced as the flow was trained");
        }
        off("invert_sigmas", false, "set it to false: an inversion has a table of its own");
        off("stochastic_sampling", false, "set it to false: sampling must lead an inversion's noise back to its image");
        if (config.has("shift_terminal")) {
            throw refused(
                    "shift_terminal", "absent", json.get("shift_terminal"), "remove it: the last step leads to 0");
        }
        return new FlowMatchEulerScheduler(
                new FlowSchedule(config.number("shift", 1), config.whole("num_train_timesteps", 1000)), inversionAt);
    }

    /** DDIM with the last level of DPM-Solver++: noiseless, unless {@code final_sigmas_type} says otherwise. */
    private DdimScheduler diffusionToZero() {
        for (String key : List.of("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas")) {
            off(key, false, "set it to false: the solver passes the levels of timestep_spacing");
        }
        if (config.number("lambda_min_clipped", Double.NEGATIVE_INFINITY) != Double.NEGATIVE_INFINITY) {
            throw refused(
                    "lambda_min_clipped", "absent", json.get("lambda_min_clipped"), "remove it: no level is clipped");
        }
        String last = config.text("final_sigmas_type", "zero");
        if (!last.equals("zero") && !last.equals("sigma_min")) {
            throw refused("final_sigmas_type", "zero or sigma_min", last, "correct it");
        }
        DdimScheduler own = diffusion();
        return new DdimScheduler(
                own.noise(),
                own.prediction(),
                own.spacing(),
                own.stepsOffset(),
                last.equals("zero") ? 1 : own.noise().alphaCumprod(0),
                own.configuredClass());
    }

    private DdimScheduler diffusion() {
        String name = config.text("_class_name", "DDIMScheduler");
        Boolean clips = CLIPS_BY_DEFAULT.get(name);
        if (clips == null) {
            throw refused(
                    "_class_name",
                    FLOW + " or a scheduler of the variance-preserving diffusion process",
                    name,
                    "use DDIMScheduler, or for a flow " + FLOW);
        }
        refuseUnknown(OBEYED, WITHOUT_EFFECT, "remove it if DDIM does not depend on it");
        String unbounded = "set it to false (absent, it means " + clips + "): latents are not bounded as pixels are";
        off("clip_sample", clips, unbounded);
        off("thresholding", false, unbounded);
        off("use_flow_sigmas", false, "flow matching is another process");
        off("use_dynamic_shifting", false, "flow matching is another process");
        if (!config.text("timestep_type", "discrete").equals("discrete")) {
            throw refused("timestep_type", "discrete", json.get("timestep_type"), "choose another checkpoint");
        }
        NoiseSchedule noise = noiseSchedule();
        return new DdimScheduler(
                noise,
                choice("prediction_type", PredictionType.EPSILON),
                choice("timestep_spacing", TimestepSpacing.LEADING),
                config.whole("steps_offset", 0),
                config.flag("set_alpha_to_one", true) ? 1 : noise.alphaCumprod(0),
                name);
    }

    private NoiseSchedule noiseSchedule() {
        int trained = config.whole("num_train_timesteps", 1000);
        if (trained < 1) {
            throw refused("num_train_timesteps", "at least 1", trained, "restore what the model was trained with");
        }
        double start = config.number("beta_start", 0.0001);
        double end = config.number("beta_end", 0.02);
        String shape = config.has("trained_betas") ? "trained_betas" : config.text("beta_schedule", "linear");
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
        return config.flag("rescale_betas_zero_snr", false) ? schedule.zeroTerminalSnr() : schedule;
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

    private void refuseUnknown(Set<String> obeyed, Set<String> withoutEffect, String hint) {
        json.fieldNames().forEachRemaining(key -> {
            if (!key.startsWith("_") && !obeyed.contains(key) && !withoutEffect.contains(key)) {
                throw refused(key, "absent: it is not known", json.get(key), hint);
            }
        });
    }

    private void off(String key, boolean absent, String hint) {
        if (config.flag(key, absent)) {
            throw refused(key, "false", true, hint);
        }
    }

    private <E extends Enum<E>> E choice(String key, E absent) {
        String value = config.text(key, absent.name().toLowerCase(Locale.ROOT));
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

    private static IllegalArgumentException refused(String key, String expected, Object came, String hint) {
        return new IllegalArgumentException(
                FILE + ": " + key + " must be " + expected + ", cannot be: " + came + "; " + hint);
    }
}
