package latentmix.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import latentmix.config.MixtureCount;

/**
 * How many mixtures an entry asks for.
 *
 * @param least of a class
 * @param most of a class
 * @param total of all classes
 * @param without the classes that get none
 */
public record Asked(MixingEntry entry, long least, long most, long total, List<String> without) {
    private static final int NAMED = 5;

    public Asked {
        without = List.copyOf(without);
    }

    /** What an entry asks for of these classes, of which there is one at least. */
    public static Asked of(MixingEntry entry, List<Catalog> catalogs) {
        long least = Long.MAX_VALUE;
        long most = 0;
        long total = 0;
        List<String> without = new ArrayList<>();
        for (Catalog catalog : catalogs) {
            long mixtures = entry.quota(catalog.label().classId());
            least = Math.min(least, mixtures);
            most = Math.max(most, mixtures);
            total += mixtures;
            if (mixtures == 0) {
                without.add(catalog.label().classId());
            }
        }
        return new Asked(entry, least, most, total, without);
    }

    /** The numbers in words. */
    public String line() {
        String each = least == most ? String.format(Locale.ROOT, "%,d", least) : range();
        return String.format(Locale.ROOT, "%s: %s mixtures a class, %,d in all", entry.name(), each, total);
    }

    private String range() {
        return String.format(Locale.ROOT, "%,d to %,d", least, most);
    }

    /** What a person should know of the numbers that entries ask for. */
    public static List<String> warnings(List<MixingEntry> entries, List<Catalog> catalogs) {
        List<String> warnings = new ArrayList<>();
        for (MixingEntry entry : entries) {
            List<String> without = of(entry, catalogs).without();
            if (!without.isEmpty() && !(entry.count() instanceof MixtureCount.Balance)) {
                warnings.add("mixing." + entry.name() + ".count: " + entry.count() + " asks for no mixture of "
                        + without.size() + " of " + catalogs.size() + " classes: "
                        + String.join(", ", without.subList(0, Math.min(NAMED, without.size())))
                        + (without.size() > NAMED ? ", …" : ""));
            }
        }
        List<MixingEntry> exported =
                entries.stream().filter(MixingEntry::exported).toList();
        if (exported.size() > 1) {
            exported.stream()
                    .filter(entry ->
                            entry.count() instanceof MixtureCount.To || entry.count() instanceof MixtureCount.Balance)
                    .map(entry -> "mixing." + entry.name() + ".count: " + entry.count()
                            + " counts a class's real images and not what other entries export; put the methods"
                            + " into one entry, which share the number")
                    .forEach(warnings::add);
        }
        return warnings;
    }
}
