package latentmix.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadataNode;
import org.junit.jupiter.api.Test;

class GifEncoderTest {
    @Test
    void anAnimationHoldsEveryFrameForItsTimeAndRunsForever() throws Exception {
        List<Pixels> frames = IntStream.range(0, 5).mapToObj(i -> frame(40 * i)).toList();
        byte[] gif = GifEncoder.encode(frames, 7);

        ImageReader reader = ImageIO.getImageReadersByFormatName("gif").next();
        reader.setInput(ImageIO.createImageInputStream(new ByteArrayInputStream(gif)));
        assertThat(reader.getNumImages(true)).isEqualTo(5);
        for (int i = 0; i < 5; i++) {
            BufferedImage image = reader.read(i);
            assertThat(image.getWidth()).isEqualTo(6);
            assertThat(image.getHeight()).isEqualTo(3);
            for (int p = 0; p < 18; p++) {
                byte[] rgb = frames.get(i).rgb();
                int expected = (rgb[3 * p] & 0xff) << 16 | (rgb[3 * p + 1] & 0xff) << 8 | (rgb[3 * p + 2] & 0xff);
                assertThat(image.getRGB(p % 6, p / 6) & 0xffffff).isEqualTo(expected);
            }
            IIOMetadataNode root =
                    (IIOMetadataNode) reader.getImageMetadata(i).getAsTree("javax_imageio_gif_image_1.0");
            IIOMetadataNode control = (IIOMetadataNode)
                    root.getElementsByTagName("GraphicControlExtension").item(0);
            assertThat(control.getAttribute("delayTime")).isEqualTo("7");
        }
        // a NETSCAPE2.0 extension, a sub-block of 3 bytes: 1, and 0 repetitions, which means no end
        assertThat(new String(gif, StandardCharsets.ISO_8859_1)).contains("NETSCAPE2.0\3\1\0\0\0");
        assertThat(GifEncoder.encode(frames, 7)).isEqualTo(gif);
    }

    @Test
    void moreColoursThanAPaletteHasAreDrawnByNearOnes() throws Exception {
        byte[] rgb = new byte[3 * 64 * 64];
        for (int i = 0; i < 64 * 64; i++) { // 4096 colours
            rgb[3 * i] = (byte) (i % 64 * 4);
            rgb[3 * i + 1] = (byte) (i / 64 * 4);
            rgb[3 * i + 2] = (byte) 100;
        }
        byte[] gif = GifEncoder.encode(List.of(new Pixels(64, 64, rgb)), 7);
        BufferedImage image = ImageIO.read(new ByteArrayInputStream(gif));
        for (int i = 0; i < 64 * 64; i++) { // 16 of them an entry
            int colour = image.getRGB(i % 64, i / 64);
            assertThat(Math.abs((colour >> 16 & 0xff) - i % 64 * 4)).isLessThanOrEqualTo(8);
            assertThat(Math.abs((colour >> 8 & 0xff) - i / 64 * 4)).isLessThanOrEqualTo(8);
            assertThat(colour & 0xff).isEqualTo(100);
        }
    }

    private static Pixels frame(int shade) {
        byte[] rgb = new byte[3 * 18];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (shade + 3 * (i % 18)); // few colours: kept as they are
        }
        return new Pixels(6, 3, rgb);
    }
}
