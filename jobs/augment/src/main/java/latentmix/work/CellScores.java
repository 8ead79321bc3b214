package latentmix.work;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import latentmix.image.NearDuplicates;
import latentmix.image.PixelScores;
import latentmix.latent.Degeneracy;
import latentmix.plan.ClassLabel;
import latentmix.plan.MixingEntry;
import latentmix.plan.MixingSettings;
import latentmix.table.GeneratedTable;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;

/**
 * How degenerate the mixtures of one cell are, a method with an input count: means over mixtures and images, which
 * merge over classes.
 *
 * @param entry the name of the cell's entry in the configuration
 * @param asked mixtures asked for
 * @param redrawn mixtures whose first draw a gate refused
 * @param classMeanGain mean of {@code mixed}'s column; NaN, as every mean, where there are no mixtures
 * @param predictedClassMeanGain mean of {@code mixed}'s column
 * @param latent means of the latents' scores
 * @param nearDuplicates images that have another one like them in their cell and class
 * @param image means of the images' scores
 */
public record CellScores(
        String entry,
        String method,
        String inputs,
        long asked,
        long mixed,
        long redrawn,
        double classMeanGain,
        double predictedClassMeanGain,
        Degeneracy latent,
        long generated,
        long nearDuplicates,
        PixelScores image)
        implements Serializable {
    /**
     * The cells of an entry, in the order of its grid, over what stands in a class's tables of a pool under these
     * settings.
     */
    public static List<CellScores> of(
            RunFolder run, ClassLabel label, MixingEntry entry, String poolId, String generationId) throws IOException {
        MixingSettings settings = entry.settings();
        List<List<MixedTable.Scores>> mixed = new ArrayList<>();
        List<List<GeneratedTable.Scores>> generated = new ArrayList<>();
        for (int cell = 0; cell < settings.cells(); cell++) {
            mixed.add(new ArrayList<>());
            generated.add(new ArrayList<>());
        }
        new GeneratedMixtures(run, label.classId())
                .all(
                        generationId,
                        MixedTable.Scores.class,
                        GeneratedTable.Scores.class,
                        row -> row.poolId().equals(poolId) && entry.asks(label.classId(), row.settingsId(), row.k()))
                .forEach(pair -> {
                    int cell = pair.mixture().k() % settings.cells();
                    mixed.get(cell).add(pair.mixture());
                    pair.image().ifPresent(generated.get(cell)::add);
                });
        List<CellScores> scores = new ArrayList<>();
        for (int cell = 0; cell < settings.cells(); cell++) {
            scores.add(of(entry, cell, entry.mixtures(label.classId(), cell), mixed.get(cell), generated.get(cell)));
        }
        return scores;
    }

    private static CellScores of(
            MixingEntry entry,
            int cell,
            long asked,
            List<MixedTable.Scores> mixed,
            List<GeneratedTable.Scores> generated) {
        NearDuplicates duplicates = new NearDuplicates();
        generated.forEach(row -> duplicates.add(row.differenceHash()));
        return new CellScores(
                entry.name(),
                entry.settings().method(cell),
                entry.settings().inputs(cell),
                asked,
                mixed.size(),
                mixed.stream().filter(row -> row.attempt() > 0).count(),
                mean(mixed, MixedTable.Scores::classMeanGain),
                mean(mixed, MixedTable.Scores::predictedClassMeanGain),
                new Degeneracy(
                        mean(mixed, row -> row.degeneracy().norm()),
                        mean(mixed, row -> row.degeneracy().channelMean()),
                        mean(mixed, row -> row.degeneracy().lowBand()),
                        mean(mixed, row -> row.degeneracy().middleBand()),
                        mean(mixed, row -> row.degeneracy().highBand()),
                        mean(mixed, row -> row.degeneracy().horizontal()),
                        mean(mixed, row -> row.degeneracy().vertical())),
                generated.size(),
                duplicates.duplicates(NearDuplicates.LIMIT),
                new PixelScores(
                        mean(generated, GeneratedTable.Scores::entropy),
                        mean(generated, GeneratedTable.Scores::clipped),
                        mean(generated, GeneratedTable.Scores::saturation),
                        mean(generated, GeneratedTable.Scores::sharpness)));
    }

    /** Both together: the same cell of other classes. */
    public CellScores plus(CellScores other) {
        Mean latents = new Mean(mixed, other.mixed);
        Mean images = new Mean(generated, other.generated);
        return new CellScores(
                entry,
                method,
                inputs,
                asked + other.asked,
                mixed + other.mixed,
                redrawn + other.redrawn,
                latents.of(classMeanGain, other.classMeanGain),
                latents.of(predictedClassMeanGain, other.predictedClassMeanGain),
                new Degeneracy(
                        latents.of(latent.norm(), other.latent.norm()),
                        latents.of(latent.channelMean(), other.latent.channelMean()),
                        latents.of(latent.lowBand(), other.latent.lowBand()),
                        latents.of(latent.middleBand(), other.latent.middleBand()),
                        latents.of(latent.highBand(), other.latent.highBand()),
                        latents.of(latent.horizontal(), other.latent.horizontal()),
                        latents.of(latent.vertical(), other.latent.vertical())),
                generated + other.generated,
                nearDuplicates + other.nearDuplicates,
                new PixelScores(
                        images.of(image.entropy(), other.image.entropy()),
                        images.of(image.clipped(), other.image.clipped()),
                        images.of(image.saturation(), other.image.saturation()),
                        images.of(image.sharpness(), other.image.sharpness())));
    }

    private static <T> double mean(List<T> rows, ToDoubleFunction<T> score) {
        return rows.stream().mapToDouble(score).average().orElse(Double.NaN);
    }

    /** The mean of two means, each over so many. */
    private record Mean(long count, long others) {
        double of(double mean, double other) {
            if (count == 0 || others == 0) {
                return count == 0 ? other : mean;
            }
            return (mean * count + other * others) / (count + others);
        }
    }
}
