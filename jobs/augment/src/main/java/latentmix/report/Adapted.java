package latentmix.report;

import java.io.Serializable;
import java.util.Locale;
import latentmix.plan.ClassLabel;
import latentmix.table.AdaptersTable;

/**
 * What was learnt of a class, as a person reads it.
 *
 * @param file what diffusers loads
 */
public record Adapted(
        String classId,
        String className,
        String token,
        int vectors,
        int images,
        double plainLoss,
        double loss,
        String file)
        implements Serializable {
    /** What is known of an adapter. */
    public static Adapted of(ClassLabel label, AdaptersTable.Result result, String file) {
        return new Adapted(
                label.classId(),
                label.className(),
                result.token(),
                result.vectors(),
                result.images(),
                result.plainLoss(),
                result.loss(),
                file);
    }

    /** By how much the error is smaller than with the class's name, in percent. */
    String gain() {
        return String.format(Locale.ROOT, "%.2f %%", 100 * (1 - loss / plainLoss));
    }

    static String digits(double error) {
        return String.format(Locale.ROOT, "%.5f", error);
    }
}
