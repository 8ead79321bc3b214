package latentmix.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import org.junit.jupiter.api.Test;

class CodecTest {
    private static final Path IMAGES = Path.of("src/test/resources/images");

    /** A plugin that says it reads JPEG and PNG files, and cannot. */
    private static final class Stranger extends ImageReaderSpi {
        Stranger() {
            names = new String[] {"jpeg", "png"};
        }

        @Override
        public boolean canDecodeInput(Object source) {
            return true;
        }

        @Override
        public ImageReader createReaderInstance(Object extension) {
            throw new UnsupportedOperationException("A stranger was asked to read");
        }

        @Override
        public String getDescription(Locale locale) {
            return "stranger";
        }
    }

    @Test
    void eachFormatHasThePluginOfItsClass() throws IOException {
        assertThat(plugin(Codec.JPEG)).isEqualTo("com.twelvemonkeys.imageio.plugins.jpeg.JPEGImageReaderSpi");
        assertThat(plugin(Codec.WEBP)).isEqualTo("com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi");
        assertThat(plugin(Codec.PNG)).isEqualTo("com.sun.imageio.plugins.png.PNGImageReaderSpi");
        assertThat(plugin(Codec.GIF)).isEqualTo("com.sun.imageio.plugins.gif.GIFImageReaderSpi");
        assertThat(plugin(Codec.BMP)).isEqualTo("com.sun.imageio.plugins.bmp.BMPImageReaderSpi");
    }

    @Test
    void aPluginThatImageIoPrefersIsNotAsked() throws Exception {
        byte[] jpeg = Files.readAllBytes(IMAGES.resolve("ycc-420.jpg"));
        byte[] png = Files.readAllBytes(IMAGES.resolve("rgb.png"));
        byte[] before = ImageDecoder.decode(jpeg, 1 << 20).rgb();
        IIORegistry registry = IIORegistry.getDefaultInstance();
        Stranger stranger = new Stranger();
        registry.registerServiceProvider(stranger, ImageReaderSpi.class);
        try {
            registry.getServiceProviders(ImageReaderSpi.class, false).forEachRemaining(other -> {
                if (other != stranger) {
                    registry.setOrdering(ImageReaderSpi.class, stranger, other);
                }
            });
            assertThat(registry.getServiceProviders(ImageReaderSpi.class, true).next())
                    .isSameAs(stranger);

            assertThat(ImageDecoder.decode(jpeg, 1 << 20).rgb()).isEqualTo(before);
            assertThat(ImageDecoder.decode(png, 1 << 20).width()).isPositive();
        } finally {
            registry.deregisterServiceProvider(stranger, ImageReaderSpi.class);
        }
    }

    @Test
    void theChoiceOfImageIoIsLeftAsItIs() {
        ImageReader first = ImageIO.getImageReadersByFormatName("jpeg").next();
        assertThat(first.getOriginatingProvider()).isNotSameAs(Codec.JPEG);
    }

    private static String plugin(ImageReaderSpi plugin) throws IOException {
        return Codec.reader(plugin, new byte[0])
                .getOriginatingProvider()
                .getClass()
                .getName();
    }
}
