package latentmix.stage;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.config.RunConfig;
import latentmix.plan.Asked;
import latentmix.plan.Catalog;
import latentmix.plan.MixingEntry;
import latentmix.report.Counts;
import latentmix.report.Speed;
import latentmix.report.StageLeft;
import latentmix.table.StageName;

/** What a run finds, what is still to do in a run folder, and what it will take. */
public record Plan(List<StageLeft> stages, List<Size> tables, Found found) {
    private static final double SECONDS = 3600;

    private static final Set<String> PROCESSOR = Arrays.stream(StageName.values())
            .filter(stage -> Needs.of(stage) == Needs.PROCESSOR)
            .map(StageName::text)
            .collect(Collectors.toSet());

    public Plan {
        stages = List.copyOf(stages);
        tables = List.copyOf(tables);
    }

    /**
     * What is in the input.
     *
     * @param images that stand, or will unless their bytes say otherwise
     * @param unread those of them that no run has read
     * @param unreadFiles larger files with images that no run has read as they are now
     * @param unreadable images of a format that is not read, by the suffix of their name
     * @param refused files by reason
     * @param ignored what is no image by its name, by kind
     * @param leftOut rows that stay in the tables and do not count, by why
     * @param asked how many mixtures each entry asks for of a class, in words
     * @param filter how many more a filter may take, in words; empty without one
     * @param warnings what a run would warn of
     */
    public record Found(
            int classes,
            long images,
            long unread,
            int unreadFiles,
            Map<String, Long> unreadable,
            Map<String, Long> refused,
            Map<String, Long> ignored,
            Map<String, Long> leftOut,
            List<String> asked,
            String filter,
            List<String> warnings) {
        public Found {
            unreadable = Collections.unmodifiableMap(new TreeMap<>(unreadable));
            refused = Collections.unmodifiableMap(new TreeMap<>(refused));
            ignored = Collections.unmodifiableMap(new TreeMap<>(ignored));
            leftOut = Collections.unmodifiableMap(new TreeMap<>(leftOut));
            asked = List.copyOf(asked);
            warnings = List.copyOf(warnings);
        }

        /**
         * What is in the input.
         *
         * @param others rows that do not count beside those of the catalogs, by why
         */
        static Found of(
                List<Catalog> catalogs,
                int unreadFiles,
                Map<String, Long> ignored,
                List<Map<String, Long>> others,
                List<MixingEntry> entries,
                Optional<RunConfig.Filter> filter,
                List<String> warnings) {
            return new Found(
                    catalogs.size(),
                    catalogs.stream().mapToLong(Catalog::images).sum(),
                    catalogs.stream().mapToLong(Catalog::unread).sum(),
                    unreadFiles,
                    sum(catalogs.stream().map(Catalog::unreadable)),
                    sum(catalogs.stream().map(Catalog::refused)),
                    ignored,
                    sum(Stream.concat(catalogs.stream().map(Catalog::leftOut), others.stream())),
                    entries.stream()
                            .map(entry -> Asked.of(entry, catalogs).line())
                            .toList(),
                    filter.map(of -> filter(of.tries(), entries, catalogs)).orElse(""),
                    warnings);
        }

        private static Map<String, Long> sum(Stream<Map<String, Long>> counts) {
            Map<String, Long> sum = new TreeMap<>();
            counts.forEach(some -> some.forEach((what, count) -> sum.merge(what, count, Long::sum)));
            return sum;
        }

        /** What is known beforehand of a filter: its first round, and its last one at most. */
        private static String filter(int tries, List<MixingEntry> entries, List<Catalog> catalogs) {
            long asked = entries.stream()
                    .mapToLong(entry -> Asked.of(entry, catalogs).total())
                    .sum();
            return line(
                    "how many it drops is not known before: the stages below are of the mixtures that are asked for so"
                            + " far; with what replaces dropped ones they are %,d at most (%d × %,d)",
                    asked * tries, tries, asked);
        }

        private List<String> lines() {
            List<String> lines = new ArrayList<>(warnings);
            lines.add(line("input      %,d classes, %,d images", classes, images));
            if (!ignored.isEmpty()) {
                lines.add("ignored    " + Counts.listed(ignored));
            }
            if (!refused.isEmpty()) {
                lines.add("refused    " + Counts.listed(refused));
            }
            if (!unreadable.isEmpty()) {
                lines.add("unreadable " + Counts.listed(unreadable)
                        + " by their names, which a run refuses if they are what they say: convert to PNG or JPEG");
            }
            if (!leftOut.isEmpty()) {
                lines.add("left out   " + Counts.listed(leftOut) + ": their rows stay in the tables");
            }
            if (unreadFiles > 0) {
                lines.add(line(
                        "to index   %,d files, which a run reads first%s",
                        unreadFiles,
                        images > unread ? "; the plan takes known images to lie in them, as many as they hold" : ""));
            }
            if (unread > 0) {
                lines.add(line(
                        "unread     %,d images, of which some may be duplicates, in two classes, or no images: a run"
                                + " reads them and says so",
                        unread));
            }
            asked.forEach(entry -> lines.add("mixing     " + entry));
            if (!filter.isEmpty()) {
                lines.add("filter     " + filter);
            }
            lines.add("");
            return lines;
        }
    }

