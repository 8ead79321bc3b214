package latentmix.work;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.inversion.InversionMethod;
import latentmix.model.Denoiser;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.TextEncoder;
import latentmix.model.TokenLearner;
import latentmix.model.Vae;
import latentmix.schedule.Scheduler;
import latentmix.schedule.Solver;

/** A checkpoint, the device a task was given and the precision it runs in; parts load when first asked for. */
public record ModelOnDevice(CheckpointFolder checkpoint, Device device, Dtype dtype) {
    /** The same, which must be the checkpoint that the driver planned with. */
    public ModelOnDevice expecting(String fingerprint) {
        if (!checkpoint.fingerprint().equals(fingerprint)) {
            throw new CheckpointException("expected the checkpoint that the driver read, of fingerprint " + fingerprint
                    + ", but on this machine " + checkpoint.path() + " has " + checkpoint.fingerprint()
                    + "; put the same files onto every machine");
        }
        return this;
    }

    public Denoiser denoiser() {
        return Models.denoiser(checkpoint, device, dtype);
    }

    /** The denoiser as an inversion needs it: with gradients or without. */
    public Denoiser denoiser(InversionMethod method) {
        return method.needsGradients() ? differentiableDenoiser() : denoiser();
    }

    /** The denoiser, whose prompts' gradients can be asked for. */
    public Denoiser differentiableDenoiser() {
        return Models.differentiableDenoiser(checkpoint, device, dtype);
    }

    /** The text encoders with a token that is learnt; the caller closes them. */
    public TokenLearner tokenLearner(TokenLearner.Token token) {
        return Models.tokenLearner(checkpoint, device, dtype, token);
    }

    public Vae encoder() {
        return Models.encoder(checkpoint, device, dtype);
    }

    public Vae decoder() {
        return Models.decoder(checkpoint, device, dtype);
    }

    /** The process' own. */
    public Scheduler scheduler() {
        return Scheduler.of(checkpoint.schedulerConfig());
    }

    public Scheduler scheduler(Solver solver) {
        return Scheduler.of(checkpoint.schedulerConfig(), solver);
    }

    /** The tokenizer and text encoder; the caller closes it. */
    public TextEncoder textEncoder() {
        return Models.textEncoder(checkpoint, device, dtype);
    }

    /** The arrays of one task: the caller closes it. */
    public NDManager arrays() {
        return NDManager.newBaseManager(device, "PyTorch");
    }
}
