package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Random;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.JsonObject;
import latentmix.image.Pixels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClipImageProcessorTest {
    private static ClipImageProcessor of(String json) throws JsonProcessingException {
        return ClipImageProcessor.of(new JsonObject(new ObjectMapper().readTree(json), "preprocessor_config.json"));
    }

    @Test
    void absentKeysMeanTheLibrarysDefaults() throws Exception {
        ClipImageProcessor processor = of("{}");
        assertThat(processor.shortestEdge()).isEqualTo(224);
        assertThat(processor.cropSize()).isEqualTo(224);
        assertThat(processor.rescaleFactor()).isEqualTo(1 / 255.0);
        assertThat(processor.mean()).containsExactly(0.48145466, 0.4578275, 0.40821073);
        assertThat(processor.std()).containsExactly(0.26862954, 0.26130258, 0.27577711);
    }

    @Test
    void sizesMayBeNumbersAsInOldFilesOrObjectsAsInNewOnes() throws Exception {
        assertThat(of("{\"size\": 48, \"crop_size\": 32, \"feature_extractor_type\": \"CLIPFeatureExtractor\"}"))
                .isEqualTo(
                        of(
                                """
                                {"size": {"shortest_edge": 48}, "crop_size": {"height": 32, "width": 32},
                                 "image_processor_type": "CLIPImageProcessor"}
                                """));
    }

    @Test
    void theMiddleOfALargerSquareIsTaken() throws Exception {
        byte[] rgb = new byte[3 * 48 * 60];
        new Random(2).nextBytes(rgb);
        float[] values =
                of("""
                        {"size": 48, "crop_size": 32, "rescale_factor": 1,
                         "image_mean": [0, 0, 100], "image_std": [1, 2, 1]}
                        """)
                        .pixelValues(new Pixels(60, 48, rgb)); // its short side is 48 already
        assertThat(values).hasSize(3 * 32 * 32);
        int first = 3 * (8 * 60 + 14);
        assertThat(values[0]).isEqualTo(rgb[first] & 0xff);
        assertThat(values[32 * 32]).isEqualTo((rgb[first + 1] & 0xff) / 2f);
        int last = 3 * (39 * 60 + 45) + 2;
        assertThat(values[values.length - 1]).isEqualTo((rgb[last] & 0xff) - 100);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
            "do_resize": false | do_resize
            "do_center_crop": false | do_center_crop
            "do_rescale": false | do_rescale
            "do_normalize": false | do_normalize
            "resample": 2 | resample
            "image_processor_type": "ViTImageProcessor" | image_processor_type
            "feature_extractor_type": "ViTFeatureExtractor" | feature_extractor_type
            "size": {"height": 224, "width": 224} | size
            "size": 0 | size
            "crop_size": 225 | crop_size
            "crop_size": {"height": 200, "width": 100} | crop_size
            "rescale_factor": "1/255" | rescale_factor
            "image_mean": [0.5] | image_mean
            "image_std": [0, 1, 1] | image_std
            """)
    void whatWouldBeAnotherComputationIsRefusedByName(String setting, String key) {
        assertThatThrownBy(() -> of("{" + setting + "}"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith("preprocessor_config.json: " + key + " must be ");
    }
}
