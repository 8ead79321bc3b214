package latentmix.report;

import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import latentmix.plan.Tally;

/**
 * What a filter made of an entry's mixtures.
 *
 * @param asked images asked for
 * @param made mixtures that were made for them
 * @param kept images that are kept for them
 * @param beyond images that are kept, too, and are more than was asked for
 * @param dropped by the judge that dropped them first; {@code refused} where mixing or generation had no image
 * @param unfilled by class, how many images could not be had in all tries
 */
public record FilterSummary(
        String entry,
        long asked,
        long made,
        long kept,
        long beyond,
        Map<String, Long> dropped,
        Map<String, Long> unfilled) {
    private static final int NAMED = 5;

    public FilterSummary {
        dropped = Collections.unmodifiableMap(new TreeMap<>(dropped));
        unfilled = Collections.unmodifiableMap(new TreeMap<>(unfilled));
    }

    /**
     * What could not be had, in a line; empty where nothing lacks.
     *
     * @param tries how many times the number asked for was made
     */
    public Optional<String> lack(int tries) {
        long images = unfilled.values().stream().mapToLong(Long::longValue).sum();
        if (images == 0) {
            return Optional.empty();
        }
        return Optional.of(String.format(
                Locale.ROOT,
                "filter: %d of %d images of %s could not be had in %d tries: %s; raise filter.tries, or loosen a"
                        + " judge (dropped: %s)",
                images,
                asked,
                entry,
                tries,
                lacking(),
                Counts.listed(dropped)));
    }

    /** How many images could not be had of which classes, of some of them. */
    String lacking() {
        return unfilled.entrySet().stream()
                        .limit(NAMED)
                        .map(of -> of.getKey() + " " + of.getValue())
                        .collect(Collectors.joining(", "))
                + (unfilled.size() > NAMED ? ", …" : "");
    }

    /** The sum of an entry's tallies, one a class and at least one. */
    public static FilterSummary of(List<Tally> tallies) {
        long asked = 0;
        long made = 0;
        long kept = 0;
        long beyond = 0;
        Map<String, Long> dropped = new TreeMap<>();
        Map<String, Long> unfilled = new TreeMap<>();
        for (Tally tally : tallies) {
            asked += tally.quota();
            kept += tally.kept();
            made += tally.reach();
            beyond += tally.beyond();
            tally.dropped().forEach((judge, images) -> dropped.merge(judge, images, Long::sum));
            if (tally.unfilled() > 0) {
                unfilled.put(tally.classId(), tally.unfilled());
            }
        }
        return new FilterSummary(tallies.get(0).entry(), asked, made, kept, beyond, dropped, unfilled);
    }
}
