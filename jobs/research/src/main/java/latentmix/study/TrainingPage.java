package latentmix.study;

import java.util.List;
import java.util.Locale;

/**
 * The page about a training. Its markup is in {@code training.jte}.
 *
 * @param images images behind each number
 * @param references held-out images that they are compared with
 */
record TrainingPage(int images, int references, StudyTable<TrainingReport.Scores> scores, List<PageImage> figures) {
    TrainingPage {
        figures = List.copyOf(figures);
    }

    /** The page. */
    String html() {
        return StudyReport.PAGES.html("training.jte", this);
    }

    /** A score as the page shows it. */
    static String text(Object value) {
        return value instanceof Double number ? String.format(Locale.ROOT, "%.3f", number) : value.toString();
    }
}
