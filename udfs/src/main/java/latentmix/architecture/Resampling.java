package latentmix.architecture;

import latentmix.torchscript.ScriptModule;

/** The layers that halve and double an image's sides: diffusers' Downsample2D and Upsample2D. */
final class Resampling {
    private Resampling() {}

    /** A 3×3 convolution of stride 2; padding 0 means zeros at the right and bottom alone. */
    static ScriptModule downsample2D(int channels, int padding) {
        return ScriptModule.named("Downsample2D")
                .child("conv", Layers.conv2d(channels, channels, 3, 2, padding))
                .method(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return self.conv.forward(%s)
                        """
                                .formatted(padding == 0 ? "torch.constant_pad_nd(x, [0, 1, 0, 1])" : "x"));
    }

    /** Nearest neighbours to the given (H, W), then a 3×3 convolution: forward(x, size). */
    static ScriptModule upsample2D(int channels) {
        return ScriptModule.named("Upsample2D")
                .child("conv", Layers.conv2d(channels, channels, 3))
                .method(
                        """
                        def forward(self, x: Tensor, size: List[int]) -> Tensor:
                          return self.conv.forward(torch.upsample_nearest2d(x, size))
                        """);
    }
}
