package latentmix.view;

import java.util.Arrays;
import java.util.List;
import latentmix.latent.Degeneracy;
import latentmix.table.JudgedRow;

/** The numbers that a class's pictures are sorted and sifted by; a picture without one has NaN. */
enum Score {
    ESS("ess", "effective number of inputs, 1 / Σ w²"),
    CLASS_MEAN("class mean", "how many times over the class's mean latent shows"),
    NORM("norm", "of the latent; noise has 1"),
    CHANNEL_MEAN("channel mean", "of the latent; noise has 1"),
    LOW_BAND("low band", "of the latent; noise has 1"),
    MIDDLE_BAND("middle band", "of the latent; noise has 1"),
    HIGH_BAND("high band", "of the latent; noise has 1"),
    HORIZONTAL("horizontal", "correlation of neighbours in the latent; noise has 0"),
    VERTICAL("vertical", "correlation of neighbours in the latent; noise has 0"),
    ENTROPY("entropy", "of grey levels, 0 to 8 bits"),
    CLIPPED("clipped", "share of values at 0 or 255"),
    SATURATION("saturation", "of colours, 0 to 1"),
    SHARPNESS("sharpness", "variance of the Laplacian"),
    OF_CLASS("judge: class", "by how much its own class is the nearer one; higher is better"),
    COPY_BITS("judge: copy, bits", "of dHash to the nearest source image; higher is better"),
    COPY_DISTANCE("judge: copy, features", "distance from the nearest source image; higher is better"),
    TWIN_BITS("judge: twin, bits", "of dHash to the nearest image made before; higher is better"),
    TWIN_DISTANCE("judge: twin, features", "distance from the nearest image made before; higher is better"),
    TEXT("judge: text", "cosine with its class's prompt; higher is better");

    private final String text;
    private final String meaning;

    Score(String text, String meaning) {
        this.text = text;
        this.meaning = meaning;
    }

    String text() {
        return text;
    }

    String meaning() {
        return meaning;
    }

    /** Its place among a picture's scores. */
    @SuppressWarnings("EnumOrdinal") // the order of the names is told to whoever gets scores
    int at() {
        return ordinal();
    }

    /** Their names, in their order. */
    static List<String> texts() {
        return Arrays.stream(values()).map(Score::text).toList();
    }

    /** No score at all. */
    static float[] none() {
        float[] scores = new float[values().length];
        Arrays.fill(scores, Float.NaN);
        return scores;
    }

    /** Puts this score into its place. */
    void put(float[] scores, double value) {
        scores[at()] = (float) value;
    }

    static void putLatent(float[] scores, Degeneracy of) {
        NORM.put(scores, of.norm());
        CHANNEL_MEAN.put(scores, of.channelMean());
        LOW_BAND.put(scores, of.lowBand());
        MIDDLE_BAND.put(scores, of.middleBand());
        HIGH_BAND.put(scores, of.highBand());
        HORIZONTAL.put(scores, of.horizontal());
        VERTICAL.put(scores, of.vertical());
    }

    static void putVerdict(float[] scores, JudgedRow of) {
        OF_CLASS.put(scores, of.classScore());
        COPY_BITS.put(scores, of.copyHash() < 0 ? Double.NaN : of.copyHash());
        COPY_DISTANCE.put(scores, of.copyDistance());
        TWIN_BITS.put(scores, of.twinHash() < 0 ? Double.NaN : of.twinHash());
        TWIN_DISTANCE.put(scores, of.twinDistance());
        TEXT.put(scores, of.textScore());
    }
}
