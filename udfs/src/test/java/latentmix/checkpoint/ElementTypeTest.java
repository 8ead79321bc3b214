package latentmix.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ElementTypeTest {
    @Test
    void everyHalfHasTheValueThatItsFieldsMeanAndComesBack() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            int exponent = (bits >> 10) & 0x1f;
            int fraction = bits & 0x3ff;
            double magnitude = exponent == 31
                    ? (fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN)
                    : exponent == 0
                            ? fraction * Math.scalb(1.0, -24)
                            : (1024 + fraction) * Math.scalb(1.0, exponent - 25);
            float value = ElementType.halfToFloat((short) bits);
            assertThat((Double) (double) value).isEqualTo((Double) ((bits & 0x8000) != 0 ? -magnitude : magnitude));
            if (!Double.isNaN(magnitude)) {
                assertThat(ElementType.floatToHalf(value)).isEqualTo((short) bits);
            }
        }
    }

    @Test
    void floatsBetweenTwoHalvesGoToTheNearerAndFromTheMiddleToTheEvenOne() {
        for (int bits = 0; bits < 0x7bff; bits++) {
            float low = ElementType.halfToFloat((short) bits);
            float high = ElementType.halfToFloat((short) (bits + 1));
            float middle = (low + high) / 2; // exact in float
            int even = (bits & 1) == 0 ? bits : bits + 1;
            assertThat(ElementType.floatToHalf(middle)).isEqualTo((short) even);
            assertThat(ElementType.floatToHalf(Math.nextDown(middle))).isEqualTo((short) bits);
            assertThat(ElementType.floatToHalf(Math.nextUp(middle))).isEqualTo((short) (bits + 1));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1.0, 0x3f80",
        "-2.5, 0xc020",
        "1.00390625, 0x3f80", // half way between 1 and 1 + 2^-7: the even one
        "1.01171875, 0x3f82", // half way between 1 + 2^-7 and 1 + 2^-6
        "1.0039063692092896, 0x3f81", // just above half way
        "3.4e38, 0x7f80", // rounds beyond the largest
        "Infinity, 0x7f80"
    })
    void floatsGoToTheNearestBfloat16(float value, String bits) {
        assertThat(ElementType.floatToBfloat16(value)).isEqualTo((short) (int) Integer.decode(bits));
    }

    @ParameterizedTest
    @CsvSource({"F32", "F16", "BF16"})
    void whatIsEncodedIsDecodedFromWhereTheBufferStands(ElementType type) {
        float[] values = {1.5f, -0.25f, 0, 384};
        ByteBuffer bytes =
                ByteBuffer.allocate(100).order(ByteOrder.LITTLE_ENDIAN).position(4);
        type.encode(values, 4, bytes);
        assertThat(bytes.position()).isEqualTo(4 + 4 * type.bytes());
        float[] decoded = new float[4];
        type.decode(bytes.position(4), decoded, 4);
        assertThat(decoded).isEqualTo(values);
        assertThat(bytes.position()).isEqualTo(4 + 4 * type.bytes());
    }
}
