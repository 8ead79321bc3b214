package latentmix.study;

import java.util.List;

/**
 * What one experiment found: a section of the report.
 *
 * @param name of the experiment, the beginning of its files' names
 * @param about what was done and what to look at
 * @param notes sentences with numbers that the tables and figures bear out, one a paragraph
 * @param pivots what the tables hold, laid out to be read
 */
public record StudySection(
        String name,
        String title,
        String about,
        List<String> notes,
        List<Figure> figures,
        List<Pivot> pivots,
        List<StudyTable<?>> tables) {
    public StudySection {
        notes = List.copyOf(notes);
        figures = List.copyOf(figures);
        pivots = List.copyOf(pivots);
        tables = List.copyOf(tables);
    }
}
