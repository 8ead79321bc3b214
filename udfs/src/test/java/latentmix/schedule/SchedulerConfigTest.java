package latentmix.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SchedulerConfigTest {
    private static final String STABLE_DIFFUSION_15 =
            """
            {"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012,
             "beta_schedule": "scaled_linear", "beta_start": 0.00085, "num_train_timesteps": 1000,
             "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null,
             "clip_sample": false}
            """;

    @Test
    void aPublishedPndmConfigurationRunsAsDdimOnTheSameNoiseScheduleAndSaysSo() {
        Scheduler scheduler = of(STABLE_DIFFUSION_15);

        assertThat(scheduler.sampling(50))
                .isEqualTo(DdimSchedulerTest.golden("sd15-eps").sampling(50));
        assertThat(scheduler.inversion(50))
                .isEqualTo(DdimSchedulerTest.golden("sd15-eps").inversion(50));
        assertThat(scheduler.description())
                .isEqualTo("DDIM (in place of PNDMScheduler, on the same noise schedule), epsilon, leading spacing,"
                        + " 1000 trained timesteps");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"_class_name\": \"EulerDiscreteScheduler\", \"interpolation_type\": \"linear\","
                        + " \"use_karras_sigmas\": true, \"timestep_type\": \"discrete\"}",
                "{\"_class_name\": \"DPMSolverMultistepScheduler\", \"algorithm_type\": \"dpmsolver++\","
                        + " \"solver_order\": 2, \"lower_order_final\": true, \"use_flow_sigmas\": false}",
                "{\"_class_name\": \"DDPMScheduler\", \"variance_type\": \"fixed_small\", \"clip_sample\": false}",
                "{\"clip_sample\": false, \"trained_betas\": null, \"clip_sample_range\": 1.0}"
            })
    void absentKeysMeanDiffusersDefaults(String config) {
        DdimScheduler scheduler = (DdimScheduler) of(config);

        assertThat(scheduler.noise().trainTimesteps()).isEqualTo(1000);
        assertThat(scheduler.noise().beta(0)).isEqualTo(0.0001);
        assertThat(scheduler.noise().beta(999)).isEqualTo(0.02);
        assertThat(scheduler.prediction()).isEqualTo(PredictionType.EPSILON);
        assertThat(scheduler.spacing()).isEqualTo(TimestepSpacing.LEADING);
        assertThat(scheduler.stepsOffset()).isZero();
        assertThat(scheduler.finalAlphaCumprod()).isEqualTo(1);
    }

    @Test
    void trainedBetasReplaceTheNamedSchedule() {
        DdimScheduler scheduler = (DdimScheduler) of("{\"clip_sample\": false, \"num_train_timesteps\": 3,"
                + " \"beta_schedule\": \"something of its own\", \"trained_betas\": [0.1, 0.2, 0.3]}");

        assertThat(scheduler.noise().alphaCumprod(2)).isEqualTo(0.9 * (1 - 0.2) * (1 - 0.3));
        assertThat(scheduler.sampling(3)).extracting(Step::timestep).containsExactly(2.0, 1.0, 0.0);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    "clip_sample": true                               | clip_sample must be false
                    "clip_sample": false, "thresholding": true        | thresholding must be false
                    "clip_sample": false, "prediction_type": "velocity" \
                        | prediction_type must be one of [epsilon, v_prediction, sample], cannot be: velocity
                    "clip_sample": false, "timestep_spacing": "karras" \
                        | timestep_spacing must be one of [leading, trailing, linspace], cannot be: karras
                    "clip_sample": false, "beta_schedule": "sigmoid" \
                        | beta_schedule must be linear, scaled_linear or squaredcos_cap_v2, cannot be: sigmoid
                    "clip_sample": false, "rescale_betas_zero_snr": true       | cannot be: epsilon
                    "clip_sample": false, "steps_offset": -1          | steps_offset must be at least 0, cannot be: -1
                    "clip_sample": false, "steps_offset": "one" \
                        | steps_offset must be a whole number, cannot be: "one"
                    "clip_sample": "no" \
                        | clip_sample must be true or false, cannot be: "no"
                    "clip_sample": false, "num_train_timesteps": 0 \
                        | num_train_timesteps must be at least 1, cannot be: 0
                    "clip_sample": false, "beta_end": 1.5             | A beta must be in [0, 1)
                    "clip_sample": false, "trained_betas": [0.1]      | trained_betas must be 1000 numbers, cannot be: 1
                    "clip_sample": false, "timestep_type": "continuous"        | timestep_type must be discrete
                    "clip_sample": false, "use_flow_sigmas": true \
                        | prediction_type must be flow_prediction with use_flow_sigmas, cannot be: epsilon
                    "prediction_type": "flow_prediction"              | use_flow_sigmas must be true with flow_prediction
                    "_class_name": "CogVideoXDDIMScheduler", "clip_sample": false \
                        | snr_shift_scale must be 1, cannot be: absent, which means 3
                    "clip_sample": false, "snr_shift_scale": 2.0      | snr_shift_scale must be 1, cannot be: 2.0
                    "_class_name": "EDMEulerScheduler", "beta_schedule": "linear", "sigma_data": 0.5 \
                        | sigma_data must be absent, cannot be: 0.5
                    "_class_name": "IPNDMScheduler"                   | _class_name must be a scheduler of the variance
                    "_class_name": "ScoreSdeVeScheduler"              | cannot be: ScoreSdeVeScheduler; name the schedule
                    "_class_name": "HeunDiscreteScheduler", "beta_schedule": "exp" | beta_schedule must be linear
                    """)
    void settingsThatAreNotSupportedAreRefusedByName(String settings, String message) {
        assertThatThrownBy(() -> of("{" + settings + "}"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aFlowIsItsShiftAlone() {
        Scheduler scheduler = of("{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\","
                + " \"_diffusers_version\": \"0.29.0\", \"num_train_timesteps\": 1000, \"shift\": 3.0}");

        assertThat(scheduler)
                .isEqualTo(new FlowMatchEulerScheduler(new FlowSchedule(3, 1000), FlowMatchEulerScheduler.End.SOURCE));
        assertThat(of("{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\"}").description())
                .isEqualTo("Euler, inverted at the source, rectified flow, shift 1.0, 1000 trained timesteps");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                "use_dynamic_shifting": true    | use_dynamic_shifting must be false
                "invert_sigmas": true           | invert_sigmas must be false
                "shift_terminal": 0.1           | shift_terminal must be absent, cannot be: 0.1
                "shift": -1                     | shift must be above 0, cannot be: -1.0
                "shift": "three"                | shift must be a number, cannot be: "three"
                """)
    void settingsOfAFlowThatAreNotSupportedAreRefusedByName(String setting, String message) {
        assertThatThrownBy(() -> of("{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", " + setting + "}"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @EnumSource
    void aSolverSuitsTheProcessOrIsRefusedWithWhatToDo(Solver solver) {
        String flow = "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\"}";
        List<Solver> ofDiffusion = List.of(Solver.DDIM, Solver.DPM_SOLVER_2M, Solver.DPM_SOLVER_3M);
        String suited = ofDiffusion.contains(solver) ? STABLE_DIFFUSION_15 : flow;
        String other = ofDiffusion.contains(solver) ? flow : STABLE_DIFFUSION_15;

        assertThat(of(suited, solver).solver()).isEqualTo(solver);
        assertThat(Solver.parse(solver.toString())).isEqualTo(solver);
        assertThatThrownBy(() -> of(other, solver))
                .hasMessageContaining("cannot be: " + solver + "; choose ")
                .hasMessageEndingWith(
                        ofDiffusion.contains(solver)
                                ? "choose euler, midpoint or fireflow, or leave it out"
                                : "choose ddim or dpm-solver++(2m), or leave it out");
    }

    @Test
    void aSolverThatIsNotKnownIsRefused() {
        assertThatThrownBy(() -> Solver.parse("heun"))
                .hasMessage("A solver must be one of ddim, dpm-solver++(2m), dpm-solver++(3m), euler, euler-at-target,"
                        + " midpoint, fireflow, cannot be: heun");
    }

    /** As diffusers' from_config: a noiseless end, whatever DDIM's was, unless it says otherwise. */
    @Test
    void theLastLevelOfDpmSolverIsThatOfFinalSigmasType() {
        String sigmaMin = STABLE_DIFFUSION_15.replace("}", ", \"final_sigmas_type\": \"sigma_min\"}");

        assertThat(lastLevel(STABLE_DIFFUSION_15)).isEqualTo(1);
        assertThat(lastLevel(sigmaMin)).isCloseTo(1 - 0.00085, within(1e-15));
    }

    private static double lastLevel(String config) {
        return ((DpmSolverMultistepScheduler) of(config, Solver.DPM_SOLVER_2M))
                .firstOrder()
                .finalAlphaCumprod();
    }

    @Test
    void aLastLevelThatIsNotKnownIsRefusedForDpmSolver() {
        String config = "{\"_class_name\": \"DPMSolverMultistepScheduler\", \"final_sigmas_type\": \"karras\"}";

        assertThatThrownBy(() -> of(config, Solver.DPM_SOLVER_2M))
                .hasMessageContaining("final_sigmas_type must be zero or sigma_min, cannot be: karras");
    }

    /** The tables here are their own: where a checkpoint's sampler put its levels is said, and changes none. */
    @ParameterizedTest
    @CsvSource({
        "use_karras_sigmas, true",
        "use_lu_lambdas, true",
        "use_beta_sigmas, true",
        "use_exponential_sigmas, true",
        "stochastic_sampling, true",
        "snr_weighting, 5"
    })
    void aSettingOfAnotherSamplersLevelsAndOneThatIsNotKnownAreSaidAndWithoutEffect(String key, String value) {
        String set = ", \"" + key + "\": " + value + "}";
        String unset = "{\"_class_name\": \"DPMSolverMultistepScheduler\"}";
        String flow = "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\"}";

        for (String config : List.of(unset, flow)) {
            assertThat(of(config.replace("}", set)).sampling(10))
                    .isEqualTo(of(config).sampling(10));
            assertThat(Scheduler.remarks(json(config.replace("}", set))))
                    .singleElement()
                    .asString()
                    .startsWith("scheduler_config.json: " + key + " ")
                    .contains("changes nothing");
            assertThat(Scheduler.remarks(json(config))).isEmpty();
        }
        assertThat(of(unset.replace("}", set), Solver.DPM_SOLVER_2M).sampling(10))
                .isEqualTo(of(unset, Solver.DPM_SOLVER_2M).sampling(10));
    }

    /** As Python writes what clips no level, and what clips some. */
    @ParameterizedTest
    @ValueSource(strings = {"-1e400", "-5.1"})
    void theLevelsThatAnotherSolverClipsAreOursAll(String clipped) {
        String config = "{\"_class_name\": \"DPMSolverMultistepScheduler\", \"lambda_min_clipped\": " + clipped + "}";

        assertThat(of(config, Solver.DPM_SOLVER_2M).sampling(10))
                .isEqualTo(of("{\"_class_name\": \"DPMSolverMultistepScheduler\"}", Solver.DPM_SOLVER_2M)
                        .sampling(10));
    }

    /** ᾱ of timesteps 0, 500 and 999 as diffusers 0.42.1 computes them in float32 for the class's own defaults. */
    @ParameterizedTest
    @CsvSource({
        "CogVideoXDDIMScheduler, 0.99915, 0.276332684, 0.00466009851",
        "DDIMInverseScheduler, 0.999899983, 0.0777966529, 4.03583035e-05",
        "DDIMParallelScheduler, 0.999899983, 0.0777966529, 4.03583035e-05",
        "DDIMScheduler, 0.999899983, 0.0777966529, 4.03583035e-05",
        "DDPMParallelScheduler, 0.999899983, 0.0777966529, 4.03583035e-05",
        "DDPMScheduler, 0.999899983, 0.0777966529, 4.03583035e-05",
        "DEISMultistepScheduler, 0.999899983, 0.0777966529, 4.03583035e-05",
        "DPMSolverMultistepInverseScheduler, 0.999899983, 0.0777966529, 4.03583035e-05",
        "DPMSolverMultistepScheduler, 0.999899983, 0.0777966529, 4.03583035e-05",
        "DPMSolverSDEScheduler, 0.999149978, 0.160771623, 0.00157896278",
        "DPMSolverSinglestepScheduler, 0.999899983, 0.0777966529, 4.03583035e-05",
        "EulerAncestralDiscreteScheduler, 0.999899983, 0.0777966529, 4.03583035e-05",
        "EulerDiscreteScheduler, 0.999899983, 0.0777966529, 4.03583035e-05",
        "HeunDiscreteScheduler, 0.999149978, 0.160771623, 0.00157896278",
        "KDPM2AncestralDiscreteScheduler, 0.999149978, 0.160771623, 0.00157896278",
        "KDPM2DiscreteScheduler, 0.999149978, 0.160771623, 0.00157896278",
        "LCMScheduler, 0.999149978, 0.276332468, 0.00466009509",
        "LMSDiscreteScheduler, 0.999899983, 0.0777966529, 4.03583035e-05",
        "PNDMScheduler, 0.999899983, 0.0777966529, 4.03583035e-05",
        "RePaintScheduler, 0.999899983, 0.0777966529, 4.03583035e-05",
        "SASolverScheduler, 0.999899983, 0.0777966529, 4.03583035e-05",
        "TCDScheduler, 0.999149978, 0.276332468, 0.00466009509",
        "UnCLIPScheduler, 0.999958694, 0.492285043, 2.42873499e-09",
        "UniPCMultistepScheduler, 0.999899983, 0.0777966529, 4.03583035e-05"
    })
    void everySchedulerIsReadForItsNoiseSchedule(String name, double first, double middle, double last) {
        String config = "{\"_class_name\": \"" + name + "\", \"clip_sample\": false, \"snr_shift_scale\": 1}";
        NoiseSchedule noise = ((DdimScheduler) of(config)).noise();

        assertThat(noise.alphaCumprod(0)).isCloseTo(first, within(1e-6));
        assertThat(noise.alphaCumprod(500)).isCloseTo(middle, within(1e-6));
        assertThat(noise.alphaCumprod(999)).isCloseTo(last, within(1e-7));
        assertThat(of(STABLE_DIFFUSION_15.replace("PNDMScheduler", name).replace("}", ", \"snr_shift_scale\": 1}"))
                        .sampling(50))
                .isEqualTo(of(STABLE_DIFFUSION_15).sampling(50));
    }

    /** A class without betas of its own takes what the sampler before it left in the file, as diffusers saves it. */
    @ParameterizedTest
    @ValueSource(strings = {"IPNDMScheduler", "SomeNewScheduler"})
    void aClassThatIsNotKnownIsReadByTheBetasThatAreWritten(String name) {
        assertThat(of(STABLE_DIFFUSION_15.replace("PNDMScheduler", name)).sampling(50))
                .isEqualTo(of(STABLE_DIFFUSION_15).sampling(50));
    }

    @ParameterizedTest
    @CsvSource({
        "FlowMatchHeunDiscreteScheduler, shift, ",
        "FlowMatchLCMScheduler, shift, ",
        "UniPCMultistepScheduler, flow_shift, flow_prediction",
        "DPMSolverMultistepScheduler, flow_shift, flow_prediction"
    })
    void everySchedulerOfAFlowIsReadForItsShift(String name, String key, String prediction) {
        String more =
                prediction == null ? "" : ", \"use_flow_sigmas\": true, \"prediction_type\": \"" + prediction + "\"";

        assertThat(of("{\"_class_name\": \"" + name + "\", \"" + key + "\": 3.0" + more + "}"))
                .isEqualTo(of("{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"shift\": 3.0}"));
    }

    @Test
    void anAbsentClipSampleMeansTrueForTheSchedulersThatClip() {
        assertThatThrownBy(() -> of("{\"_class_name\": \"DDIMScheduler\"}"))
                .hasMessage(
                        "scheduler_config.json: clip_sample must be false, cannot be: true; set it to false (absent,"
                                + " it means true): latents are not bounded as pixels are");
    }

    private static Scheduler of(String config) {
        return Scheduler.of(json(config));
    }

    private static Scheduler of(String config, Solver solver) {
        return Scheduler.of(json(config), solver);
    }

    private static JsonNode json(String config) {
        try {
            return new ObjectMapper().readTree(config);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
