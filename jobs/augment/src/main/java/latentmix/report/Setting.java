package latentmix.report;

import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import latentmix.config.RunKeys;

/**
 * A key of a configuration's section and its value.
 *
 * @param name the key, as the YAML file spells it
 * @param value empty where the section leaves it out
 */
public record Setting(String name, Optional<Object> value) {
    /** The keys of a section, in their order. */
    public static List<Setting> of(Record section) {
        return Arrays.stream(section.getClass().getRecordComponents())
                .map(component -> new Setting(name(component), value(component, section)))
                .toList();
    }

    /** The keys of a section of this name. A key that the file leaves out has its default, such as {@code auto}. */
    public static List<Setting> of(String name, Record section) {
        return of(section).stream()
                .map(setting ->
                        new Setting(setting.name, setting.value.or(() -> RunKeys.byDefault(name, setting.name))))
                .toList();
    }

    /** The value as people read it: a list's elements stand between commas. */
    public String text() {
        return value.map(Setting::text).orElse("");
    }

    private static String text(Object value) {
        if (value instanceof Collection<?> values) {
            return values.stream().map(Setting::text).collect(Collectors.joining(", "));
        }
        if (value instanceof Map<?, ?> values) {
            return values.entrySet().stream()
                    .map(entry -> entry.getKey() + ": " + entry.getValue())
                    .sorted()
                    .collect(Collectors.joining(", "));
        }
        return value.toString();
    }

    private static String name(RecordComponent component) {
        return component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }

    private static Optional<Object> value(RecordComponent component, Record section) {
        try {
            Object value = component.getAccessor().invoke(section);
            return value instanceof Optional<?> optional
                    ? optional.map(Object.class::cast)
                    : Optional.ofNullable(value);
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException(
                    "A configuration's sections must be public records, cannot be: " + section.getClass(), e);
        }
    }
}
