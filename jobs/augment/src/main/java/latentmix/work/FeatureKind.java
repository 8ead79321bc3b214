package latentmix.work;

import ai.djl.Device;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import latentmix.checkpoint.CheckpointCache;
import latentmix.metric.Comparison;
import latentmix.metric.Estimate;
import latentmix.model.Dtype;
import latentmix.model.ImageEncoder;
import latentmix.model.Models;
import org.apache.hadoop.conf.Configuration;

/** By which network's features images are compared, and what the metrics in its features are called. */
public enum FeatureKind {
    /**
     * A classifier: {@code frechet_classifier}, {@code kid_classifier} …, and {@code accuracy} and {@code confidence}.
     */
    CLASSIFIER,
    /** CLIP's vision model: {@code frechet_clip} …, {@code cmmd}, {@code clip_distance}. */
    CLIP,
    /** The standard Inception with its own resize: {@code fid}, {@code kid}, {@code precision_inception} … */
    INCEPTION;

    /**
     * The network, on a device.
     *
     * @param location its folder or file
     * @param fingerprint of the file, where it must have a certain one
     */
    ImageEncoder open(String location, String fingerprint, Device device, Configuration conf) {
        Path path = CheckpointCache.located(location, conf);
        return switch (this) {
            case CLASSIFIER -> Models.classifier(path, device, Dtype.FLOAT32);
            case CLIP -> Models.imageEncoder(path, device, Dtype.FLOAT32);
            case INCEPTION -> Models.inception(path, fingerprint, device);
        };
    }

    /** What is measured of a cell's images, at least two, beside a reference; by name. */
    public Map<String, Estimate> metrics(CellState cell, Comparison sets) {
        Map<String, Estimate> metrics = new TreeMap<>();
        metrics.put(this == INCEPTION ? "fid" : named("frechet"), sets.frechet());
        metrics.put(this == INCEPTION ? "kid" : named("kid"), sets.kid());
        if (this == CLIP) {
            metrics.put("cmmd", sets.cmmd());
        }
        sets.neighbours().ifPresent(neighbours -> {
            metrics.put(named("precision"), neighbours.precision());
            metrics.put(named("recall"), neighbours.recall());
            metrics.put(named("density"), neighbours.density());
            metrics.put(named("coverage"), neighbours.coverage());
        });
        metrics.put(this == CLIP ? "clip_distance" : named("distance"), cell.distance());
        Optional.of(cell)
                .filter(state -> state.pairs() > 0)
                .ifPresent(state -> metrics.put(named("diversity"), state.diversity()));
        if (this == CLASSIFIER) {
            metrics.put("accuracy", cell.accuracy());
            metrics.put("confidence", cell.confidence());
        }
        return metrics;
    }

    private String named(String metric) {
        return metric + "_" + text();
    }

    /** As settings and metrics write it. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}
