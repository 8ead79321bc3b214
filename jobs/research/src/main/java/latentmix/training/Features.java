package latentmix.training;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import latentmix.image.Pixels;
import latentmix.latent.RecipeSampler;
import org.apache.commons.rng.UniformRandomProvider;

/**
 * Images as a network that stays as it is sees them: the features of each, and of some augmented copies, one of which
 * stands for the image when a training sees it.
 */
public final class Features implements Examples {
    private static final int ENCODED_AT_ONCE = 64;

    private final LabelledImages images;
    private final float[][] rows; // the views of an image one after the other, the plain one first
    private final int views;

    private Features(LabelledImages images, float[][] rows, int views) {
        this.images = images;
        this.rows = rows;
        this.views = views;
    }

    /**
     * Encodes images.
     *
     * @param network gives images' features, rows of one length
     * @param views how many times each is encoded, at least 1: as it is, and augmented
     * @param seed decides how they are augmented
     */
    public static Features of(
            Function<List<Pixels>, List<float[]>> network,
            LabelledImages images,
            Augmentation augmentation,
            int views,
            String seed) {
        UniformRandomProvider rng = RecipeSampler.rng(seed);
        List<Pixels> seen = new ArrayList<>();
        for (int i = 0; i < images.count(); i++) {
            Pixels plain = images.pixels(i);
            seen.add(plain);
            for (int view = 1; view < views; view++) {
                float[] changed = augmentation.apply(plain.toChw(), images.size(), Augmentation.Outside.EDGE, rng);
                seen.add(Pixels.ofChw(changed, 0, images.size(), images.size()));
            }
        }
        List<float[]> rows = new ArrayList<>();
        for (int from = 0; from < seen.size(); from += ENCODED_AT_ONCE) {
            rows.addAll(network.apply(seen.subList(from, Math.min(seen.size(), from + ENCODED_AT_ONCE))));
        }
        return new Features(images, rows.toArray(float[][]::new), views);
    }

    @Override
    public int count() {
        return images.count();
    }

    @Override
    public int label(int index) {
        return images.label(index);
    }

    @Override
    public Map<Integer, Double> shares(int index) {
        return images.shares(index);
    }

    @Override
    public float[] plain(int index) {
        return rows[index * views];
    }

    @Override
    public float[] seen(int index, UniformRandomProvider rng) {
        return rows[index * views + rng.nextInt(views)];
    }
}
