package latentmix.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class PngEncoderTest {
    @Test
    void anEncodedImageDecodesToTheSamePixels() throws Exception {
        byte[] rgb = new byte[3 * 37 * 21];
        new Random(1).nextBytes(rgb);
        Pixels image = new Pixels(37, 21, rgb);

        byte[] png = PngEncoder.encode(image);

        assertThat(ImageDecoder.decode(png, 37 * 21).rgb()).isEqualTo(rgb);
        assertThat(PngEncoder.encode(image)).isEqualTo(png);
    }
}
