package latentmix.study;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.latent.RecipeSampler;
import latentmix.plan.ClassPool;
import latentmix.table.RunFolder;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.apache.hadoop.fs.Path;

/**
 * Images with a little noise, written as an input folder: {@code <folder>/<class>/<number>.png}.
 *
 * <pre>round(pixel + σ ε),   ε ~ N(0, 1), a colour at a time;   cut to 0…255</pre>
 *
 * @param folder the folder, below the study folder
 * @param mixing the settings id of the noise that the images were made from
 * @param generation the images' own settings id
 * @param count number of images of a class
 * @param deviation σ, the deviation in levels of a byte
 */
record PerturbedImages(String folder, String mixing, String generation, int count, double deviation)
        implements Serializable {
    /** Makes the class's folder hold these images alone; returns how many. */
    int write(RunFolder made, RunFolder study, ClassPool pool) throws IOException {
        String classId = pool.classId();
        Set<String> present = new TreeSet<>(study.files(folder + "/" + classId));
        Map<Integer, Pixels> images = new TreeMap<>(MixtureImages.of(made, pool).open(mixing, generation, count));
        for (Map.Entry<Integer, Pixels> image : images.entrySet()) {
            String name = String.format(Locale.ROOT, "%06d.png", image.getKey());
            Path file = study.path(folder + "/" + classId + "/" + name);
            byte[] noisy = PngEncoder.encode(perturbed(image.getValue(), deviation, classId + " " + image.getKey()));
            if (!present.remove(name) || !Arrays.equals(study.read(file), noisy)) {
                study.publish(file, noisy);
            }
        }
        for (String other : present) {
            study.delete(folder + "/" + classId + "/" + other);
        }
        return images.size();
    }

    /** An image with noise. */
    static Pixels perturbed(Pixels pixels, double deviation, String seed) {
        var normal = ZigguratSampler.NormalizedGaussian.of(RecipeSampler.rng("perturbed " + seed));
        byte[] rgb = pixels.rgb().clone();
        for (int i = 0; i < rgb.length; i++) {
            long level = Math.round((rgb[i] & 0xff) + deviation * normal.sample());
            rgb[i] = (byte) Math.max(0, Math.min(255, level));
        }
        return new Pixels(pixels.width(), pixels.height(), rgb);
    }

    /** The first images of a class as they were made and as they are perturbed. */
    List<List<Pixels>> pairs(RunFolder made, ClassPool pool, int most) throws IOException {
        String classId = pool.classId();
        Map<Integer, Pixels> images =
                new TreeMap<>(MixtureImages.of(made, pool).open(mixing, generation, Math.min(most, count)));
        List<Pixels> before = new ArrayList<>(images.values());
        List<Pixels> after = images.entrySet().stream()
                .map(image -> perturbed(image.getValue(), deviation, classId + " " + image.getKey()))
                .toList();
        return List.of(before, after);
    }
}
