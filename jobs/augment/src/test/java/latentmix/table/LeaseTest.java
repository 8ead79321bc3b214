package latentmix.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LeaseTest {
    private static final Duration TIME = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private RunFolder run;
    private final AtomicInteger losses = new AtomicInteger();

    /** A watcher's clock: while it sleeps, others do what they do. */
    private static final class Watch implements Lease.Time {
        private final Runnable meanwhile;
        private long nanos;

        Watch(Runnable meanwhile) {
            this.meanwhile = meanwhile;
        }

        @Override
        public long nanos() {
            return nanos;
        }

        @Override
        public void sleep(Duration time) {
            nanos += time.toNanos();
            meanwhile.run();
        }

        Duration elapsed() {
            return Duration.ofNanos(nanos);
        }
    }

    @BeforeEach
    void aRunFolder() {
        run = new RunFolder(folder.toString(), new Configuration());
    }

    private Lease take(Lease.Time clock) throws IOException {
        return Lease.take(run, TIME, losses::incrementAndGet, clock);
    }

    @Test
    void aLivingLeaseIsRefusedAtItsFirstSignOfLife() throws IOException {
        Lease living = take(new Watch(() -> {}));
        Watch watch = new Watch(living::beat);
        assertThatThrownBy(() -> take(watch))
                .isInstanceOf(Lease.HeldException.class)
                .hasMessageContaining("another run holds the run folder " + folder)
                .hasMessageNotContaining("\n");
        assertThat(watch.elapsed()).isLessThan(TIME);
        living.check();
        assertThat(losses).hasValue(0);
    }

    @Test
    void aDeadRunsLeaseIsTakenOverAfterItsTimeAndNotBefore() throws IOException {
        Lease dead = take(new Watch(() -> {}));
        dead.beat();
        Watch watch = new Watch(() -> {});
        Lease next = take(watch);
        assertThat(watch.elapsed()).isBetween(TIME, TIME.plusSeconds(5));
        next.beat();
        next.check();
        assertThatThrownBy(() -> take(new Watch(next::beat))).isInstanceOf(Lease.HeldException.class);
    }

    @Test
    void aRunThatWasThoughtDeadLearnsThatItLostItsFolderAndLeavesTheOthersLease() throws IOException {
        Lease paused = take(new Watch(() -> {}));
        Lease next = take(new Watch(() -> {}));
        paused.beat();
        paused.beat();
        assertThat(losses).hasValue(1);
        assertThatThrownBy(paused::check).isInstanceOf(Lease.HeldException.class);
        paused.close();
        next.beat();
        next.check();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1970-01-02T00:00:00Z", "2100-01-01T00:00:00Z"})
    void clocksThatGoWrongNeitherEndALivingLeaseNorProlongADeadOne(String wrong) throws IOException {
        Lease holder = take(new Watch(() -> {}));
        assertThatThrownBy(() -> take(new Watch(() -> {
                    holder.beat();
                    modified(wrong);
                })))
                .isInstanceOf(Lease.HeldException.class);
        Watch watch = new Watch(() -> modified(wrong));
        take(watch).check();
        assertThat(watch.elapsed()).isBetween(TIME, TIME.plusSeconds(5));
    }

    private void modified(String time) {
        try {
            Files.setLastModifiedTime(folder.resolve("lease.json"), FileTime.from(Instant.parse(time)));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aLeaseThatIsGivenUpIsFreeAtOnce() throws IOException {
        take(new Watch(() -> {})).close();
        assertThat(folder).isEmptyDirectory();
        Watch watch = new Watch(() -> {});
        take(watch).close();
        assertThat(watch.elapsed()).isZero();
    }

    @Test
    void aLeaseLivesLongerThanItsTimeWhileItsHolderDoes() throws Exception {
        Duration time = Duration.ofMillis(600);
        try (Lease living = Lease.take(run, time, losses::incrementAndGet)) {
            Thread.sleep(2 * time.toMillis());
            assertThatThrownBy(() -> Lease.take(run, Duration.ofSeconds(30), losses::incrementAndGet))
                    .isInstanceOf(Lease.HeldException.class);
            living.check();
        }
        assertThat(losses).hasValue(0);
    }
}
