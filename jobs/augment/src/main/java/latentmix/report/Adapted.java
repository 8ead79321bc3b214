package latentmix.report;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import latentmix.plan.ClassLabel;
import latentmix.table.AdaptersTable;

/**
 * What was learnt of a class, as a person reads it.
 *
 * @param token empty where none is learnt
 * @param vectors of the token; 0 without one
 * @param rank of the LoRA; 0, and not written, without one
 * @param files what diffusers loads: the token's, the LoRA's
 * @param curve the weighted loss in the course of the steps: means of equal parts of them
 */
public record Adapted(
        String classId,
        String className,
        String token,
        int vectors,
        @JsonInclude(JsonInclude.Include.NON_DEFAULT) int rank,
        int images,
        double plainLoss,
        double loss,
        List<String> files,
        @JsonIgnore List<Double> curve)
        implements Serializable {
    private static final int POINTS = 40;
    private static final int WIDTH = 120; // of the curve, pixels
    private static final int HEIGHT = 28;

    public Adapted {
        files = List.copyOf(files);
        curve = List.copyOf(curve);
    }

    /** What is known of an adapter. */
    public static Adapted of(ClassLabel label, int rank, AdaptersTable.Result result, List<String> files) {
        return new Adapted(
                label.classId(),
                label.className(),
                result.token(),
                result.vectors(),
                rank,
                result.images(),
                result.plainLoss(),
                result.loss(),
                files,
                means(result.losses()));
    }

    private static List<Double> means(List<Double> losses) {
        int points = Math.min(POINTS, losses.size());
        List<Double> means = new ArrayList<>();
        for (int i = 0; i < points; i++) {
            means.add(losses.subList(i * losses.size() / points, (i + 1) * losses.size() / points).stream()
                    .mapToDouble(Double::doubleValue)
                    .average()
                    .orElseThrow());
        }
        return means;
    }

    /** By how much the error is smaller than with the class's name, in percent. */
    String gain() {
        return String.format(Locale.ROOT, "%.2f %%", 100 * (1 - loss / plainLoss));
    }

    /** What was learnt, in words. */
    public String what() {
        String vectors = token.isEmpty() ? "" : this.vectors + " vectors";
        return rank == 0 ? vectors : vectors + (vectors.isEmpty() ? "" : ", ") + "LoRA of rank " + rank;
    }

    /** The points of the curve in a picture of {@link #WIDTH} times {@link #HEIGHT}, its largest value at the top. */
    String points() {
        double most = curve.stream().mapToDouble(Double::doubleValue).max().orElse(1);
        List<String> points = new ArrayList<>();
        for (int i = 0; i < curve.size(); i++) {
            points.add(String.format(
                    Locale.ROOT,
                    "%.1f,%.1f",
                    (double) i * WIDTH / Math.max(1, curve.size() - 1),
                    HEIGHT * (1 - curve.get(i) / most)));
        }
        return String.join(" ", points);
    }

    /** What the curve says, for those who do not see it. */
    String curveInWords() {
        return curve.isEmpty()
                ? ""
                : "loss from " + digits(curve.get(0)) + " to " + digits(curve.get(curve.size() - 1));
    }

    static String digits(double error) {
        return String.format(Locale.ROOT, "%.5f", error);
    }
}