    /** What will be added to a table. */
    public record Size(String table, long files, long bytes) {}

    /**
     * What it will cost.
     *
     * @param devices that work at once
     * @param evaluationsPerSecond of one device, where it is given instead of measured
     * @param pricePerHour of one device
     */
    public record Rates(
            Map<String, Speed> measured,
            int devices,
            OptionalDouble evaluationsPerSecond,
            OptionalDouble pricePerHour) {
        public Rates {
            measured = Map.copyOf(measured);
        }

        /** Seconds of one device, or of one task in stages without; empty where no speed is known. */
        OptionalDouble seconds(StageLeft stage) {
            if (stage.rows() == 0) {
                return OptionalDouble.of(0);
            }
            if (stage.networkEvaluations() > 0 && evaluationsPerSecond.isPresent()) {
                return OptionalDouble.of(stage.networkEvaluations() / evaluationsPerSecond.getAsDouble());
            }
            Speed speed = measured.get(stage.stage());
            if (speed == null) {
                return OptionalDouble.empty();
            }
            return OptionalDouble.of(
                    stage.networkEvaluations() > 0
                            ? stage.networkEvaluations() / speed.networkEvaluations()
                            : stage.rows() / speed.rows());
        }
    }

    /** Evaluations of the denoising network, in all. */
    public long networkEvaluations() {
        return stages.stream().mapToLong(StageLeft::networkEvaluations).sum();
    }

    /** The plan as tables of text. */
    public String text(Rates rates) {
        List<String> lines = new ArrayList<>(found.lines());
        lines.add(String.format(
                "%-10s %14s %10s %20s %16s", "stage", "rows", "tasks", "network evaluations", "hours of one"));
        double device = 0;
        boolean known = true;
        for (StageLeft stage : stages) {
            OptionalDouble seconds = rates.seconds(stage);
            boolean processor = PROCESSOR.contains(stage.stage());
            if (!processor) {
                known &= seconds.isPresent();
                device += seconds.orElse(0) / SECONDS;
            }
            lines.add(line(
                    "%-10s %,14d %,10d %,20d %16s",
                    stage.stage(),
                    stage.rows(),
                    stage.chunks(),
                    stage.networkEvaluations(),
                    seconds.isPresent()
                            ? line("%.3f %s", seconds.getAsDouble() / SECONDS, processor ? "task" : "device")
                            : "not known"));
        }
        lines.add("");
        lines.add(String.format("%-10s %14s %10s %20s", "table", "partitions", "files", "bytes"));
        for (Size size : tables) {
            lines.add(line(
                    "%-10s %,14d %,10d %20s",
                    size.table(),
                    Math.min(found.classes(), size.files()),
                    size.files(),
                    "about " + bytes(size.bytes())));
        }
        lines.add("");
        lines.add(line("%,d network evaluations%s", networkEvaluations(), known ? cost(rates, device) : ""));
        if (!known) {
            lines.add("Hours are known once a run in this folder has been measured, of a few images perhaps; or give"
                    + " --evaluations-per-second of one device.");
        }
        return String.join("\n", lines);
    }

    private static String cost(Rates rates, double hours) {
        String devices = rates.devices() == 1 ? "one device" : rates.devices() + " devices";
        String price = rates.pricePerHour().isPresent()
                ? line(
                        ", %.2f at %.2f an hour",
                        hours * rates.pricePerHour().getAsDouble(),
                        rates.pricePerHour().getAsDouble())
                : "";
        return line(": %.3f device hours, %.3f hours on %s%s", hours, hours / rates.devices(), devices, price);
    }

    private static String line(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    private static String bytes(long bytes) {
        int power = Math.max(0, Math.min(4, (int) (Math.log10((double) Math.max(1, bytes)) / 3)));
        return line(
                "%.1f %s",
                bytes / Math.pow(1000, power),
                List.of("B", "kB", "MB", "GB", "TB").get(power));
    }
}
