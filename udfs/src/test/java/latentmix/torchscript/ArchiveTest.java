package latentmix.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.ElementType;
import latentmix.checkpoint.StateDict;
import latentmix.checkpoint.Tensors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ArchiveTest {
    /** y = 2 convolutions over x, the second a child of numeric name; kernels are stored channels_last. */
    private static final ScriptModule MODULE = ScriptModule.named("Twice")
            .child("first", conv())
            .child("rest", ScriptModule.list(List.of(conv())))
            .method(
                    """
                    def forward(self, x: Tensor) -> Tensor:
                      return getattr(self.rest, "0").forward(self.first.forward(x.to(self.first.weight))).to(6)
                    """);

    private static ScriptModule conv() {
        return ScriptModule.named("Conv")
                .parameter("weight", 3, 3, 1, 2)
                .method(
                        """
                def forward(self, x: Tensor) -> Tensor:
                  return torch.conv2d(x, self.weight)
                """);
    }

    @TempDir
    Path folder;

    private final Tensors tensors = new Tensors();

    @BeforeEach
    void distinctSmallIntegers() {
        for (String name : List.of("first.weight", "rest.0.weight")) {
            float[] values = new float[18];
            for (int i = 0; i < values.length; i++) {
                values[i] = i % 7 - 3;
            }
            tensors.put(name, List.of(3L, 3L, 1L, 2L), values);
        }
    }

    private Path write(ElementType type, long zip64From) throws IOException {
        tensors.write(folder.resolve("model.safetensors"));
        Path file = folder.resolve("program.pt");
        try (StateDict weights = StateDict.open(folder)) {
            Archive.write(file, new Program(MODULE, type), weights, zip64From);
        }
        return file;
    }

    /** x (1, 3, 1, 4) through both convolutions, by the definition. */
    private float[] expected(float[] x, int width) {
        float[] y = x;
        for (String name : List.of("first.weight", "rest.0.weight")) {
            float[] w = tensors.get(name).values();
            float[] z = new float[3 * (width - 1)];
            for (int o = 0; o < 3; o++) {
                for (int p = 0; p < width - 1; p++) {
                    for (int i = 0; i < 3; i++) {
                        for (int k = 0; k < 2; k++) {
                            z[o * (width - 1) + p] += w[o * 6 + i * 2 + k] * y[i * width + p + k];
                        }
                    }
                }
            }
            y = z;
            width--;
        }
        return y;
    }

    private static float[] run(Path program, float[] x) throws Exception {
        try (Model model = Model.newInstance("program", "PyTorch")) {
            model.load(program.getParent(), "program.pt");
            Block block = model.getBlock();
            NDArray input = model.getNDManager().create(x, new Shape(1, 3, 1, x.length / 3));
            NDList output = block.forward(new ParameterStore(), new NDList(input), false);
            return output.singletonOrThrow().toFloatArray();
        }
    }

    @ParameterizedTest
    @CsvSource({"F32, 4294967295", "BF16, 4294967295", "F32, 0", "F32, 500"})
    void libtorchRunsItInBothTypesAndWithZip64Records(ElementType type, long zip64From) throws Exception {
        float[] x = {1, 2, 3, 4, -1, 0, 1, 2, 5, 3, 2, 1};
        assertThat(run(write(type, zip64From), x)).isEqualTo(expected(x, 4)); // small integers: exact in bfloat16 too
    }

    @ParameterizedTest
    @EnumSource(names = {"F64", "F32", "F16", "BF16"})
    void weightsOfEveryFloatingTypeAreRead(ElementType source) throws Exception {
        tensors.as(source);
        float[] x = {1, 2, 3, 4, -1, 0, 1, 2, 5, 3, 2, 1};
        assertThat(run(write(ElementType.F32, Long.MAX_VALUE), x)).isEqualTo(expected(x, 4));
    }

    @Test
    void anotherZipReaderFindsEveryEntryWithItsChecksum() throws IOException {
        for (long zip64From : new long[] {Long.MAX_VALUE, 0, 300}) {
            try (ZipFile zip = new ZipFile(write(ElementType.F16, zip64From).toFile())) {
                assertThat(Collections.list(zip.entries()))
                        .extracting(ZipEntry::getName)
                        .containsExactly(
                                "program/data.pkl",
                                "program/code/__torch__.py",
                                "program/constants.pkl",
                                "program/version",
                                "program/data/0",
                                "program/data/1");
                ZipEntry tensor = zip.getEntry("program/data/1");
                assertThat(tensor.getSize()).isEqualTo(36);
                try (InputStream in = zip.getInputStream(tensor)) {
                    byte[] bytes = in.readAllBytes();
                    java.util.zip.CRC32 crc = new java.util.zip.CRC32();
                    crc.update(bytes);
                    assertThat(crc.getValue()).isEqualTo(tensor.getCrc());
                }
            }
        }
    }

    @Test
    void equalProgramsGiveEqualBytes() throws IOException {
        byte[] once = Files.readAllBytes(write(ElementType.F32, Long.MAX_VALUE));
        assertThat(Files.readAllBytes(write(ElementType.F32, Long.MAX_VALUE))).isEqualTo(once);
    }

    @Test
    void aFlippedByteAnywhereAndATruncationAreNoticed() throws IOException {
        Path file = write(ElementType.F32, Long.MAX_VALUE);
        assertThat(Archive.isIntact(file)).isTrue();
        byte[] bytes = Files.readAllBytes(file);
        for (int i = 0; i < bytes.length; i += 41) {
            bytes[i] ^= 1;
            assertThat(Archive.isIntact(Files.write(file, bytes)))
                    .as("byte %d", i)
                    .isFalse();
            bytes[i] ^= 1;
        }
        for (int length : new int[] {0, 1, 7, 8, 9, bytes.length - 1}) {
            Files.write(file, java.util.Arrays.copyOf(bytes, length));
            assertThat(Archive.isIntact(file)).as("%d bytes", length).isFalse();
        }
    }

    @Test
    void modulesOfOneStructureShareAClassAndOthersGetTheirOwn() {
        ScriptModule other = ScriptModule.named("Conv")
                .parameter("weight", 1)
                .method(
                        """
                def forward(self, x: Tensor) -> Tensor:
                  return x
                """);
        String code = new String(
                new Program(MODULE.child("other", other), ElementType.F32).code(),
                java.nio.charset.StandardCharsets.UTF_8);
        assertThat(code.split("class ", -1)).hasSize(1 + 4); // Conv, ModuleList, Conv_1, Twice
        assertThat(code).contains("first : __torch__.Conv\n", "other : __torch__.Conv_1\n");
    }

    @ParameterizedTest
    @CsvSource({
        "NaN, F32, has the value NaN at position 17; weights must be finite",
        "-Infinity, BF16, has the value -Infinity at position 17; weights must be finite",
        "70000, F16, 'has the value 70000.0 at position 17, too large for float16; choose float32 or bfloat16'"
    })
    void aValueThatNoProgramCanHaveIsRefused(float value, ElementType type, String message) {
        tensors.get("rest.0.weight").values()[17] = value;
        assertThatThrownBy(() -> write(type, Long.MAX_VALUE))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("The tensor rest.0.weight")
                .hasMessageContaining(message);
    }

    @Test
    void aTensorOfAnotherSizeIsRefused() {
        tensors.put("first.weight", List.of(3L, 3L), new float[9]);
        assertThatThrownBy(() -> write(ElementType.F32, Long.MAX_VALUE))
                .hasMessageContaining("first.weight")
                .hasMessageContaining("should have the shape [3, 3, 1, 2], but has [3, 3]");
    }

    @Test
    void aKernelLargerThanTheBuffersIsPermutedInBlocks() throws Exception {
        int channels = 400;
        ScriptModule wide = ScriptModule.named("Wide")
                .parameter("weight", channels, channels, 2, 2)
                .method(
                        """
                def forward(self, x: Tensor) -> Tensor:
                  return torch.contiguous(self.weight)
                """);
        float[] values = new float[channels * channels * 4]; // 640,000: more than one block
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        new Tensors().put("weight", List.of(400L, 400L, 2L, 2L), values).write(folder.resolve("model.safetensors"));
        try (StateDict weights = StateDict.open(folder)) {
            Archive.write(folder.resolve("program.pt"), new Program(wide, ElementType.F32), weights);
        }
        assertThat(run(folder.resolve("program.pt"), new float[3])).isEqualTo(values);
    }
}
