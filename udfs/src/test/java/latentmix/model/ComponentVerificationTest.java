package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComponentVerificationTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden");

    @ParameterizedTest
    @CsvSource({"unet-sd15, 4", "unet-sd21, 4", "vae-sd15, 4", "clip-text-sd15, 4"})
    void everyCaseOfTheReferenceModelsIsWithinItsBound(String folder, int cases) {
        Path component = GOLDEN.resolve(folder);
        List<ComponentVerification.Case> results =
                ComponentVerification.run(component, component.resolve("golden.safetensors"));
        results.forEach(System.out::println);
        assertThat(results).hasSize(cases).allMatch(ComponentVerification.Case::passes);
    }
}
