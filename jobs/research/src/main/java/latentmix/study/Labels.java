package latentmix.study;

import java.util.ArrayList;
import java.util.List;
import latentmix.study.StudyConfig.Axis;
import latentmix.study.StudyConfig.Cells;

/**
 * The name that a person gives a series of cells: the method, and those other factors that differ and are not along the
 * axis.
 */
final class Labels {
    private Labels() {}

    static String series(Cells cells, Axis axis, CurveRow row) {
        List<String> parts = new ArrayList<>();
        if (axis != Axis.METHOD) {
            parts.add(row.method());
        }
        if (axis != Axis.INPUTS && cells.inputs(row.method()).size() > 1) {
            parts.add("N = " + row.inputs());
        }
        if (axis != Axis.WEIGHTS && cells.weights().size() > 1) {
            parts.add(row.weights());
        }
        if (axis != Axis.POOL && cells.pools().size() > 1) {
            parts.add(row.pool());
        }
        if (axis != Axis.SETTING && cells.settings().size() > 1) {
            parts.add(cells.factor() + " " + row.setting());
        }
        return parts.isEmpty() ? "all" : String.join(", ", parts);
    }
}
