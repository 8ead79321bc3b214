package latentmix.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import latentmix.checkpoint.ElementType;
import latentmix.checkpoint.StateDict;
import latentmix.checkpoint.Tensors;
import latentmix.torchscript.Archive;
import latentmix.torchscript.Program;
import latentmix.torchscript.ScriptModule;

/** A small program of the standard Inception's signature: uint8 images and flags in, features out. */
public final class InceptionStandIn {
    private InceptionStandIn() {}

    /**
     * Writes its archive: features = weight · mean of each channel; without return_features their negative.
     *
     * @param width features of an image; Inception has 2,048
     */
    public static Path write(Path archive, int width) throws IOException {
        float[] weight = new float[width * 3];
        for (int i = 0; i < weight.length; i++) {
            weight[i] = i % 7 - 3;
        }
        Path weights = Files.createTempDirectory("latentmix-stand-in").resolve("model.safetensors");
        new Tensors().put("weight", List.of((long) width, 3L), weight).write(weights);
        try (StateDict state = StateDict.open(weights.getParent())) {
            Archive.write(archive, new Program(module(width), ElementType.F32), state);
        }
        Files.delete(weights);
        Files.delete(weights.getParent());
        return archive;
    }

    private static ScriptModule module(int width) {
        return ScriptModule.named("Inception")
                .parameter("weight", width, 3)
                .method(
                        """
                        def forward(self, img: Tensor, return_features: bool=False, use_fp16: bool=False, \
                        no_output_bias: bool=False) -> Tensor:
                          features = torch.linear(torch.mean(img.to(6), [2, 3]), self.weight)
                          if return_features:
                            out = features
                          else:
                            out = torch.neg(features)
                          return out
                        """);
    }
}
