package latentmix.checkpoint;

import java.util.Map;
import java.util.Optional;

/**
 * What a scheduler class of diffusers takes where its {@code scheduler_config.json} says nothing: whether it clips
 * samples, and the betas of its noise schedule.
 *
 * @see <a href="https://github.com/huggingface/diffusers/tree/v0.36.0/src/diffusers/schedulers">the classes</a>
 */
public record SchedulerDefaults(boolean clipsSample, double betaStart, double betaEnd, String betaSchedule) {
    /** Of most classes. */
    private static final SchedulerDefaults USUAL = new SchedulerDefaults(false, 0.0001, 0.02, "linear");

    private static final SchedulerDefaults CLIPPING = new SchedulerDefaults(true, 0.0001, 0.02, "linear");
    private static final SchedulerDefaults KARRAS = new SchedulerDefaults(false, 0.00085, 0.012, "linear");
    private static final SchedulerDefaults CONSISTENCY = new SchedulerDefaults(false, 0.00085, 0.012, "scaled_linear");
    private static final SchedulerDefaults VIDEO = new SchedulerDefaults(true, 0.00085, 0.012, "scaled_linear");
    private static final SchedulerDefaults COSINE = new SchedulerDefaults(true, 0, 0, "squaredcos_cap_v2");

    private static final Map<String, SchedulerDefaults> BY_CLASS = Map.ofEntries(
            Map.entry("CogVideoXDDIMScheduler", VIDEO),
            Map.entry("CogVideoXDPMScheduler", VIDEO),
            Map.entry("DDIMInverseScheduler", CLIPPING),
            Map.entry("DDIMParallelScheduler", CLIPPING),
            Map.entry("DDIMScheduler", CLIPPING),
            Map.entry("DDPMParallelScheduler", CLIPPING),
            Map.entry("DDPMScheduler", CLIPPING),
            Map.entry("DEISMultistepScheduler", USUAL),
            Map.entry("DPMSolverMultistepInverseScheduler", USUAL),
            Map.entry("DPMSolverMultistepScheduler", USUAL),
            Map.entry("DPMSolverSDEScheduler", KARRAS),
            Map.entry("DPMSolverSinglestepScheduler", USUAL),
            Map.entry("EulerAncestralDiscreteScheduler", USUAL),
            Map.entry("EulerDiscreteScheduler", USUAL),
            Map.entry("HeunDiscreteScheduler", KARRAS),
            Map.entry("KDPM2AncestralDiscreteScheduler", KARRAS),
            Map.entry("KDPM2DiscreteScheduler", KARRAS),
            Map.entry("LCMScheduler", CONSISTENCY),
            Map.entry("LMSDiscreteScheduler", USUAL),
            Map.entry("PNDMScheduler", USUAL),
            Map.entry("RePaintScheduler", CLIPPING),
            Map.entry("SASolverScheduler", USUAL),
            Map.entry("TCDScheduler", CONSISTENCY),
            Map.entry("UnCLIPScheduler", COSINE),
            Map.entry("UniPCMultistepScheduler", USUAL));

    /** The defaults of a class, if betas describe its noise schedule. */
    public static Optional<SchedulerDefaults> of(String className) {
        return Optional.ofNullable(BY_CLASS.get(className));
    }
}
