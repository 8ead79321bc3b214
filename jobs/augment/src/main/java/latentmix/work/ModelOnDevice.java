package latentmix.work;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.util.Optional;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.inversion.InversionMethod;
import latentmix.model.AdaptableDenoiser;
import latentmix.model.Denoiser;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.TextEncoder;
import latentmix.model.TokenLearner;
import latentmix.model.Vae;
import latentmix.plan.ClassLabel;
import latentmix.plan.LoraTag;
import latentmix.schedule.Scheduler;
import latentmix.schedule.Solver;
import latentmix.table.AdaptersTable;
import latentmix.table.RunFolder;

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

    /**
     * The denoiser as a class's images are inverted and made with: the adapter that the class's prompt tells is in it.
     *
     * @param run has what was learnt
     * @param arrays for as long as these are open
     */
    public Denoiser denoiser(RunFolder run, ClassLabel label, NDManager arrays) throws IOException {
        Optional<String> adapter = LoraTag.adapter(label.prompt());
        return adapter.isEmpty()
                ? denoiser()
                : adaptable().with(new AdaptersTable(run, label.classId()).lora(adapter.get()), arrays);
    }

    /** The same as an inversion needs it: with gradients or without. */
    public Denoiser denoiser(InversionMethod method, RunFolder run, ClassLabel label, NDManager arrays)
            throws IOException {
        boolean plain = LoraTag.adapter(label.prompt()).isEmpty();
        return plain && method.needsGradients() ? differentiableDenoiser() : denoiser(run, label, arrays);
    }

    /** The denoiser that takes an adapter with each call. */
    public AdaptableDenoiser adaptable() {
        return Models.adaptableDenoiser(checkpoint, device, dtype);
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
