package latentmix.table;

import java.util.List;

/**
 * What was learnt of a class, float32, little-endian.
 *
 * @param token what prompts call it
 * @param prompt the class's prompt with the token
 * @param images how many it was learnt from
 * @param imageIds those images, sorted
 * @param refused how many others could not be opened
 * @param clipL the first CLIP encoder's vectors, (vectors, width)
 * @param clipG the second one's; empty where there is none
 * @param losses the weighted loss of every step
 * @param plainLoss the mean squared error that the prompt with the class's name has, at noise that no step saw
 * @param loss the same of the prompt with the token
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
        List<Double> losses,
        double plainLoss,
        double loss,
        int halvings,
        String settingsId,
        String checkpointFingerprint) {}
