package latentmix.report;

import java.util.ArrayList;
import java.util.List;
import latentmix.work.Nearness;

/**
 * How near images come to real ones of their class, in bits of 64 of their dHash.
 *
 * @param of which images: {@code made}, or {@code real}, each of which is compared with the others
 * @param images how many
 * @param least of all
 * @param hundredth within which one of a hundred is
 * @param tenth within which one of ten is
 * @param median within which half of them are
 */
public record LeakageRow(String of, long images, int least, int hundredth, int tenth, int median) {
    /** The rows of images that there are. */
    public static List<LeakageRow> of(Nearness nearness) {
        List<LeakageRow> rows = new ArrayList<>();
        add("made", nearness.made(), rows);
        add("real", nearness.real(), rows);
        return rows;
    }

    private static void add(String of, long[] counts, List<LeakageRow> rows) {
        long images = Nearness.images(counts);
        if (images > 0) {
            rows.add(new LeakageRow(
                    of,
                    images,
                    Nearness.quantile(counts, 0),
                    Nearness.quantile(counts, 0.01),
                    Nearness.quantile(counts, 0.1),
                    Nearness.quantile(counts, 0.5)));
        }
    }
}
