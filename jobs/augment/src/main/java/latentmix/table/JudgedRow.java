package latentmix.table;

import java.util.List;

/**
 * What a filter's judges say of an image made. A score that no judge asks for is NaN, and -1 where it is a whole
 * number.
 *
 * @param k the mixture's number in its entry, class and pool
 * @param classScore by how much its own class is the nearer or the likelier one, or its share of the nearest images
 * @param copyHash bits of dHash by which it differs from the nearest source image of its class
 * @param copyDistance the cosine distance of its features from the nearest source image's
 * @param copyId the image id of that source image, by features where they are asked for
 * @param twinHash bits of dHash by which it differs from the nearest image that was made before it and is kept
 * @param twinDistance the cosine distance of its features from that image's
 * @param twinId the mix id of that image, by features where they are asked for
 * @param textScore the cosine of its and its class's prompt's embeddings
 * @param kept whether no judge dropped it
 * @param reasons the judges that dropped it, in the order class, copy, twin, text, blank
 */
public record JudgedRow(
        String mixId,
        String classId,
        int k,
        double classScore,
        int copyHash,
        double copyDistance,
        String copyId,
        int twinHash,
        double twinDistance,
        String twinId,
        double textScore,
        boolean kept,
        List<String> reasons,
        String settingsId) {}
