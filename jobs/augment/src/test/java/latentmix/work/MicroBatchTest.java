package latentmix.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MicroBatchTest {
    private record Part(int from, int to, int halvings) {}

    private final List<Part> called = new ArrayList<>();

    @AfterEach
    void aDeviceThatWorks() {
        FailingDevice.isMended();
    }

    private List<Part> run(int rows) {
        return MicroBatch.run(rows, Device.cpu(), (from, to, halvings) -> {
            called.add(new Part(from, to, halvings));
            return new Part(from, to, halvings);
        });
    }

    @Test
    void whatFitsRunsWhole() {
        assertThat(run(7)).containsExactly(new Part(0, 7, 0));
    }

    @Test
    void whatDoesNotFitRunsInHalvesThatKeepTheirOrderAndSayHowOftenTheyWereHalved() {
        FailingDevice.hasMemoryFor(3);
        assertThat(run(7)).containsExactly(new Part(0, 2, 2), new Part(2, 4, 2), new Part(4, 7, 1));
        assertThat(called).as("each row once").hasSize(3);
        assertThat(run(3)).containsExactly(new Part(0, 3, 0));
    }

    @Test
    void aDeviceWithoutMemoryForOneRowIsAnErrorThatSaysWhatToDo() {
        FailingDevice.hasMemoryFor(0);
        assertThatThrownBy(() -> run(4))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("Expected memory on cpu() for one row at a time")
                .hasMessageContaining("--gpus")
                .hasRootCauseInstanceOf(EngineException.class);
    }

    @Test
    void anotherFailureIsNotTriedAgain() {
        FailingDevice.isBroken();
        assertThatThrownBy(() -> run(4))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("an illegal memory access");
        assertThat(called).isEmpty();
    }
}
