package latentmix.study;

import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import latentmix.config.RunConfig;
import latentmix.plan.ClassPool;
import latentmix.plan.InversionChunk;
import latentmix.plan.Kept;
import latentmix.report.RunSummary;
import latentmix.stage.Pipeline;
import latentmix.stage.RunTerms;
import latentmix.study.StudyConfig.Experiment;
import latentmix.study.StudyConfig.Setting;
import latentmix.table.MetricRow;
import latentmix.table.MetricsTable;
import latentmix.table.RunFolder;
import latentmix.table.StageName;

/**
 * The pipeline's runs that a study needs. Settings that agree in everything but their mixing entries are one run. Runs
 * over the same images share a run folder, and so their inversions.
 */
final class StudyRuns {
    /**
     * A run, its summary, the chunks of inverted images that its rows which count were made of, the same by class, and
     * which mixtures are kept.
     */
    record Done(
            RunConfig config,
            RunFolder run,
            RunSummary summary,
            List<InversionChunk> inverted,
            List<ClassPool> pools,
            Kept kept) {
        /** Does what is missing of a run. */
        static Done of(StudyContext context, RunConfig config, String folder, Set<StageName> stages)
                throws IOException {
            Pipeline.Finished finished = Pipeline.finished(
                    context.spark(), config, folder, List.copyOf(stages), RunTerms.partOfAStudy(context.console()));
            RunFolder run = new RunFolder(folder, context.folder().conf());
            return new Done(config, run, finished.summary(), finished.inverted(), finished.pools(), finished.kept());
        }

        /** The images of a class. */
        ClassPool pool(String classId) {
            return pools.stream()
                    .filter(pool -> pool.classId().equals(classId))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("The run must have the class " + classId));
        }

        /** The settings id of an entry's mixtures. */
        String mixing(String entry) {
            for (int i = 0; i < config.mixing().size(); i++) {
                if (config.mixing().get(i).name().equals(entry)) {
                    return summary.settings().mix().get(i);
                }
            }
            throw new IllegalArgumentException("The run must have the entry, has not: " + entry);
        }

        /** The metrics of the run's images, and the scores that its tables add to them. */
        private List<MetricRow> metrics() throws IOException {
            List<String> ids = summary.settings().evaluate();
            if (ids.isEmpty()) {
                return List.of(); // nothing was to be measured
            }
            List<MetricRow> rows = new ArrayList<>();
            MetricsTable table = new MetricsTable(run);
            for (String name : table.names()) {
                rows.addAll(table.rows(name));
            }
            rows.removeIf(row -> !ids.contains(row.settingsId()));
            rows.addAll(MixtureScores.of(this, MixtureScores.features(run, ids.get(0))));
            return rows;
        }

        /** The settings id of its images. */
        String generation() {
            return summary.settings().generate();
        }
    }

    private final Map<RunConfig, Done> done = new LinkedHashMap<>();

    private final Map<Done, List<MetricRow>> metrics = new HashMap<>();

    private StudyRuns() {}

    /** The runs of a study, in the order in which its experiments need them first. */
    static List<RunConfig> of(StudyConfig config) {
        Map<RunConfig, Set<RunConfig.Mixing>> entries = new LinkedHashMap<>();
        for (Experiment experiment : config.experiments()) {
            for (Setting setting : experiment.settings()) {
                entries.computeIfAbsent(bare(setting.run()), run -> new LinkedHashSet<>())
                        .addAll(setting.run().mixing());
            }
        }
        List<RunConfig> runs = new ArrayList<>();
        entries.forEach((run, mixing) -> runs.add(run.withMixing(List.copyOf(mixing))));
        return runs;
    }

    /** Runs them, each doing only what is missing. */
    static StudyRuns run(StudyContext context) throws IOException {
        StudyRuns runs = new StudyRuns();
        List<RunConfig> all = of(context.config());
        for (RunConfig config : all) {
            String folder = context.runFolder(config);
            context.console().say("run " + (runs.done.size() + 1) + " of " + all.size() + ", in " + folder);
            Set<StageName> stages = EnumSet.of(StageName.INVERT, StageName.MIX, StageName.GENERATE);
            if (config.evaluation() != null) {
                stages.add(StageName.EVALUATE);
            }
            runs.done.put(bare(config), Done.of(context, config, folder, stages));
        }
        return runs;
    }

    /** The run that a setting is part of. */
    Done of(Setting setting) {
        return done.get(bare(setting.run()));
    }

    /** The metrics of the run that a setting is part of. */
    List<MetricRow> metrics(Setting setting) throws IOException {
        Done run = of(setting);
        List<MetricRow> rows = metrics.get(run);
        if (rows == null) {
            rows = run.metrics();
            metrics.put(run, rows);
        }
        return rows;
    }

    List<Done> all() {
        return List.copyOf(done.values());
    }

    private static RunConfig bare(RunConfig run) {
        return run.withMixing(List.of());
    }
}
