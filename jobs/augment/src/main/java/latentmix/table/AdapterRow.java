package latentmix.table;

import java.util.List;

/**
 * What was learnt of a class, float32, little-endian.
 *
 * @param token what prompts call it; empty where no token is learnt
 * @param prompt the class's prompt, which tells what is learnt
 * @param images how many it was learnt from
 * @param imageIds those images, sorted
 * @param refused how many others could not be opened
 * @param clipL the first CLIP encoder's vectors, (vectors, width); empty where no token is learnt
 * @param clipG the second one's; empty where there is none
 * @param rank of the LoRA; 0 without one
 * @param lora its weights (rank, width) as the network takes them, with alpha / rank in B; empty without one, and where
 *     classes share one: that is in a row of no class
 * @param losses the weighted loss of every step
 * @param plainLoss the mean squared error that the prompt with the class's name has, at noise that no step saw
 * @param loss the same of what was learnt
 * @param halvings of the micro-batch, for want of memory
 */
public record AdapterRow(
        String adapterId,
        String classId,
        int label,
        String className,
        String token,
        String prompt,
        int vectors,
        int images,
        List<String> imageIds,
        int refused,
        byte[] clipL,
        byte[] clipG,
        int rank,
        byte[] lora,
        List<Double> losses,
        double plainLoss,
        double loss,
        int halvings,
        String settingsId,
        String checkpointFingerprint) {}
