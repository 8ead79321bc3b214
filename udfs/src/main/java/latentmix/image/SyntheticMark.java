package latentmix.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;

/**
 * The mark of an image that a model made: an XMP packet with IPTC's digital source type <a
 * href="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia">trainedAlgorithmicMedia</a>, in an iTXt
 * chunk behind a PNG file's header (<a href="https://www.w3.org/TR/png-3/#11iTXt">PNG, 11.3.3.4</a>; XMP part 3,
 * 1.1.5). Pixels stay as they are.
 */
public final class SyntheticMark {
    /** The digital source type. */
    public static final String SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final int HEADER = SIGNATURE.length + 4 + 4 + 13 + 4; // with IHDR, always the first chunk
    private static final String KEYWORD = "XML:com.adobe.xmp\0\0\0\0\0"; // not compressed, no language, no translation

    private SyntheticMark() {}

    /** The packet; id says which image it is, of letters, digits and hyphens. */
    public static String xmp(String id) {
        if (!id.matches("[A-Za-z0-9-]*")) {
            throw new IllegalArgumentException("An id must have letters, digits and hyphens alone, cannot be: " + id);
        }
        return """
                <?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
                <x:xmpmeta xmlns:x="adobe:ns:meta/">
                <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
                <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
                 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
                <Iptc4xmpExt:DigitalSourceType>%s</Iptc4xmpExt:DigitalSourceType>
                <dc:identifier>%s</dc:identifier>
                </rdf:Description></rdf:RDF></x:xmpmeta>
                <?xpacket end="r"?>"""
                .formatted(SOURCE_TYPE, id);
    }

    /**
     * A PNG file with the mark.
     *
     * @throws IllegalArgumentException if it is no PNG file
     */
    public static byte[] on(byte[] png, String id) {
        if (png.length < HEADER || !Arrays.equals(png, 0, SIGNATURE.length, SIGNATURE, 0, SIGNATURE.length)) {
            throw new IllegalArgumentException("A marked image must be a PNG file, cannot be one that begins with "
                    + Arrays.toString(Arrays.copyOf(png, Math.min(png.length, SIGNATURE.length))));
        }
        byte[] text = (KEYWORD + xmp(id)).getBytes(StandardCharsets.UTF_8);
        byte[] chunk = ByteBuffer.allocate(4 + text.length)
                .put("iTXt".getBytes(StandardCharsets.US_ASCII))
                .put(text)
                .array();
        CRC32 crc = new CRC32();
        crc.update(chunk);
        ByteArrayOutputStream marked = new ByteArrayOutputStream(png.length + chunk.length + 8);
        marked.write(png, 0, HEADER);
        marked.writeBytes(ByteBuffer.allocate(4).putInt(text.length).array());
        marked.writeBytes(chunk);
        marked.writeBytes(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
        marked.write(png, HEADER, png.length - HEADER);
        return marked.toByteArray();
    }
}
