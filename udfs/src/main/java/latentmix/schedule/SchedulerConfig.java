package latentmix.schedule;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.StreamSupport;
import latentmix.checkpoint.JsonObject;
import latentmix.checkpoint.SchedulerDefaults;

/**
 * The settings of a {@code scheduler_config.json}, with diffusers' defaults for absent keys.
 *
 * <p>Published checkpoints name many samplers of the one diffusion process (Stable Diffusion 1.5 names PNDM). They
 * share the noise schedule, so all of them run as DDIM on it, as {@code DDIMScheduler.from_config} does, and those of a
 * flow as {@code FlowMatchEulerDiscreteScheduler}. What changes the schedule, or what the network predicts, is obeyed
 * or refused by name. What concerns a sampler alone makes no difference.
 */
final class SchedulerConfig {
    /** Where the levels of a sampler lie, which the tables here choose by {@code timestep_spacing}; off by default. */
    private static final List<String> OTHER_LEVELS = List.of(
            "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas", "stochastic_sampling");

    /** All keys of diffusers' schedulers of either process. */
    private static final Set<String> KNOWN = Set.of(
            "algorithm_type",
            "base_image_seq_len",
            "base_shift",
            "beta_end",
            "beta_schedule",
            "beta_start",
            "clip_sample",
            "clip_sample_range",
            "corrector_order",
            "disable_corrector",
            "dynamic_thresholding_ratio",
            "eta",
            "euler_at_final",
            "final_sigmas_type",
            "flow_shift",
            "interpolation_type",
            "invert_sigmas",
            "lambda_min_clipped",
            "lower_order_final",
            "max_image_seq_len",
            "max_shift",
            "noise_sampler_seed",
            "num_train_timesteps",
            "original_inference_steps",
            "predict_x0",
            "prediction_type",
            "predictor_order",
            "rescale_betas_zero_snr",
            "sample_max_value",
            "scale_factors",
            "set_alpha_to_one",
            "shift",
            "shift_terminal",
            "sigma_data",
            "sigma_max",
            "sigma_min",
            "skip_prk_steps",
            "snr_shift_scale",
            "solver_order",
            "solver_p",
            "solver_type",
            "steps_offset",
            "stochastic_sampling",
            "tau_func",
            "tensor_format",
            "thresholding",
            "time_shift_type",
            "timestep_scaling",
            "timestep_spacing",
            "timestep_type",
            "trained_betas",
            "upscale_mode",
            "use_beta_sigmas",
            "use_dynamic_shifting",
            "use_exponential_sigmas",
            "use_flow_sigmas",
            "use_karras_sigmas",
            "use_lu_lambdas",
            "variance_type");

    private static final String FLOW = "FlowMatch"; // classes that begin so are of a flow
    private static final String FLOW_PREDICTION = "flow_prediction";

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

    /** What makes no difference though it is switched on or not known, each in a line. */
    List<String> remarks() {
        List<String> remarks = new ArrayList<>();
        for (String key : OTHER_LEVELS) {
            if (config.flag(key, false)) {
                remarks.add(FILE + ": " + key + " changes nothing: levels are those of "
                        + (isFlow() ? "the shift" : "timestep_spacing"));
            }
        }
        json.fieldNames().forEachRemaining(key -> {
            if (!key.startsWith("_") && !KNOWN.contains(key)) {
                remarks.add(FILE + ": " + key + " is not known and changes nothing");
            }
        });
        return remarks;
    }

    private String className() {
        return config.text("_class_name", "DDIMScheduler");
    }

    private boolean isFlow() {
        return className().startsWith(FLOW)
                || config.flag("use_flow_sigmas", false)
                || config.text("prediction_type", "").equals(FLOW_PREDICTION);
    }

