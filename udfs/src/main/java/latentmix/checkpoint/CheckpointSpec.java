package latentmix.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;

/**
 * A checkpoint as it is asked for: where it lies, and what is taken otherwise than it is published.
 *
 * <p>Whoever opens it sees an ordinary {@link CheckpointFolder}: where something is overridden, a {@link View} of it.
 *
 * @param location a path, a built-in, a repository of the hub or a location of another file system
 * @param scheduler a JSON object whose values replace those of {@code scheduler_config.json}
 * @param vae the location of another autoencoder: a component's folder, or a checkpoint that has one; empty for its own
 * @param variant of weight files, such as {@code fp16}; empty for the first there is of plain, fp16 and bf16
 * @param without components that are left out
 */
public record CheckpointSpec(String location, String scheduler, String vae, String variant, Set<String> without)
        implements Serializable {
    private static final String NOTHING = "{}";
    private static final String VAE = "vae";

    /** The components of T5, which a StableDiffusion3Pipeline runs without too. */
    private static final Set<String> T5 = Set.of("text_encoder_3", "tokenizer_3");

    public CheckpointSpec {
        without = Set.copyOf(without);
    }

    /** A checkpoint as it is published. */
    public static CheckpointSpec of(String location) {
        return new CheckpointSpec(location, NOTHING, "", "", Set.of());
    }

    public CheckpointSpec withScheduler(ObjectNode values) {
        return new CheckpointSpec(location, values.toString(), vae, variant, without);
    }

    public CheckpointSpec withVae(String other) {
        return new CheckpointSpec(location, scheduler, other, variant, without);
    }

    public CheckpointSpec withVariant(String name) {
        return new CheckpointSpec(location, scheduler, vae, name, without);
    }

    public CheckpointSpec withoutT5() {
        return new CheckpointSpec(location, scheduler, vae, variant, T5);
    }

    /** The same of a file on this machine's disk. */
    CheckpointSpec at(Path file) {
        return new CheckpointSpec(file.toString(), scheduler, vae, variant, without);
    }

    /** What others may call it: a repository of the hub, a built-in, or the last name of a path. */
    public String name() {
        if (location.startsWith("builtin:")) {
            return location;
        }
        return HubCache.repository(location)
                .map(HubCache.Repository::id)
                .orElseGet(() -> location.replaceFirst("/+$", "").replaceFirst(".*/", ""));
    }

    /** Whether nothing is overridden. */
    public boolean isAsPublished() {
        return equals(of(location));
    }

    /** Whether a component is read where it lies in the checkpoint. */
    boolean reads(String component) {
        return !without.contains(component) && !(component.equals(VAE) && !vae.isEmpty());
    }

    /**
     * Opens it, fetched to this machine's disk where it lies elsewhere.
     *
     * @throws CheckpointException if it cannot be used, or an override does not suit it
     */
    public CheckpointFolder open(Configuration conf) {
        CheckpointFolder published = CheckpointFolder.open(CheckpointCache.located(this, conf), this);
        if (isAsPublished()) {
            return published;
        }
        if (without.equals(T5) && !published.denoiser().equals("transformer")) {
            throw new CheckpointException("text_encoder_3 can be left out of a StableDiffusion3Pipeline, not of the "
                    + published.pipeline() + " " + location + "; leave the key out");
        }
        return CheckpointFolder.open(View.of(published, this, vae(conf)));
    }

    /** The folder of the other autoencoder. */
    private Optional<Path> vae(Configuration conf) {
        if (vae.isEmpty()) {
            return Optional.empty();
        }
        Set<String> others = new TreeSet<>(T5);
        others.addAll(List.of("text_encoder", "text_encoder_2", "transformer", "unet"));
        try {
            Path folder = CheckpointCache.located(new CheckpointSpec(vae, NOTHING, "", variant, others), conf);
            if (!Files.isDirectory(folder)) {
                throw CheckpointFolder.noFolder(folder);
            }
            Path component = Files.exists(folder.resolve(CheckpointFolder.INDEX)) ? folder.resolve(VAE) : folder;
            CheckpointFolder.config(component);
            StateDict.files(component);
            return Optional.of(component);
        } catch (CheckpointException | IllegalArgumentException e) {
            throw new CheckpointException("with vae = " + vae + ": " + e.getMessage());
        }
    }

    /** The location, and what is overridden. */
    @Override
    public String toString() {
        List<String> parts = new ArrayList<>();
        if (!scheduler.equals(NOTHING)) {
            parts.add("scheduler " + scheduler);
        }
        if (!vae.isEmpty()) {
            parts.add("vae " + vae);
        }
        if (!variant.isEmpty()) {
            parts.add("variant " + variant);
        }
        if (!without.isEmpty()) {
            parts.add("no " + String.join(", ", new TreeSet<>(without)));
        }
        return location + (parts.isEmpty() ? "" : " with " + String.join(", ", parts));
    }
}
