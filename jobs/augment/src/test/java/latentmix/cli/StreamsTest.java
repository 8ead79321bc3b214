package latentmix.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class StreamsTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void pipedProgressIsAPlainLineNowAndThen() {
        AtomicLong now = new AtomicLong();
        Streams piped = new Streams.Piped(new PrintWriter(out, true), new PrintWriter(err, true), now::get);
        piped.progress("1 of 9");
        now.addAndGet(Duration.ofSeconds(11).toNanos());
        piped.progress("2 of 9");
        piped.progress("3 of 9");
        piped.say("9 of 9");
        now.addAndGet(Duration.ofSeconds(11).toNanos()); // between two stages
        piped.progress("1 of 2");
        piped.say("2 of 2");
        piped.warn("a class is small");
        assertThat(out.toString().lines()).containsExactly("2 of 9", "9 of 9", "2 of 2");
        assertThat(err.toString().lines()).containsExactly("a class is small");
    }

    @Test
    void watchedProgressIsOneLineThatTheNextOneReplaces() {
        Streams watched = new Streams.Watched(new PrintWriter(out, true), new PrintWriter(err, true));
        watched.progress("1 of 9");
        watched.progress("2 of 9");
        watched.say("9 of 9");
        watched.say("done");
        assertThat(out.toString())
                .isEqualToNormalizingNewlines("\r1 of 9\u001b[K\r2 of 9\u001b[K\r9 of 9\u001b[K\ndone\n");
    }
}
