package latentmix.training;

import latentmix.architecture.ClipTextModel;
import latentmix.architecture.Part;
import latentmix.architecture.UNet2DConditionModel;
import latentmix.torchscript.ScriptModule;

/**
 * A U-Net and its text encoder with their loss as one program: the mean squared error of the noise that they find in
 * √ᾱ_t·x + √(1−ᾱ_t)·noise, each image's by its weight.
 *
 * <p><a href="https://arxiv.org/abs/2006.11239">Ho et al., Equation 14</a>. Prompts are encoded once a step, however
 * many images have them.
 */
final class DenoiserLoss {
    private DenoiserLoss() {}

    /**
     * forward(latents (B, C, h, w), noise (B, C, h, w), signal (B, 1, 1, 1), deviation (B, 1, 1, 1), timestep (B),
     * input_ids (P, L) int64, attention_mask (P, L) int64, prompt (B) int64, a place in input_ids, weight (B, 1, 1, 1))
     * to [loss].
     */
    static ScriptModule of(UNet2DConditionModel unet, ClipTextModel text) {
        return ScriptModule.named("DenoiserLoss")
                .child("unet", unet.parts().get(Part.DENOISER))
                .child("text_encoder", text.parts().get(Part.TEXT_ENCODER))
                .method(
                        """
                        def forward(self, latents: Tensor, noise: Tensor, signal: Tensor, deviation: Tensor, \
                        timestep: Tensor, input_ids: Tensor, attention_mask: Tensor, prompt: Tensor, \
                        weight: Tensor) -> List[Tensor]:
                          embeds = torch.index_select(self.text_encoder.forward(input_ids, \
                        attention_mask)[0], 0, prompt)
                          noisy = torch.add(torch.mul(signal, latents), torch.mul(deviation, noise))
                          found = self.unet.forward(noisy, timestep, embeds)
                          return [torch.mean(torch.mul(weight, torch.pow(torch.sub(found, noise), 2)))]
                        """);
    }
}
