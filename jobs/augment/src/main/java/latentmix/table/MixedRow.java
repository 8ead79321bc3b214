package latentmix.table;

import java.util.List;
import latentmix.latent.Degeneracy;

/**
 * A mixture to generate.
 *
 * @param k the mixture's number in its entry, class and pool
 * @param poolId the id of the sorted image ids the inputs were drawn from
 * @param ess effective number of inputs, 1 / Σ w²
 * @param latent noise, which generation begins with
 * @param strength the share of the sampling steps that are taken, the last ones: 1 but for image to image
 * @param original the encoded image that the noise is added to at the first of those steps; {@link LatentColumn#NONE}
 *     where generation begins with the noise itself
 * @param predictedGain by how much the method is predicted to amplify a small channel bias that all inputs share
 * @param attempt 0 where the first draw of inputs and weights was taken, else how many a gate refused before
 * @param classMeanGain how many times over the class's mean latent shows: 1 in the mean of its own latents, 0 in noise
 * @param predictedClassMeanGain what that was predicted to be from the bias of the class's latents; NaN for methods
 *     beside the grid
 * @param degeneracy how far the latent is from nominal noise
 * @param sourceClasses the class of each source; a column only where mixtures have sources of other classes, as those
 *     below up to the label's
 * @param sourcePrompts what each source was inverted with
 * @param labelClasses the classes of the mixture's soft label, its own first
 * @param labelWeights the share of each, with a sum of 1
 * @param prompts what generation is told one after the other, which the prompt is in; a column only where contexts are
 *     drawn, as the next one
 * @param promptShares the share of the steps that each is told for, with a sum of 1
 * @param guidance the one guidance scale that was drawn; a column only where one is
 */
public record MixedRow(
        String mixId,
        String classId,
        int label,
        String className,
        String prompt,
        int k,
        String poolId,
        String method,
        List<String> sourceIds,
        List<Double> weights,
        double ess,
        LatentColumn latent,
        double norm,
        List<Double> channelMean,
        double predictedGain,
        double strength,
        LatentColumn original,
        int attempt,
        double classMeanGain,
        double predictedClassMeanGain,
        Degeneracy degeneracy,
        String settingsId,
        @OnlyWhereGiven List<String> sourceClasses,
        @OnlyWhereGiven List<String> sourcePrompts,
        @OnlyWhereGiven List<String> labelClasses,
        @OnlyWhereGiven List<Double> labelWeights,
        @OnlyWhereGiven List<String> prompts,
        @OnlyWhereGiven List<Double> promptShares,
        @OnlyWhereGiven List<Double> guidance) {}
