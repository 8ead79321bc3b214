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
import java.util.regex.Pattern;
import java.util.stream.Stream;
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
 * @param loras what is added to its weights, in order
 * @param embeddings tokens that its prompts may have beside its vocabulary, in order
 */
public record CheckpointSpec(
        String location,
        String scheduler,
        String vae,
        String variant,
        Set<String> without,
        List<Lora> loras,
        List<Embedding> embeddings)
        implements Serializable {
    private static final String NOTHING = "{}";
    private static final String VAE = "vae";

    private static final Pattern DISTILLED =
            Pattern.compile("(?i)(?<![a-z])(turbo|lightning|lcm|hyper[-_]?sd(xl)?|dmd2)(?![a-z])");

    /** The components of T5, which a StableDiffusion3Pipeline runs without too. */
    private static final Set<String> T5 = Set.of("text_encoder_3", "tokenizer_3");

    public CheckpointSpec {
        without = Set.copyOf(without);
        loras = List.copyOf(loras);
        embeddings = List.copyOf(embeddings);
    }

    /** A checkpoint to which nothing is added. */
    CheckpointSpec(String location, String scheduler, String vae, String variant, Set<String> without) {
        this(location, scheduler, vae, variant, without, List.of(), List.of());
    }

    /** A checkpoint as it is published. */
    public static CheckpointSpec of(String location) {
        return new CheckpointSpec(location, NOTHING, "", "", Set.of());
    }

    public CheckpointSpec withScheduler(ObjectNode values) {
        return new CheckpointSpec(location, values.toString(), vae, variant, without, loras, embeddings);
    }

    public CheckpointSpec withVae(String other) {
        return new CheckpointSpec(location, scheduler, other, variant, without, loras, embeddings);
    }

    public CheckpointSpec withVariant(String name) {
        return new CheckpointSpec(location, scheduler, vae, name, without, loras, embeddings);
    }

    public CheckpointSpec withoutT5() {
        return new CheckpointSpec(location, scheduler, vae, variant, T5, loras, embeddings);
    }

    public CheckpointSpec withLoras(List<Lora> added) {
        return new CheckpointSpec(location, scheduler, vae, variant, without, added, embeddings);
    }

    public CheckpointSpec withEmbeddings(List<Embedding> added) {
        return new CheckpointSpec(location, scheduler, vae, variant, without, loras, added);
    }

    /** The same with nothing added: what is fetched and converted. */
    private CheckpointSpec plain() {
        return new CheckpointSpec(location, scheduler, vae, variant, without);
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

    /**
     * The checkpoint or the LoRA that, by its name, was distilled to sample in a few steps: Turbo, Lightning, LCM,
     * Hyper-SD or DMD2. Nothing in the files tells.
     */
    public Optional<String> distilled() {
        return Stream.concat(Stream.of(location), loras.stream().map(Lora::location))
                .map(each -> of(each).name())
                .filter(each -> DISTILLED.matcher(each).find())
                .findFirst();
    }

    /** What others may call what is added to it: each LoRA and each token. */
    public List<String> additions() {
        return Stream.concat(
                        loras.stream().map(lora -> "LoRA " + of(lora.location()).name() + " × " + lora.scale()),
                        embeddings.stream()
                                .map(added -> "token " + added.token() + " of "
                                        + of(added.location()).name()))
                .toList();
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
        CheckpointFolder published = CheckpointFolder.open(CheckpointCache.located(plain(), conf), this);
        if (isAsPublished()) {
            return published;
        }
        if (without.equals(T5) && (!published.denoiser().equals("transformer") || published.isDit())) {
            throw new CheckpointException("text_encoder_3 can be left out of a StableDiffusion3Pipeline, not of the "
                    + published.pipeline() + " " + location + "; leave the key out");
        }
        if (!embeddings.isEmpty() && published.isDit()) {
            throw new CheckpointException(
                    "with embedding = " + embeddings.get(0).location()
                            + ": expected a checkpoint with a text encoder, got the DiT " + location
                            + ", which is told classes by their numbers; leave the embedding out");
        }
        return CheckpointFolder.open(View.of(published, this, vae(conf), location -> file(location, conf)));
    }

    /**
     * A file of weights that is no checkpoint, fetched to this machine's disk where it lies elsewhere.
     *
     * @throws CheckpointException if there is none
     */
    private static Path file(String location, Configuration conf) {
        if (location.matches(".*\\.(ckpt|bin|pt|pth)")) {
            throw new CheckpointException(
                    "expected safetensors, got a pickle, which can run code and is never opened;"
                            + " convert it where you trust it: safetensors.torch.save_file(torch.load(file, weights_only=True),"
                            + " \"file.safetensors\"), of a pickle of the web UI its [\"string_to_param\"][\"*\"] as emb_params");
        }
        if (!location.endsWith(SingleFile.ENDING)) {
            throw new CheckpointException(
                    "expected a file that ends in " + SingleFile.ENDING + ", got another; name one,"
                            + " as in /loras/watercolour.safetensors or hf://org/name/watercolour.safetensors");
        }
        return CheckpointCache.fetched(of(location), conf);
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
        loras.forEach(lora -> parts.add("LoRA " + lora.location() + " × " + lora.scale()));
        embeddings.forEach(added -> parts.add("token " + added.token() + " of " + added.location()));
        if (!without.isEmpty()) {
            parts.add("no " + String.join(", ", new TreeSet<>(without)));
        }
        return location + (parts.isEmpty() ? "" : " with " + String.join(", ", parts));
    }
}
