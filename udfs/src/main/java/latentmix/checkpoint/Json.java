package latentmix.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The JSON files of a checkpoint. */
public final class Json {
    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .enable(
                    JsonReadFeature
                            .ALLOW_NON_NUMERIC_NUMBERS) // Python writes -Infinity: DPM-Solver's lambda_min_clipped
            .build();

    private Json() {}

    /** Reads a file that must hold a JSON object. */
    public static JsonNode read(Path path) {
        if (!Files.isRegularFile(path)) {
            throw new CheckpointException("There is no file " + path + "; a checkpoint in diffusers layout has it");
        }
        try {
            JsonNode node = MAPPER.readTree(Files.readAllBytes(path));
            if (!node.isObject()) {
                throw new CheckpointException(path + " should hold a JSON object, but holds " + node.getNodeType());
            }
            return node;
        } catch (JsonProcessingException e) {
            throw new CheckpointException(path + " is not valid JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + path, e);
        }
    }
}
