package latentmix.architecture;

import latentmix.torchscript.ScriptModule;

/**
 * A residual block: shortcut(x) + conv2 act norm2 (conv1 act norm1 x + time).
 *
 * <p><a href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/models/resnet.py">diffusers'
 * resnet.py</a>.
 */
record ResnetBlock2D(int groups, double eps, Activation activation) {
    /** Without a time embedding: forward(x), (B, in, H, W) to (B, out, H, W). */
    ScriptModule module(int in, int out) {
        return forward(layers(in, out), in, out, "x: Tensor", "", 1);
    }

    /**
     * With a time embedding: forward(x, temb), x (B, in, H, W), temb (B or 1, width), to (B, out, H, W); the sum is
     * divided by scale.
     */
    ScriptModule module(int in, int out, int temb, double scale) {
        ScriptModule block = layers(in, out).child("time_emb_proj", Layers.linear(temb, out));
        String time = "  t = self.time_emb_proj.forward(" + activation.call("temb") + ")\n"
                + "  h = torch.add_(h, torch.unsqueeze(torch.unsqueeze(t, -1), -1))\n";
        return forward(block, in, out, "x: Tensor, temb: Tensor", time, scale);
    }

    private ScriptModule layers(int in, int out) {
        ScriptModule block = ScriptModule.named("ResnetBlock2D")
                .child("norm1", Layers.groupNorm(groups, in, eps))
                .child("conv1", Layers.conv2d(in, out, 3))
                .child("norm2", Layers.groupNorm(groups, out, eps))
                .child("conv2", Layers.conv2d(out, out, 3));
        return in == out ? block : block.child("conv_shortcut", Layers.conv2d(in, out, 1));
    }

    private ScriptModule forward(ScriptModule block, int in, int out, String arguments, String time, double scale) {
        String shortcut = in == out ? "x" : "self.conv_shortcut.forward(x)";
        String sum = "torch.add_(h, " + shortcut + ")";
        return block.method("def forward(self, " + arguments + ") -> Tensor:\n"
                + "  h = self.norm1.forward(x)\n"
                + "  h = self.conv1.forward(" + activation.inPlace("h") + ")\n"
                + time
                + "  h = self.norm2.forward(h)\n"
                + "  h = self.conv2.forward(" + activation.inPlace("h") + ")\n"
                + "  return " + (scale == 1 ? sum : "torch.div_(" + sum + ", " + scale + ")") + "\n");
    }
}
