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

    static ScriptModule conv2dWithoutBias(int in, int out, int kernel, int stride, int padding) {
        return ScriptModule.named("Conv2dWithoutBias")
                .parameter("weight", out, in, kernel, kernel)
                .method(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return torch.conv2d(x, self.weight, None, [%d, %d], [%d, %d])
                        """
                                .formatted(stride, stride, padding, padding));
    }

    /**
     * Normalises each group of channels of each sample: (B, C, H, W) to the same.
     *
     * <p>libtorch's own kernel for channels_last maps below 1024 positions goes through a group's channels one by one
     * where they do not fill a vector of 8: up to seven times slower than means and squares of whole maps.
     */
    static ScriptModule groupNorm(int groups, int channels, double eps) {
        ScriptModule norm = norm("GroupNorm", channels);
        String plain = "return torch.group_norm(x, %d, self.weight, self.bias, %s)".formatted(groups, eps);
        if (channels / groups >= 8) {
            return norm.method("def forward(self, x: Tensor) -> Tensor:\n  " + plain + "\n");
        }
        return norm.method(
                """
                def forward(self, x: Tensor) -> Tensor:
                  if x.dtype != 6 or x.size(2) * x.size(3) >= 1024:
                    %1$s
                  mean = torch.mean(torch.unflatten(torch.mean(x, [2, 3]), 1, [%2$d, %3$d]), 2, True)
                  square = torch.mean(torch.unflatten(torch.mean(torch.mul(x, x), [2, 3]), 1, [%2$d, %3$d]), 2, True)
                  variance = torch.clamp_min(torch.addcmul(square, mean, mean, value=-1), 0)
                  weight = torch.unflatten(self.weight, 0, [%2$d, %3$d])
                  scale = torch.mul(torch.rsqrt(torch.add(variance, %4$s)), weight)
                  shift = torch.addcmul(torch.unflatten(self.bias, 0, [%2$d, %3$d]), mean, scale, value=-1)
                  shape = [x.size(0), x.size(1), 1, 1]
                  return torch.addcmul(torch.reshape(shift, shape), x, torch.reshape(scale, shape))
                """
                        .formatted(plain, groups, channels / groups, eps));
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

    /** Divides the last axis by its root mean square: (…, width) to the same. */
    static ScriptModule rmsNorm(int width, double eps) {
        return ScriptModule.named("RMSNorm")
                .parameter("weight", width)
                .method(
                        """
                def forward(self, x: Tensor) -> Tensor:
                  return torch.rms_norm(x, [%d], self.weight.to(x), %s)
                """
                                .formatted(width, eps));
    }

    private static ScriptModule norm(String type, int width) {
        return ScriptModule.named(type).parameter("weight", width).parameter("bias", width);
    }

    /** Looks ids up in a table: (…) of ids to (…, width). */
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
