package latentmix.latent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MethodTest {
    @Test
    void everyMethodOfTheGridIsReadFromItsOwnName() {
        // 6 norms × 5 splits, 4 norms × 5 splits @channel, 4 norms × 3 splits @band
        assertThat(MeanAdjusted.all()).hasSize(30 + 20 + 12).doesNotHaveDuplicates();
        for (var method : MeanAdjusted.all()) {
            assertThat(Method.parse(method.toString())).isEqualTo(method);
        }
        assertThat(Method.parse("nin/chm")).isEqualTo(new MeanAdjusted(new Nin(), new ChannelMeanSplit(), new Whole()));
        assertThat(Method.parse("fix/cmm@band"))
                .isEqualTo(new MeanAdjusted(new Fix(), new ClassMeanSplit(), new PerBand(1)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "nin",
                "nin/",
                "/chm",
                "nin/chm/x",
                "nin/chm@",
                "nin/chm@whole",
                "NIN/chm",
                "nin/chm ",
                "slurp",
                "tint",
                "tint(",
                "tint(x)",
                "slerp(2)",
                "cog(lp)",
                "sdedit()",
                "diff-mix",
                "diff-mix(0.5, x)"
            })
    void unknownSpellingsAreRefusedWithTheName(String name) {
        assertThatThrownBy(() -> Method.parse(name))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'" + name + "'");
    }

    @Test
    void anUnknownPartIsRefusedWithTheKnownOnes() {
        assertThatThrownBy(() -> Method.parse("nim/chm"))
                .hasMessageContaining("lin fix nin lol ess coh")
                .hasMessageContaining("'nim'");
        assertThatThrownBy(() -> Method.parse("nin/x"))
                .hasMessageContaining("0 m chm lp cmm")
                .hasMessageContaining("'x'");
        assertThatThrownBy(() -> Method.parse("nin/0@x"))
                .hasMessageContaining("@channel @band")
                .hasMessageContaining("'@x'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"lin/0@channel", "lin/chm@band", "lol/0@band", "lol/cmm@channel"})
    void aScopeNeedsANormThatIsRestored(String name) {
        assertThatThrownBy(() -> Method.parse(name)).hasMessageContaining("use fix, nin, ess or coh");
    }

    @ParameterizedTest
    @CsvSource({"nin/chm@band, nin/0@band", "fix/m@band, fix/0@band", "ess/chm@band, ess/0@band"})
    void withBandsTheSplitsThatMakeNoDifferenceAreRefusedWithTheOneSpelling(String name, String instead) {
        assertThatThrownBy(() -> Method.parse(name)).hasMessageContaining("write '" + instead + "'");
    }

    @ParameterizedTest
    @CsvSource({
        "lin/0, 1", "fix/0, 8", "nin/0, 8", "ess/0, 8", "lol/0, 8", "nin/m, 8", "nin/0@channel, 8", // √64
        "nin/chm, 1", "fix/chm, 1", "lol/chm, 1", "nin/lp, 1", "nin/cmm, 1", "lol/cmm, 1", "fix/0@band, 1"
    })
    void theGainOf64InputsIsPredictedToBe(String name, double gain) {
        assertThat(Method.parse(name).predictedGain(64)).isEqualTo(gain, within(1e-12));
    }

    @Test
    void aClassMeanNeedsAPoolOfTwiceTheInputsAndWantsFourTimesTheEffectiveCount() {
        var cmm = Method.parse("nin/cmm");
        assertThat(cmm.poolError(15, 8))
                .hasValueSatisfying(error -> assertThat(error).contains("16", "15"));
        assertThat(cmm.poolError(16, 8)).isEmpty();
        assertThat(cmm.poolWarning(31, 8))
                .hasValueSatisfying(warning -> assertThat(warning).contains("32", "31"));
        assertThat(cmm.poolWarning(32, 8)).isEmpty();
        assertThat(Method.parse("nin/chm").poolError(1, 8)).isEmpty();
        assertThat(Method.parse("nin/chm").poolWarning(1, 8)).isEmpty();
    }
}
