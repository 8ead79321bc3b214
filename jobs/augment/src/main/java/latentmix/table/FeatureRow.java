package latentmix.table;

/**
 * What a network says of an image.
 *
 * @param id the image's, a mix_id or an image_id
 * @param features float32, little-endian
 * @param logits one a class, float32, little-endian; empty where the network is no classifier
 * @param halvings how often its micro-batch was halved for want of the device's memory, which rounding shows: 0 nearly
 *     always
 */
public record FeatureRow(String id, String classId, byte[] features, byte[] logits, int halvings, String settingsId) {}
