package latentmix.table;

/**
 * A thing refused.
 *
 * @param stage a {@link StageName}'s text
 * @param id the image's or mixture's id, or empty where there is none yet
 * @param path the file, relative to the input root, or empty
 * @param reason a short word to group by, such as {@code truncated}
 * @param detail what was expected and what came
 * @param settingsId the settings it was refused under, or empty where none matter
 */
public record RejectedRow(
        String stage, String classId, String id, String path, String reason, String detail, String settingsId) {
    /** A thing that a stage refused. */
    public RejectedRow(
            StageName stage, String classId, String id, String path, String reason, String detail, String settingsId) {
        this(stage.text(), classId, id, path, reason, detail, settingsId);
    }
}
