package latentmix.report;

import latentmix.work.Nearness;

/**
 * How near images come to real ones of their class, in bits of 64 of their dHash.
 *
 * @param split which images: {@code made} ones of the dataset, or {@code real} ones of the input
 * @param among which real images they are compared with: {@code input}, but for themselves, or a folder of tests
 * @param images how many are compared
 * @param others how many they are compared with
 * @param refused how many of those could not be opened
 * @param same images whose file has the bytes of one of those, of whatever class
 * @param near images within the bound
 * @param bound bits up to which two images are near-duplicates
 * @param least of all
 * @param hundredth within which one of a hundred is
 * @param tenth within which one of ten is
 * @param median within which half of them are
 */
public record Leakage(
        String split,
        String among,
        long images,
        long others,
        long refused,
        long same,
        long near,
        int bound,
        int least,
        int hundredth,
        int tenth,
        int median) {
    /** What is said of images, of which there is one at least. */
    public static Leakage of(Nearness nearness, int bound) {
        return new Leakage(
                nearness.split(),
                nearness.among(),
                nearness.images(),
                nearness.others(),
                nearness.refused(),
                nearness.same(),
                nearness.within(bound),
                bound,
                nearness.quantile(0),
                nearness.quantile(0.01),
                nearness.quantile(0.1),
                nearness.quantile(0.5));
    }
}
