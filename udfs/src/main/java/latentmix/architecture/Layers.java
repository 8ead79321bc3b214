package latentmix.architecture;

import latentmix.torchscript.ScriptModule;

/** The layers of torch.nn that the networks are made of. */
final class Layers {
    private Layers() {}

    /** y = x Wᵀ + b: (…, in) to (…, out). */
    static ScriptModule linear(int in, int out) {
        return ScriptModule.named("Linear")
                .parameter("weight", out, in)
                .parameter("bias", out)
                .method(
                        """
                def forward(self, x: Tensor) -> Tensor:
                  return torch.linear(x, self.weight, self.bias)
                """);
    }

    /** y = x Wᵀ: (…, in) to (…, out). */
    static ScriptModule linearWithoutBias(int in, int out) {
        return ScriptModule.named("LinearWithoutBias")
                .parameter("weight", out, in)
                .method(
                        """
                def forward(self, x: Tensor) -> Tensor:
                  return torch.linear(x, self.weight)
                """);
    }

    /** A convolution of odd kernel size that keeps (H, W): (B, in, H, W) to (B, out, H, W). */
    static ScriptModule conv2d(int in, int out, int kernel) {
        return conv2d(in, out, kernel, 1, kernel / 2);
    }

    static ScriptModule conv2d(int in, int out, int kernel, int stride, int padding) {
        return ScriptModule.named("Conv2d")
                .parameter("weight", out, in, kernel, kernel)
                .parameter("bias", out)
                .method(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return torch.conv2d(x, self.weight, self.bias, [%d, %d], [%d, %d])
                        """
                                .formatted(stride, stride, padding, padding));
    }

    /** Normalises each group of channels of each sample: (B, C, …) to the same. */
    static ScriptModule groupNorm(int groups, int channels, double eps) {
        return norm("GroupNorm", channels)
                .method(
                        """
                def forward(self, x: Tensor) -> Tensor:
                  return torch.group_norm(x, %d, self.weight, self.bias, %s)
                """
                                .formatted(groups, eps));
    }

    /** Normalises the last axis: (…, width) to the same. */
    static ScriptModule layerNorm(int width, double eps) {
        return norm("LayerNorm", width)
                .method(
                        """
                def forward(self, x: Tensor) -> Tensor:
                  return torch.layer_norm(x, [%d], self.weight, self.bias, %s)
                """
                                .formatted(width, eps));
    }

    private static ScriptModule norm(String type, int width) {
        return ScriptModule.named(type).parameter("weight", width).parameter("bias", width);
    }

    /** Rows of a table: (…) of ids to (…, width). */
    static ScriptModule embedding(int rows, int width) {
        return ScriptModule.named("Embedding")
                .parameter("weight", rows, width)
                .method(
                        """
                def forward(self, ids: Tensor) -> Tensor:
                  return torch.embedding(self.weight, ids)
                """);
    }
}
