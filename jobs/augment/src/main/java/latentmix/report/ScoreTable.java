package latentmix.report;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import latentmix.image.PixelScores;
import latentmix.latent.Degeneracy;
import latentmix.work.CellScores;

/** The numbers of the table that says how degenerate the mixtures of a cell are. */
final class ScoreTable {
    private ScoreTable() {}

    /** A cell's numbers, in the order of the table's columns. */
    static List<String> numbers(CellScores cell) {
        Degeneracy latent = cell.latent();
        PixelScores image = cell.image();
        return List.of(
                cell.mixed() + " of " + cell.asked(),
                Long.toString(cell.redrawn()),
                decimals(cell.classMeanGain()),
                decimals(cell.predictedClassMeanGain()),
                decimals(latent.norm()),
                decimals(latent.channelMean()),
                decimals(latent.lowBand(), latent.middleBand(), latent.highBand()),
                decimals(latent.horizontal(), latent.vertical()),
                decimals(image.entropy()),
                percent(image.clipped()),
                decimals(image.saturation()),
                decimals(image.sharpness()),
                percent((double) cell.nearDuplicates() / cell.generated()));
    }

    /** Numbers of three digits, a dash for one that is none. */
    private static String decimals(double... values) {
        return Arrays.stream(values)
                .mapToObj(value ->
                        Double.isFinite(value) ? String.format(Locale.ROOT, value < 100 ? "%.2f" : "%.0f", value) : "–")
                .collect(Collectors.joining(" "));
    }

    private static String percent(double share) {
        return Double.isFinite(share) ? String.format(Locale.ROOT, "%.0f %%", 100 * share) : "–";
    }
}