    /** A flow of a class of its own, or of a multistep solver's that runs on a flow's levels. */
    private FlowMatchEulerScheduler flow(FlowMatchEulerScheduler.End inversionAt) {
        String shift = "shift";
        if (!className().startsWith(FLOW)) {
            shift = "flow_shift";
            if (!config.flag("use_flow_sigmas", false)) {
                throw refused("use_flow_sigmas", "true with flow_prediction", false, "choose another checkpoint");
            }
            String predicted = config.text("prediction_type", "epsilon");
            if (!predicted.equals(FLOW_PREDICTION)) {
                throw refused(
                        "prediction_type",
                        FLOW_PREDICTION + " with use_flow_sigmas",
                        predicted,
                        "correct what does not fit the network");
            }
        }
        off(
                "use_dynamic_shifting",
                "a shift that grows with the image is not supported: set it to false, and set shift"
                        + " to what suits the size");
        off("invert_sigmas", "set it to false: an inversion has a table of its own");
        if (config.has("shift_terminal")) {
            throw refused(
                    "shift_terminal", "absent", json.get("shift_terminal"), "remove it: the last step leads to 0");
        }
        return new FlowMatchEulerScheduler(
                new FlowSchedule(config.number(shift, 1), config.whole("num_train_timesteps", 1000)), inversionAt);
    }

    /** DDIM with the last level of DPM-Solver++: noiseless, unless {@code final_sigmas_type} says otherwise. */
    private DdimScheduler diffusionToZero() {
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
        String name = className();
        SchedulerDefaults defaults = SchedulerDefaults.of(name).orElseGet(() -> betasGiven(name));
        if (config.has("sigma_data")) {
            throw refused(
                    "sigma_data",
                    "absent",
                    json.get("sigma_data"),
                    "choose another checkpoint: the network's inputs and outputs are scaled by it");
        }
        String unbounded = "latents are not bounded as pixels are";
        if (config.flag("clip_sample", defaults.clipsSample())) {
            throw refused(
                    "clip_sample",
                    "false",
                    true,
                    "set it to false" + (config.has("clip_sample") ? "" : " (absent, it means true)") + ": "
                            + unbounded);
        }
        off("thresholding", "set it to false: " + unbounded);
        if (!config.text("timestep_type", "discrete").equals("discrete")) {
            throw refused("timestep_type", "discrete", json.get("timestep_type"), "choose another checkpoint");
        }
        if (config.number("snr_shift_scale", name.startsWith("CogVideoX") ? 3 : 1) != 1) {
            throw refused(
                    "snr_shift_scale",
                    "1",
                    config.has("snr_shift_scale") ? json.get("snr_shift_scale") : "absent, which means 3",
                    "write out the shifted betas as trained_betas");
        }
        NoiseSchedule noise = noiseSchedule(defaults);
        return new DdimScheduler(
                noise,
                choice("prediction_type", PredictionType.EPSILON),
                choice("timestep_spacing", TimestepSpacing.LEADING),
                config.whole("steps_offset", 0),
                config.flag("set_alpha_to_one", true) ? 1 : noise.alphaCumprod(0),
                name);
    }

    /** The defaults of a class that has none for betas, or that is not known: it takes what another sampler left. */
    private SchedulerDefaults betasGiven(String name) {
        if (!config.has("beta_schedule") && !config.has("trained_betas")) {
            throw refused(
                    "_class_name",
                    "a scheduler of the variance-preserving diffusion process, or of a flow (" + FLOW + "…)",
                    name,
                    "name the schedule that the network was trained with as beta_schedule, beta_start and beta_end, or"
                            + " use DDIMScheduler");
        }
        return SchedulerDefaults.of("EulerDiscreteScheduler").orElseThrow();
    }

    private NoiseSchedule noiseSchedule(SchedulerDefaults defaults) {
        int trained = config.whole("num_train_timesteps", 1000);
        if (trained < 1) {
            throw refused("num_train_timesteps", "at least 1", trained, "restore what the model was trained with");
        }
        double start = config.number("beta_start", defaults.betaStart());
        double end = config.number("beta_end", defaults.betaEnd());
        String shape =
                config.has("trained_betas") ? "trained_betas" : config.text("beta_schedule", defaults.betaSchedule());
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

    private void off(String key, String hint) {
        if (config.flag(key, false)) {
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
