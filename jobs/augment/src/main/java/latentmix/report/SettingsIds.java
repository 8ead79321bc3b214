package latentmix.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;

/**
 * The settings ids under which a run's rows stand, by stage.
 *
 * @param mix one id for each of the configuration's mixing entries, in its order
 * @param filter empty, and not written, without one
 * @param evaluate one id for each of these entries, then that of the lines of reference; empty where nothing is to be
 *     measured
 */
public record SettingsIds(
        String invert,
        List<String> mix,
        String generate,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) String filter,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<String> evaluate) {
    public SettingsIds {
        mix = List.copyOf(mix);
        evaluate = List.copyOf(evaluate);
    }
}
