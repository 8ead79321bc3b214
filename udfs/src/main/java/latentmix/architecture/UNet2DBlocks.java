package latentmix.architecture;

import java.util.List;
import latentmix.torchscript.ScriptModule;

/**
 * The levels of U-Nets and autoencoders, put together from residual blocks, attentions and resampling.
 *
 * <p><a
 * href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/models/unets/unet_2d_blocks.py">diffusers'
 * unet_2d_blocks.py</a>.
 */
final class UNet2DBlocks {
    private UNet2DBlocks() {}

    /**
     * CrossAttnDownBlock2D, or DownBlock2D without attentions: forward(x, temb, encoder_hidden_states) to the list of
     * states after each residual block (and attention) and after the downsampler; the last one goes on.
     */
    static ScriptModule down(
            String type, List<ScriptModule> resnets, List<ScriptModule> attentions, List<ScriptModule> downsamplers) {
        StringBuilder text = new StringBuilder(
                """
                def forward(self, x: Tensor, temb: Tensor, encoder_hidden_states: Tensor) -> List[Tensor]:
                  states = annotate(List[Tensor], [])
                """);
        for (int i = 0; i < resnets.size(); i++) {
            text.append(resnet(i, "x, temb"));
            if (!attentions.isEmpty()) {
                text.append(attention(i));
            }
            text.append("  states.append(x)\n");
        }
        if (!downsamplers.isEmpty()) {
            text.append("  states.append(getattr(self.downsamplers, \"0\").forward(x))\n");
        }
        return members(type, resnets, attentions)
                .child("downsamplers", ScriptModule.list(downsamplers))
                .method(text + "  return states\n");
    }

    /** UNetMidBlock2DCrossAttn: one residual block more than attentions: forward(x, temb, encoder_hidden_states). */
    static ScriptModule mid(List<ScriptModule> resnets, List<ScriptModule> attentions) {
        StringBuilder text = new StringBuilder(
                "def forward(self, x: Tensor, temb: Tensor, encoder_hidden_states: Tensor) -> Tensor:\n"
                        + resnet(0, "x, temb"));
        for (int i = 0; i < attentions.size(); i++) {
            text.append(attention(i)).append(resnet(i + 1, "x, temb"));
        }
        return members("UNetMidBlock2DCrossAttn", resnets, attentions).method(text + "  return x\n");
    }

    /**
     * CrossAttnUpBlock2D, or UpBlock2D without attentions: forward(x, states, temb, encoder_hidden_states); every
     * residual block takes the last state off the list, and the upsampler goes to the size of the one then last.
     */
    static ScriptModule up(
            String type, List<ScriptModule> resnets, List<ScriptModule> attentions, List<ScriptModule> upsamplers) {
        StringBuilder text = new StringBuilder("def forward(self, x: Tensor, states: List[Tensor], temb: Tensor,"
                + " encoder_hidden_states: Tensor) -> Tensor:\n");
        for (int i = 0; i < resnets.size(); i++) {
            text.append("  x = torch.cat([x, states.pop()], 1)\n").append(resnet(i, "x, temb"));
            if (!attentions.isEmpty()) {
                text.append(attention(i));
            }
        }
        if (!upsamplers.isEmpty()) {
            text.append(
                    """
                      size = torch.size(states[-1])
                      x = getattr(self.upsamplers, "0").forward(x, [size[2], size[3]])
                    """);
        }
        return members(type, resnets, attentions)
                .child("upsamplers", ScriptModule.list(upsamplers))
                .method(text + "  return x\n");
    }

    /** DownEncoderBlock2D: forward(x). */
    static ScriptModule downEncoder(List<ScriptModule> resnets, List<ScriptModule> downsamplers) {
        StringBuilder text = new StringBuilder("def forward(self, x: Tensor) -> Tensor:\n");
        for (int i = 0; i < resnets.size(); i++) {
            text.append(resnet(i, "x"));
        }
        if (!downsamplers.isEmpty()) {
            text.append("  x = getattr(self.downsamplers, \"0\").forward(x)\n");
        }
        return members("DownEncoderBlock2D", resnets, List.of())
                .child("downsamplers", ScriptModule.list(downsamplers))
                .method(text + "  return x\n");
    }

    /** UNetMidBlock2D: two residual blocks with at most one attention between: forward(x). */
    static ScriptModule midEncoder(List<ScriptModule> resnets, List<ScriptModule> attentions) {
        String between = attentions.isEmpty() ? "" : "  x = getattr(self.attentions, \"0\").forward(x)\n";
        return members("UNetMidBlock2D", resnets, attentions)
                .method("def forward(self, x: Tensor) -> Tensor:\n" + resnet(0, "x") + between + resnet(1, "x")
                        + "  return x\n");
    }

    /** UpDecoderBlock2D, which doubles both sides where there is an upsampler: forward(x). */
    static ScriptModule upDecoder(List<ScriptModule> resnets, List<ScriptModule> upsamplers) {
        StringBuilder text = new StringBuilder("def forward(self, x: Tensor) -> Tensor:\n");
        for (int i = 0; i < resnets.size(); i++) {
            text.append(resnet(i, "x"));
        }
        if (!upsamplers.isEmpty()) {
            text.append(
                    """
                      size = torch.size(x)
                      x = getattr(self.upsamplers, "0").forward(x, [2 * size[2], 2 * size[3]])
                    """);
        }
        return members("UpDecoderBlock2D", resnets, List.of())
                .child("upsamplers", ScriptModule.list(upsamplers))
                .method(text + "  return x\n");
    }

    private static ScriptModule members(String type, List<ScriptModule> resnets, List<ScriptModule> attentions) {
        return ScriptModule.named(type)
                .child("resnets", ScriptModule.list(resnets))
                .child("attentions", ScriptModule.list(attentions));
    }

    private static String resnet(int i, String arguments) {
        return "  x = getattr(self.resnets, \"" + i + "\").forward(" + arguments + ")\n";
    }

    private static String attention(int i) {
        return "  x = getattr(self.attentions, \"" + i + "\").forward(x, encoder_hidden_states)\n";
    }
}
