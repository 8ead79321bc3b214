package latentmix.study;

import java.util.List;

/**
 * A table to be read: series down, values of one factor across.
 *
 * @param corner the text above the rows' names
 */
public record Pivot(String caption, String corner, List<String> columns, List<Row> rows) {
    /** A row; a cell is its text, and whether it is its column's best. */
    public record Row(String label, List<Cell> cells) {
        public Row {
            cells = List.copyOf(cells);
        }
    }

    /** A value as text, and how it stands to the others of its column. */
    public record Cell(String text, Rank rank) {}

    /** The rank of a value among the others of its column. */
    public enum Rank {
        BEST,
        OTHER
    }

    public Pivot {
        columns = List.copyOf(columns);
        rows = List.copyOf(rows);
    }
}
