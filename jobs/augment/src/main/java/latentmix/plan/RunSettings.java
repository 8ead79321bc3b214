package latentmix.plan;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.MixtureCount;
import latentmix.config.RunConfig;
import latentmix.config.Spelled;
import latentmix.latent.MixturePrompt;
import latentmix.model.Models;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;

/**
 * A configuration's settings and their ids: each table's rows carry the id of what decides their bytes, and nothing
 * else enters it, so that counts, paths and cluster sizes can change without new rows.
 *
 * @param mixing one entry for each of the configuration's, in its order; {@link #counted} says how many they make
 */
public record RunSettings(
        InversionSettings inversion,
        String inversionId,
        List<MixingEntry> mixing,
        GenerationSettings generation,
        String generationId) {
    /** The entries whose images enter the dataset. */
    public List<MixingEntry> exported() {
        return mixing.stream().filter(MixingEntry::exported).toList();
    }

    /** Whether any mixtures have inputs of other classes. */
    public boolean isSoft() {
        return mixing.stream().anyMatch(entry -> entry.settings().isSoft());
    }

    /** The contexts of any entry, each once. */
    public List<String> contexts() {
        return mixing.stream()
                .flatMap(entry -> entry.settings().contexts().stream())
                .distinct()
                .toList();
    }

    /** The mixing entries with as many mixtures as these images of all classes ask for. */
    public List<MixingEntry> counted(List<Catalog> catalogs) {
        MixtureCount.Real real = new MixtureCount.Real(catalogs.stream()
                .collect(Collectors.toMap(catalog -> catalog.label().classId(), Catalog::images)));
        return mixing.stream().map(entry -> entry.counted(real)).toList();
    }

    /** What gives settings their id, and may publish them. */
    @FunctionalInterface
    public interface Ids {
        String of(Object settings) throws IOException;
    }

    /** The settings, each named as it is asked for. */
    public static RunSettings of(RunConfig config, CheckpointFolder checkpoint, String device, Ids ids)
            throws IOException {
        String fingerprint = checkpoint.fingerprint();
        InversionSettings inversion = new InversionSettings(
                fingerprint,
                device,
                config.inversionDtype().toString(),
                config.model().batch(),
                config.model().threads(),
                config.prompt().template(),
                config.prompt().negative(),
                config.model().size() == null
                        ? Models.imageSize(checkpoint)
                        : config.model().size(),
                config.inversionMethod(checkpoint.schedulerConfig()).toString(),
                config.inversion().steps(),
                config.inversion().guidance(),
                config.inversion().forwardFirst());
        String inversionId = ids.of(inversion);
        List<MixingEntry> mixing = new ArrayList<>();
        for (RunConfig.Mixing entry : config.mixing()) {
            MixingSettings settings = new MixingSettings(
                    inversionId,
                    entry.methods().stream().map(Spelled::text).toList(),
                    entry.inputs().stream().map(Spelled::text).toList(),
                    entry.weights().text(),
                    entry.pool().toString(),
                    entry.gate().toString(),
                    config.run().seed(),
                    entry.across() == RunConfig.Across.NONE
                            ? ""
                            : entry.across().toString(),
                    entry.neighbours(),
                    entry.contexts(),
                    entry.contextShare(),
                    entry.guidance());
            mixing.add(new MixingEntry(entry.name(), entry.export(), settings, ids.of(settings), entry.count()));
        }
        Scheduler sampler = config.sampler(checkpoint.schedulerConfig());
        Guidance guidance = config.generation().guidance(sampler.trainTimesteps());
        GenerationSettings generation = new GenerationSettings(
                fingerprint,
                device,
                config.model().dtype().toString(),
                config.model().batch(),
                config.model().threads(),
                config.prompt().negative(),
                sampler.solver().toString(),
                sampler.sampling(config.generation().steps()).get(0).timestep(),
                config.generation().steps(),
                guidance.scale(),
                guidance.least(),
                guidance.most(),
                config.export().format(),
                inversionId,
                inversion.method(),
                config.prompt().mixture() == MixturePrompt.CLASS
                        ? ""
                        : config.prompt().mixture().toString());
        return new RunSettings(inversion, inversionId, List.copyOf(mixing), generation, ids.of(generation));
    }
}
