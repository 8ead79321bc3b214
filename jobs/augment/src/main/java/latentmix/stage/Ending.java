package latentmix.stage;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import latentmix.report.Counts;
import latentmix.report.StageLeft;
import latentmix.table.RunFolder;
import latentmix.table.StageName;

/** The last words of a run: what was made, where it is, and what a person does next. */
final class Ending {
    private Ending() {}

    /** The words of a run that was stopped. */
    static String stopped(String reason, List<StageLeft> left) {
        return "Stopped: " + reason + "; the same command goes on where this run stopped. Left: "
                + left.stream()
                        .map(stage -> stage.stage() + " " + stage.rows() + " rows")
                        .collect(Collectors.joining(", "));
    }

    /**
     * The words of a run that came to its end.
     *
     * @param exported images in the dataset
     * @param didNothing whether all that was asked for stood already
     * @param allowed the share of files and mixtures that may be refused
     */
    static List<String> done(
            RunFolder run, Set<StageName> stages, Counts counts, long exported, boolean didNothing, double allowed) {
        List<String> lines = new ArrayList<>();
        lines.add((didNothing ? "Nothing was left to do: " : "") + made(run, stages, counts, exported));
        if (!counts.ignored().isEmpty()) {
            lines.add("Ignored in the input: " + Counts.listed(counts.ignored()));
        }
        if (!counts.leftOut().isEmpty()) {
            lines.add("Left out, though their rows stay in the tables: " + Counts.listed(counts.leftOut()));
        }
        if (counts.rejectedShare() > allowed) {
            String reasons = counts.rejected().entrySet().stream()
                    .flatMap(stage -> stage.getValue().entrySet().stream()
                            .map(reason -> stage.getKey() + " " + reason.getKey() + " " + reason.getValue()))
                    .collect(Collectors.joining(", "));
            lines.add(String.format(
                    Locale.ROOT,
                    "Refused: %d of %d files and mixtures, %.3g %% where run.max_rejected allows %.3g %% (%s);"
                            + " look at %s",
                    counts.refused(),
                    counts.files() + counts.asked(),
                    100 * counts.rejectedShare(),
                    100 * allowed,
                    reasons,
                    run.path("rejected")));
        }
        return lines;
    }

    private static String made(RunFolder run, Set<StageName> stages, Counts counts, long exported) {
        if (stages.contains(StageName.EXPORT)) {
            return exported + " images in " + run.path("dataset") + "; open " + run.path("report.html");
        }
        if (stages.contains(StageName.EVALUATE)) {
            return "metrics of " + counts.generated() + " images in " + run.path("metrics");
        }
        if (stages.contains(StageName.FILTER)) {
            return "verdicts on " + counts.generated() + " images in " + run.path("judged");
        }
        if (stages.contains(StageName.GENERATE)) {
            return counts.generated() + " images in " + run.path("generated");
        }
        if (stages.contains(StageName.MIX)) {
            return counts.mixed() + " mixtures in " + run.path("mixed");
        }
        if (stages.equals(Set.of(StageName.ADAPT))) {
            return "what was learnt of the classes is in " + run.path("adapted");
        }
        return counts.inverted() + " inverted images in " + run.path("inverted");
    }
}
