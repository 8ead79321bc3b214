package latentmix.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Holds a configuration file to the JSON Schema that its first line names, as editors do. */
public final class Schemas {
    private static final String MODELINE = "# yaml-language-server: $schema=";

    private Schemas() {}

    /** What the schema says against a file. */
    public static List<String> problems(Path file) throws IOException {
        String text = Files.readString(file);
        assertThat(text).startsWith(MODELINE);
        String location = text.substring(MODELINE.length(), text.indexOf('\n')).strip();
        String schema = Files.readString(file.resolveSibling(location));
        return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V7)
                .getSchema(schema)
                .validate(SchemaWriter.yaml(text))
                .stream()
                .map(Object::toString)
                .toList();
    }
}
