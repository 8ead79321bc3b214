package latentmix.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import latentmix.table.StageName;
import latentmix.work.Census;

/**
 * What stands in the tables for a configuration. Nothing is lost: once every stage is done, files = inverted + rejected
 * before mixing, and mixtures asked for = generated + rejected from mixing on.
 *
 * @param files files found below the class folders
 * @param images distinct images among them
 * @param asked mixtures asked for
 * @param rejected rows of {@code rejected}, by stage and reason
 * @param ignored what lay in the input and was no image by its name, by kind
 * @param leftOut rows that stay in the tables and do not count for these images and this configuration, by why
 * @param uncaptioned images that had their class's prompt for want of a caption; not written where it is 0
 */
public record Counts(
        long files,
        long images,
        long inverted,
        long asked,
        long mixed,
        long generated,
        Map<String, Map<String, Long>> rejected,
        Map<String, Long> ignored,
        Map<String, Long> leftOut,
        @JsonInclude(JsonInclude.Include.NON_DEFAULT) long uncaptioned) {
    /** The sum over classes. */
    public static Counts of(Collection<Census> classes, Map<String, Long> ignored, long uncaptioned) {
        Map<String, Map<String, Long>> rejected = new TreeMap<>();
        long files = 0;
        long images = 0;
        long inverted = 0;
        long asked = 0;
        long mixed = 0;
        long generated = 0;
        Map<String, Long> leftOut = new TreeMap<>();
        for (Census census : classes) {
            files += census.images() + census.rejected(StageName.IMAGES);
            images += census.images();
            inverted += census.inverted();
            asked += census.mixed() + census.rejected(StageName.MIX);
            mixed += census.mixed();
            generated += census.generated();
            census.leftOut().forEach((why, rows) -> leftOut.merge(why, rows, Long::sum));
            census.rejected()
                    .forEach((stage, reasons) ->
                            reasons.forEach((reason, rows) -> rejected.computeIfAbsent(stage, s -> new TreeMap<>())
                                    .merge(reason, rows, Long::sum)));
        }
        return new Counts(files, images, inverted, asked, mixed, generated, rejected, ignored, leftOut, uncaptioned);
    }

    /** Counts by name as a person reads them: "12 .txt, 1 .db". */
    public static String listed(Map<String, Long> counts) {
        return counts.entrySet().stream()
                .map(count -> count.getValue() + " " + count.getKey())
                .collect(Collectors.joining(", "));
    }

    /** Everything refused, in all stages. */
    public long refused() {
        return rejected.values().stream()
                .flatMap(reasons -> reasons.values().stream())
                .mapToLong(Long::longValue)
                .sum();
    }

    /** The share of files and mixtures that were refused, 0 to 1. */
    public double rejectedShare() {
        return files + asked == 0 ? 0 : (double) refused() / (files + asked);
    }
}
