package latentmix.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageInputStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;

/** The mark as the JDK's own readers of PNG and XML see it. */
class SyntheticMarkTest {
    private static final String ID = "0123abcd";

    private static byte[] image() {
        byte[] rgb = new byte[3 * 9 * 7];
        new Random(1).nextBytes(rgb);
        return PngEncoder.encode(new Pixels(9, 7, rgb));
    }

    @Test
    void theMarkIsAnXmpPacketThatSaysWhatMadeTheImageAndWhichItIs() throws Exception {
        ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
        IIOMetadataNode text;
        try (ImageInputStream in =
                ImageIO.createImageInputStream(new ByteArrayInputStream(SyntheticMark.on(image(), ID)))) {
            reader.setInput(in);
            IIOMetadataNode root = (IIOMetadataNode) reader.getImageMetadata(0).getAsTree("javax_imageio_png_1.0");
            text = (IIOMetadataNode) root.getElementsByTagName("iTXtEntry").item(0);
        }
        assertThat(text.getAttribute("keyword")).isEqualTo("XML:com.adobe.xmp");
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        Document packet = factory.newDocumentBuilder()
                .parse(new ByteArrayInputStream(text.getAttribute("text").getBytes(StandardCharsets.UTF_8)));
        assertThat(packet.getElementsByTagNameNS("http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "DigitalSourceType")
                        .item(0)
                        .getTextContent())
                .isEqualTo("http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia");
        assertThat(packet.getElementsByTagNameNS("http://purl.org/dc/elements/1.1/", "identifier")
                        .item(0)
                        .getTextContent())
                .isEqualTo(ID);
    }

    @Test
    void pixelsStayAsTheyAre() throws Exception {
        Pixels plain = ImageDecoder.decode(image(), 100);
        byte[] marked = SyntheticMark.on(image(), ID);
        assertThat(ImageDecoder.decode(marked, 100).rgb()).isEqualTo(plain.rgb());
        assertThat(marked).isEqualTo(SyntheticMark.on(image(), ID)).isNotEqualTo(SyntheticMark.on(image(), "other"));
        assertThat(marked.length - image().length).isBetween(500, 700);
    }

    @Test
    void whatIsNoPngFileOrNoIdIsRefused() {
        assertThatThrownBy(() -> SyntheticMark.on(new byte[100], ID)).hasMessageContaining("must be a PNG file");
        assertThatThrownBy(() -> SyntheticMark.on(new byte[3], ID)).hasMessageContaining("must be a PNG file");
        assertThatThrownBy(() -> SyntheticMark.on(image(), "<a>")).hasMessageContaining("letters, digits and hyphens");
    }
}
