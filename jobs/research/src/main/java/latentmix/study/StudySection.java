package latentmix.study;

import java.util.List;

/**
 * The findings of one experiment: a section of the report.
 *
 * @param name the experiment's name, the beginning of its files' names
 * @param about a text that says what was done and what to look at
 * @param notes sentences with numbers that the tables and figures bear out, one a paragraph
 * @param pivots the tables' numbers, laid out to be read
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
