package latentmix.training;

import latentmix.torchscript.ScriptModule;

/**
 * A step of AdamW with the gradient's norm clipped, and of the weights' exponential moving average, over all parameters
 * at once, in libtorch's own fused kernels.
 *
 * <p>g is scaled by min(1, max_norm/(‖g‖ + 1e-6)) over all parameters together; then <a
 * href="https://arxiv.org/abs/1711.05101">Loshchilov and Hutter</a>, θ ← θ − lr·λ·θ, θ ← θ − lr·m̂/(√v̂ + 1e-8); then
 * ema ← decay·ema + (1 − decay)·θ.
 */
final class AdamW {
    private static final double BETA_1 = 0.9;
    private static final double BETA_2 = 0.99;
    private static final double EPS = 1e-8;

    private AdamW() {}

    /**
     * forward(parameters, gradients, first moments, second moments, averages, step, lr, weight_decay, max_norm, decay):
     * lists of equal length, changed in place, gradients to 0; step a float32 scalar from 1 on; to the gradient's norm
     * before it was clipped.
     */
    static ScriptModule module() {
        return ScriptModule.named("AdamW")
                .method(
                        """
                        def forward(self, weights: List[Tensor], grads: List[Tensor], exp_avgs: List[Tensor], \
                        exp_avg_sqs: List[Tensor], averages: List[Tensor], step: Tensor, lr: float, \
                        weight_decay: float, max_norm: float, decay: float) -> Tensor:
                          norm = torch.linalg_vector_norm(torch.stack(torch._foreach_norm(grads, 2)), 2)
                          torch._foreach_mul_(grads, torch.clamp(torch.div(max_norm, torch.add(norm, 1e-06)), None, 1.))
                          steps = annotate(List[Tensor], [])
                          for _ in range(torch.len(weights)):
                            steps.append(step)
                          torch._fused_adamw_(weights, grads, exp_avgs, exp_avg_sqs, annotate(List[Tensor], \
                        []), steps, lr=lr, beta1=%s, beta2=%s, weight_decay=weight_decay, eps=%s, \
                        amsgrad=False, maximize=False)
                          torch._foreach_lerp_(averages, weights, torch.sub(1., decay))
                          torch._foreach_zero_(grads)
                          return norm
                        """
                                .formatted(BETA_1, BETA_2, EPS));
    }
}
