package latentmix.architecture;

import latentmix.torchscript.ScriptModule;

/**
 * A number as waves of many frequencies, and the two linear layers that embed it.
 *
 * <p><a href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/models/embeddings.py">diffusers'
 * embeddings.py</a>: {@code Timesteps} and {@code TimestepEmbedding}.
 *
 * @param cosinesFirst the order of the cosines and sines (flip_sin_to_cos)
 * @param frequencyShift the shift of the frequencies' exponent
 */
record TimestepEmbedding(boolean cosinesFirst, double frequencyShift) {
    /** Two linear layers with an activation between: (N, in) to (N, out). */
    static ScriptModule module(int in, int out, Activation activation) {
        return ScriptModule.named("TimestepEmbedding")
                .child("linear_1", Layers.linear(in, out))
                .child("linear_2", Layers.linear(out, out))
                .method(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          h = self.linear_1.forward(x)
                          return self.linear_2.forward(%s)
                        """
                                .formatted(activation.inPlace("h")));
    }

    /**
     * The text of a method of (timestep) with this name, which computes sines and cosines of t·exp(-ln(10000)·i/(half -
     * shift)), in float32 as the networks were trained, (N, width) of a scalar or (N).
     */
    String method(String name, int width) {
        int half = width / 2;
        return """
                def %s(self, timestep: Tensor) -> Tensor:
                  t = torch.unsqueeze(torch.reshape(timestep.to(6), [-1]), -1)
                  i = torch.arange(%d, dtype=6, device=t.device)
                  frequencies = torch.exp(torch.div(torch.mul(i, %s), %s))
                  angles = torch.mul(t, frequencies)
                  waves = torch.cat([torch.%s(angles), torch.%s(angles)], 1)
                  return torch.constant_pad_nd(waves, [0, %d])
                """
                .formatted(
                        name,
                        half,
                        -Math.log(10000),
                        half - frequencyShift,
                        cosinesFirst ? "cos" : "sin",
                        cosinesFirst ? "sin" : "cos",
                        width % 2);
    }
}
