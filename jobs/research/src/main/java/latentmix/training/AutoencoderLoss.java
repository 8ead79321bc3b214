package latentmix.training;

import java.util.Locale;
import java.util.Map;
import latentmix.architecture.AutoencoderKL;
import latentmix.architecture.Part;
import latentmix.torchscript.ScriptModule;

/**
 * An autoencoder's halves and its loss as one program: with z = mean + exp(logvar/2)·noise and x' = decode(z), |x' − x|
 * + 2·(x' − x)² + edges·|∇x' − ∇x| + kl·(mean² + exp(logvar) − 1 − logvar)/2, each averaged over its entries; ∇ are
 * differences of neighbouring pixels.
 *
 * <p>The bound of <a href="https://arxiv.org/abs/1312.6114">Kingma and Welling</a> with a small weight on its second
 * term, as in <a href="https://arxiv.org/abs/2112.10752">latent diffusion</a>; edges keep pictures sharp without an
 * adversary.
 */
final class AutoencoderLoss {
    private AutoencoderLoss() {}

    /** forward(images (B, C, H, W) in [-1, 1], noise (B, c, h, w)) to [loss, absolute, squared, edges, kl]. */
    static ScriptModule of(AutoencoderKL autoencoder, double kl, double edges) {
        Map<Part, ScriptModule> parts = autoencoder.parts();
        ScriptModule encoder = parts.get(Part.ENCODER);
        ScriptModule decoder = parts.get(Part.DECODER);
        ScriptModule both = ScriptModule.named("AutoencoderLoss");
        for (ScriptModule half : new ScriptModule[] {encoder, decoder}) {
            for (Map.Entry<String, ScriptModule> child : half.children().entrySet()) {
                both = both.child(child.getKey(), child.getValue());
            }
        }
        return both.method(encoder.methods().replace("def forward(", "def encode("))
                .method(decoder.methods().replace("def forward(", "def decode("))
                .method(String.format(
                        Locale.ROOT,
                        """
                        def forward(self, images: Tensor, noise: Tensor) -> List[Tensor]:
                          moments = self.encode(images)
                          mean = moments[0]
                          logvar = moments[1]
                          decoded = self.decode(torch.add(mean, torch.mul(torch.exp(torch.mul(logvar, 0.5)), noise)))
                          error = torch.sub(decoded, images)
                          absolute = torch.mean(torch.abs(error))
                          squared = torch.mean(torch.pow(error, 2))
                          edges = torch.add(torch.mean(torch.abs(torch.diff(error, 1, 2))), \
                        torch.mean(torch.abs(torch.diff(error, 1, 3))))
                          kl = torch.mul(torch.mean(torch.sub(torch.sub(torch.add(torch.pow(mean, 2), \
                        torch.exp(logvar)), 1), logvar)), 0.5)
                          loss = torch.add(torch.add(absolute, squared, alpha=2), torch.add(torch.mul(edges, \
                        %s), kl, alpha=%s))
                          return [loss, absolute, squared, edges, kl]
                        """,
                        edges,
                        kl));
    }
}
