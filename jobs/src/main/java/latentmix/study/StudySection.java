package latentmix.study;

import java.util.List;

/**
 * What one experiment found: a section of the report.
 *
 * @param name of the experiment, the beginning of its files' names
 * @param about what was done and what to look at
 * @param notes sentences with numbers that the tables and figures bear out, one a paragraph
 */
public record StudySection(
        String name, String title, String about, List<String> notes, List<Figure> figures, List<StudyTable<?>> tables) {
    public StudySection {
        notes = List.copyOf(notes);
        figures = List.copyOf(figures);
        tables = List.copyOf(tables);
    }
}
