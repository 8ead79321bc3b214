package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import org.junit.jupiter.api.Test;

class DeviceCheckTest {
    @Test
    void aCpuDiffersFromItselfByRoundingAlone() {
        assertThat(DeviceCheck.difference(Device.cpu(), Dtype.FLOAT32)).isZero();
        assertThat(DeviceCheck.difference(Device.cpu(), Dtype.BFLOAT16))
                .isGreaterThan(DeviceCheck.bound(Dtype.FLOAT32) / 100)
                .isLessThan(DeviceCheck.bound(Dtype.BFLOAT16));
    }

    @Test
    void aFormatThatADeviceDoesNotHaveIsRefused() {
        assertThatThrownBy(() -> DeviceCheck.difference(Device.cpu(), Dtype.FLOAT16))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("float16 needs a GPU");
    }
}
