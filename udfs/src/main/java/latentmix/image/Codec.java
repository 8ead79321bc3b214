package latentmix.image;

import com.twelvemonkeys.imageio.plugins.jpeg.JPEGImageReaderSpi;
import com.twelvemonkeys.imageio.plugins.tiff.TIFFImageReaderSpi;
import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import com.twelvemonkeys.imageio.stream.ByteArrayImageInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.StreamSupport;
import javax.imageio.ImageReader;
import javax.imageio.ImageWriter;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.spi.ImageWriterSpi;
import javax.imageio.spi.ServiceRegistry;

/**
 * The ImageIO plugins that read and write image files, each chosen by its class. ImageIO's own choice is the first
 * plugin of a format, and that changes with the jars on the class path.
 */
final class Codec {
    /** TwelveMonkeys' reader, which gives broken files to Java's reader in a form that it understands. */
    static final ImageReaderSpi JPEG = jpeg();

    static final ImageReaderSpi WEBP = new WebPImageReaderSpi();
    static final ImageReaderSpi TIFF = new TIFFImageReaderSpi();
    static final ImageReaderSpi PNG = jdk(ImageReaderSpi.class, "com.sun.imageio.plugins.png.PNGImageReaderSpi");
    static final ImageReaderSpi GIF = jdk(ImageReaderSpi.class, "com.sun.imageio.plugins.gif.GIFImageReaderSpi");
    static final ImageReaderSpi BMP = jdk(ImageReaderSpi.class, "com.sun.imageio.plugins.bmp.BMPImageReaderSpi");

    static final ImageWriterSpi PNG_WRITER = jdk(ImageWriterSpi.class, "com.sun.imageio.plugins.png.PNGImageWriterSpi");
    static final ImageWriterSpi GIF_WRITER = jdk(ImageWriterSpi.class, "com.sun.imageio.plugins.gif.GIFImageWriterSpi");

    private Codec() {}

    /** A reader of one file, whose metadata it ignores. */
    static ImageReader reader(ImageReaderSpi plugin, byte[] file) throws IOException {
        ImageReader reader = plugin.createReaderInstance(null);
        reader.setInput(new ByteArrayImageInputStream(file), true, true);
        return reader;
    }

    /** A writer, which its user disposes of. */
    static ImageWriter writer(ImageWriterSpi plugin) {
        try {
            return plugin.createWriterInstance(null);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Java's image writer " + plugin.getClass().getName() + " must start", e);
        }
    }

    /** TwelveMonkeys' plugin finds Java's in the registry that it is put into, so it has one of its own. */
    private static ImageReaderSpi jpeg() {
        ServiceRegistry registry =
                new ServiceRegistry(List.<Class<?>>of(ImageReaderSpi.class).iterator());
        registry.registerServiceProvider(jdk(ImageReaderSpi.class, "com.sun.imageio.plugins.jpeg.JPEGImageReaderSpi"));
        ImageReaderSpi plugin = new JPEGImageReaderSpi();
        registry.registerServiceProvider(plugin);
        return plugin;
    }

    /** The JDK's own plugin of this class, whose package the JDK does not export. */
    private static <T> T jdk(Class<T> kind, String name) {
        var plugins = IIORegistry.getDefaultInstance().getServiceProviders(kind, false);
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(plugins, Spliterator.ORDERED), false)
                .filter(plugin -> plugin.getClass().getName().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("Java's image plugin " + name
                        + " is expected, this JVM has none; use a JDK with java.desktop"));
    }
}
