package latentmix.codec;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Expected bytes are those of numpy's {@code astype("<f4").tobytes().hex()}. */
class LittleEndianTest {
    private static final float[] VALUES = {1, -2.5f, 0.1f, Float.MIN_VALUE, Float.POSITIVE_INFINITY};
    private static final String HEX = "0000803f000020c0cdcccc3d010000000000807f";

    @Test
    void floatsBecomeTheirFourBytesWithTheLowestFirst() {
        assertThat(LittleEndian.bytes(VALUES)).asHexString().isEqualToIgnoringCase(HEX);
        assertThat(LittleEndian.bytes(VALUES, 1, 2)).asHexString().isEqualToIgnoringCase(HEX.substring(8, 24));
    }

    @Test
    void doublesAreRoundedToFloatsFirst() {
        assertThat(LittleEndian.bytes(new double[] {1, -2.5, 0.1, 1.4e-45, 1e300}))
                .asHexString()
                .isEqualToIgnoringCase(HEX);
    }

    @Test
    void bytesBecomeTheFloatsAgain() {
        byte[] bytes = HexFormat.of().parseHex(HEX);
        assertThat(LittleEndian.floats(bytes)).containsExactly(VALUES);
        assertThat(LittleEndian.doubles(bytes))
                .containsExactly(1, -2.5, 0.1f, Float.MIN_VALUE, Double.POSITIVE_INFINITY);
    }

    @Test
    void aRowIsReadIntoItsPlaceOfABatch() {
        float[] batch = new float[5];
        LittleEndian.floats(HexFormat.of().parseHex(HEX), batch, 2, 2);
        assertThat(batch).containsExactly(0, 0, 1, -2.5f, 0);
    }

    @Test
    void buffersWriteTheLowestByteFirst() {
        assertThat(LittleEndian.buffer(4).putInt(0x01020304).array()).containsExactly(4, 3, 2, 1);
        assertThat(LittleEndian.direct(4).putInt(0x01020304).get(0)).isEqualTo((byte) 4);
    }
}
