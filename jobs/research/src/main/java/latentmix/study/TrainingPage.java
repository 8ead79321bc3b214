package latentmix.study;

import java.util.List;
import java.util.Locale;

/**
 * The page about a training. Its markup is in {@code training.jte}.
 *
 * @param references held-out images that others are compared with
 */
record TrainingPage(int references, StudyTable<TrainingReport.Scores> scores, List<PageImage> figures) {
    TrainingPage {
        figures = List.copyOf(figures);
    }

    /** The page. */
    String html() {
        return StudyReport.PAGES.html("training.jte", this);
    }

    /** A score as the page shows it, nothing for one that is not defined. */
    static String text(Object value) {
        if (value instanceof Double number) {
            return number.isNaN() ? "" : String.format(Locale.ROOT, "%.3f", number);
        }
        return value.toString();
    }
}
